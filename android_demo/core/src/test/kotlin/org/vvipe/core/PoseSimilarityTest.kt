package org.vvipe.core

import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import kotlin.math.cos
import kotlin.math.sin

/** How alike two poses are. */
class PoseSimilarityTest {
    private val source = Fixtures.fromPython("similarity", "source")
    private val target = Fixtures.fromPython("similarity", "target")
    private val all = BooleanArray(13) { true }

    @Test
    fun `it is the aligned error of the Python code`() {
        val errors = Fixtures.fromPython("similarity", "errors")
        assertTrue(errors.count { it < 0.5f } > 10)
        for ((pair, error) in errors.withIndex()) {
            val (from, to) = listOf(source, target).map { it.copyOfRange(pair * 39, pair * 39 + 39) }
            val expected = 100 * maxOf(0f, 1 - error / PoseSimilarity.ZERO_DISTANCE)
            assertEquals(expected, PoseSimilarity.measure(from, all, to, all), 1e-3f, "pair $pair")
        }
    }

    @Test
    fun `it is 100 for a pose that is turned, moved and of another size`() {
        val pose = source.copyOf(39)
        for (angle in listOf(0.0, 0.7, 3.1, -2.0)) {
            val moved = FloatArray(39)
            for (at in 0 until 39 step 3) {
                moved[at] = (1.7 * (cos(angle) * pose[at] - sin(angle) * pose[at + 1]) + 3).toFloat()
                moved[at + 1] = (1.7 * (sin(angle) * pose[at] + cos(angle) * pose[at + 1]) - 1).toFloat()
                moved[at + 2] = 1.7f * pose[at + 2]
            }
            assertEquals(100f, PoseSimilarity.measure(pose, all, moved, all), 1e-3f)
        }
    }

    @Test
    fun `a mirrored pose is another pose`() {
        val pose = source.copyOf(39)
        val mirrored = FloatArray(39) { if (it % 3 == 1) -pose[it] else pose[it] }
        assertTrue(PoseSimilarity.measure(pose, all, mirrored, all) < 90f)
    }

    @Test
    fun `only joints seen in both poses count`() {
        val pose = source.copyOf(39)
        val other = pose.copyOf().also { it[4 * 3] += 9f }
        val without = BooleanArray(13) { it != 4 }
        assertEquals(100f, PoseSimilarity.measure(pose, without, other, all), 1e-3f)
        assertEquals(100f, PoseSimilarity.measure(pose, all, other, without), 1e-3f)
        assertTrue(PoseSimilarity.measure(pose, all, other, all) < 1f)
    }

    @Test
    fun `too few common joints say nothing, and a pose without extent is nothing like one`() {
        val pose = source.copyOf(39)
        assertTrue(PoseSimilarity.measure(pose, BooleanArray(13) { it < 5 }, pose, all).isNaN())
        assertEquals(0f, PoseSimilarity.measure(FloatArray(39), all, pose, all))
    }

    @Test
    fun `poses of different joints are refused`() {
        val error = assertThrows(IllegalArgumentException::class.java) {
            PoseSimilarity.measure(FloatArray(39), all, FloatArray(51), BooleanArray(17))
        }
        assertEquals("Expected two poses of the same joints. Received: 39 and 51 numbers", error.message)
    }
}
