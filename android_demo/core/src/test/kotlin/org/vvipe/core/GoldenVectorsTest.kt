package org.vvipe.core

import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import java.io.File
import kotlin.math.sqrt

/** The lifter through the real runtime against what Python computed with the same files. */
class GoldenVectorsTest {
    @Test
    fun `poses of the app's own model are within half a millimetre of Python's`() = compare(Fixtures.dynamicRange, 0.5f)

    @Test
    fun `float16 poses are within half a millimetre of Python's`() = compare(Fixtures.float16, 0.5f)

    @Test
    fun `float32 poses are within a tenth of a millimetre of Python's`() = compare(Fixtures.float32, 0.1f)

    private fun compare(model: File, toleranceMm: Float) {
        val golden = parseJson(model.resolveSibling("golden.json").readText()) as Map<*, *>
        val cases = golden["cases"] as List<*>
        var compared = 0
        var worst = 0f
        LiteRtLifter(model).use { lifter ->
            assertEquals(lifter.manifest.hashOf(model.name), golden["sha256"])
            assertEquals(lifter.manifest.inputJoints, golden["input_joints"])
            val lifted = LiftedPose(lifter.manifest)
            for (case in cases.map { it as Map<*, *> }) {
                lifter.lift(Fixtures.numbers(case["keypoints"]), lifted)
                assertEquals(case["valid"], lifted.valid, case["name"].toString())
                if (!lifted.valid) continue
                worst = maxOf(worst, errorMm(lifted.pose, Fixtures.numbers(case["pose"]), lifter.manifest))
                Fixtures.numbers(case["embedding"]).forEachIndexed { index, number ->
                    assertEquals(number, lifted.embedding[index], 1e-2f, case["name"].toString())
                }
                compared++
            }
        }
        println("${model.name}: $compared poses, the worst joint %.5f mm from Python's".format(worst))
        assertTrue(compared > 20)
        assertTrue(worst <= toleranceMm) { "$worst mm" }
    }

    private fun errorMm(pose: FloatArray, expected: FloatArray, manifest: LiteManifest): Float {
        var worst = 0f
        for (at in pose.indices step 3) {
            val (x, y, z) = FloatArray(3) { pose[at + it] - expected[at + it] }
            worst = maxOf(worst, sqrt(x * x + y * y + z * z))
        }
        return worst * manifest.mmPerUnit
    }
}
