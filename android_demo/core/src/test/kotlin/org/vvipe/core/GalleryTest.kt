package org.vvipe.core

import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import kotlin.math.pow
import kotlin.math.sqrt
import kotlin.random.Random

/** The nearest poses of a small gallery. */
class GalleryTest {
    private val manifest = Fixtures.manifest
    private val text = Fixtures.file("dynamic_range/gallery.json").readText()
    private val sha256 = manifest.hashOf("vvipe_dynamic_range.tflite")
    private val gallery = Gallery.parse(text, manifest, sha256)

    @Test
    fun `the nearest are those that sorting all of them gives`() {
        val poses = (parseJson(text) as Map<*, *>)["poses"] as List<*>
        val rows = poses.map { Fixtures.numbers((it as Map<*, *>)["embedding"]) }
        val random = Random(3)
        val found = Neighbours(4)
        repeat(50) {
            val query = FloatArray(manifest.embeddingDim) { random.nextFloat() * 4 - 2 }
            gallery.findNearest(query, found)
            val distances = rows.map { row -> sqrt(row.indices.sumOf { (row[it] - query[it]).toDouble().pow(2) }) }
            val expected = distances.indices.sortedBy { distances[it] }.take(4)
            assertEquals(expected, found.rows.take(found.size))
            assertEquals(distances[expected[3]].toFloat(), found.distances[3], 1e-4f)
        }
    }

    @Test
    fun `a pose of the gallery finds itself, and its name is told`() {
        val row = gallery.names.indexOf("squat")
        val poses = (parseJson(text) as Map<*, *>)["poses"] as List<*>
        val found = Neighbours(2)
        gallery.findNearest(Fixtures.numbers((poses[row] as Map<*, *>)["embedding"]), found)
        assertEquals(row, found.rows[0])
        assertEquals(0f, found.distances[0])
        val pose = FloatArray(manifest.poseJoints.size * 3)
        gallery.copyPose(row, pose)
        assertEquals(Fixtures.numbers((poses[row] as Map<*, *>)["pose"]).asList(), pose.asList())
    }

    @Test
    fun `a gallery of fewer poses than asked for gives all of them`() {
        val found = Neighbours(gallery.size + 5)
        gallery.findNearest(FloatArray(manifest.embeddingDim), found)
        assertEquals(gallery.size, found.size)
        assertEquals(gallery.names.indices.toSet(), found.rows.take(found.size).toSet())
    }

    @Test
    fun `a gallery of another model is refused`() {
        val error = assertThrows(ModelRefusedException::class.java) { Gallery.parse(text, manifest, "f".repeat(64)) }
        assertEquals(ModelRefusal.METADATA_DIFFERS, error.refusal)
        assertTrue("Expected a gallery of the model ffff" in error.message!!)
    }

    @Test
    fun `equally near poses keep their order`() {
        val found = Neighbours(2)
        for ((row, distance) in listOf(3f, 1f, 1f, Float.NaN, 2f).withIndex()) found.offer(row, distance)
        assertEquals(listOf(1, 2), found.rows.asList())
    }
}
