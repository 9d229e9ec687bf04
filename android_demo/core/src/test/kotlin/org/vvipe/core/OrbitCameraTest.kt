package org.vvipe.core

import org.junit.jupiter.api.Assertions.assertArrayEquals
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test

/** The camera under the finger. */
class OrbitCameraTest {
    private val camera = OrbitCamera()
    private val point = FloatArray(3)

    private fun project(x: Float, y: Float, z: Float): FloatArray {
        camera.project(x, y, z, point)
        return point.copyOf()
    }

    @Test
    fun `it projects as the Python code does`() {
        val angles = Fixtures.fromPython("camera", "angles")
        val points = Fixtures.fromPython("camera", "points")
        val seen = Fixtures.fromPython("camera", "seen")
        for (view in 0 until angles.size / 2) {
            camera.turnTo(angles[view * 2], angles[view * 2 + 1])
            for (index in 0 until points.size / 3) {
                val (x, y) = project(points[index * 3], points[index * 3 + 1], points[index * 3 + 2])
                val at = (view * points.size / 3 + index) * 2
                // Python's focal length is 1; here a point at the pelvis' depth keeps its size.
                assertEquals(seen[at] * OrbitCamera.DISTANCE, x, 1e-4f)
                assertEquals(seen[at + 1] * OrbitCamera.DISTANCE, y, 1e-4f)
            }
        }
    }

    @Test
    fun `it begins in front of the person, whose right hand is then on the left`() {
        assertTrue(project(0f, 1f, 0f)[0] < project(0f, -1f, 0f)[0])
        // The person looks along -x, and the head is up.
        assertTrue(project(-1f, 0f, 0f)[2] < project(1f, 0f, 0f)[2])
        assertTrue(project(0f, 0f, 1f)[1] < 0)
    }

    @Test
    fun `what is near follows the finger`() {
        val before = project(-1f, 0f, 0f)
        camera.drag(0.1f, 0.05f)
        val after = project(-1f, 0f, 0f)
        assertTrue(after[0] > before[0] && after[1] > before[1])
    }

    @Test
    fun `dragging all the way around comes back, and the poles are not passed`() {
        val before = project(0.3f, -0.4f, 0.5f)
        repeat(8) { camera.drag(0.25f, 0f) }
        assertArrayEquals(before, project(0.3f, -0.4f, 0.5f), 1e-4f)
        camera.drag(0f, 40f)
        assertEquals(Math.toRadians(85.0).toFloat(), camera.elevation)
    }

    @Test
    fun `pinching magnifies within bounds, and reset undoes it`() {
        val before = project(0f, 1f, 0f)
        camera.pinch(2f)
        assertEquals(2 * before[0], project(0f, 1f, 0f)[0], 1e-5f)
        camera.pinch(100f)
        assertEquals(4f, camera.zoom)
        camera.drag(0.3f, 0.3f)
        camera.reset()
        assertArrayEquals(before, project(0f, 1f, 0f))
    }
}
