package org.vvipe.core

import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.vvipe.core.TestPeople.score

/** What is painted, in which order and colours. */
class DrawingTest {
    private val manifest = Fixtures.manifest
    private val list = DisplayList()

    private data class Element(val places: List<Float>, val size: Float, val colour: Int) {
        val isDisc get() = places.size == 2
    }

    private fun painted(list: DisplayList): List<Element> {
        val elements = ArrayList<Element>()
        list.paint(object : Painter {
            override fun line(x0: Float, y0: Float, x1: Float, y1: Float, width: Float, colour: Int) {
                elements += Element(listOf(x0, y0, x1, y1), width, colour)
            }

            override fun disc(x: Float, y: Float, radius: Float, colour: Int) {
                elements += Element(listOf(x, y), radius, colour)
            }
        })
        return elements
    }

    @Test
    fun `the farthest is painted first, and equals stay in order`() {
        list.addLine(1f, 0f, 0f, 0f, 1f, 1, depth = 2f)
        list.addDisc(2f, 0f, 1f, 2, depth = 5f)
        list.addLine(3f, 0f, 0f, 0f, 1f, 3, depth = 2f)
        list.addLine(4f, 0f, 0f, 0f, 1f, 4, depth = -1f)
        repeat(2) { assertEquals(listOf(2, 1, 3, 4), painted(list).map { it.colour }) }
        list.clear()
        assertEquals(0, list.size)
    }

    @Test
    fun `one element too many is refused`() {
        val small = DisplayList(1).also { it.addDisc(0f, 0f, 1f, 1, 0f) }
        assertThrows(IllegalStateException::class.java) { small.addDisc(0f, 0f, 1f, 1, 0f) }
    }

    @Test
    fun `a pose has the limbs of each side in its colour, on its side`() {
        val bones = draw(standingPose(), null)
        val left = bones.filter { it.colour == BodyColours.LEFT }
        val right = bones.filter { it.colour == BodyColours.RIGHT }
        assertEquals(listOf(4, 4), listOf(left.size, right.size))
        // Seen from in front, the person's left is on the right.
        assertTrue(left.map { it.places[0] }.average() > right.map { it.places[0] }.average() + 10)
        assertEquals(1, bones.count { it.isDisc })
    }

    @Test
    fun `an arm in front hides the trunk, and an arm behind is hidden`() {
        for ((reach, isLast) in listOf(-1f to true, 1f to false)) {
            val pose = standingPose()
            for (joint in listOf("right_elbow", "right_wrist")) pose[manifest.poseJoints.indexOf(joint) * 3] = reach
            val order = draw(pose, null).filterNot { it.isDisc }
            // Of the right bones that begin above the hips, the forearm begins lowest.
            val forearm = order.filter { it.colour == BodyColours.RIGHT && it.places[1] < 290f }.maxBy { it.places[1] }
            val trunk = order.indices.filter { order[it].colour == BodyColours.TRUNK }
            assertEquals(isLast, order.indexOf(forearm) > trunk.last(), "reach $reach")
            assertEquals(!isLast, order.indexOf(forearm) < trunk.first(), "reach $reach")
        }
    }

    @Test
    fun `what was not seen is paler`() {
        val seen = BooleanArray(manifest.poseJoints.size) { "ankle" !in manifest.poseJoints[it] }
        val colours = draw(standingPose(), seen).groupingBy { it.colour }.eachCount()
        assertEquals(1, colours[BodyColours.paler(BodyColours.LEFT)])
        assertEquals(3, colours[BodyColours.LEFT])
    }

    @Test
    fun `a pose stays in its view`() {
        val camera = OrbitCamera()
        val view = PoseView(manifest)
        repeat(12) {
            camera.drag(0.17f, 0f)
            view.draw(standingPose(), null, camera, 100f, 50f, 300f, 400f, list)
            for (element in painted(list)) {
                assertTrue(element.places.filterIndexed { at, _ -> at % 2 == 0 }.all { it in 100f..400f })
                assertTrue(element.places.filterIndexed { at, _ -> at % 2 == 1 }.all { it in 50f..450f })
            }
        }
    }

    @Test
    fun `keypoints lie over the picture, mirrored for the front camera`() {
        val result = FrameResult(manifest, 1)
        val person = TestPeople.standing(100f, 240f)
        person.copyInto(result.keypoints)
        TestPeople.visible(person).copyInto(result.visible)
        val fit = PictureFit()
        for ((mirrored, x) in listOf(false to 270f + 0.5f * 100, true to 270f + 0.5f * 540)) {
            // 640 x 480 in 860 x 240: half the size, 270 to the left and right.
            fit.set(640, 480, 860f, 240f, mirrored)
            KeypointView(manifest).draw(result, fit, 6f, list)
            val nose = painted(list).filter { it.isDisc }.first { it.places[1] < 60f }
            assertEquals(x, nose.places[0], 1e-3f)
            assertEquals(17, painted(list).count { it.isDisc })
        }
    }

    @Test
    fun `bones with a missing joint are left out`() {
        val result = FrameResult(manifest, 1)
        val person = TestPeople.standing().score(0.1f, "left_ankle", "nose")
        person.copyInto(result.keypoints)
        TestPeople.visible(person).copyInto(result.visible)
        val fit = PictureFit().also { it.set(640, 480, 640f, 480f, false) }
        KeypointView(manifest).draw(result, fit, 6f, list)
        val bones = painted(list).filterNot { it.isDisc }
        // Twelve bones and a neck, each with an edge of its own; a shin and the neck are missing.
        assertEquals(2 * 11, bones.size)
        assertEquals(3, bones.count { it.colour == BodyColours.LEFT })
    }

    private fun draw(pose: FloatArray, seen: BooleanArray?): List<Element> {
        PoseView(manifest).draw(pose, seen, OrbitCamera(), 0f, 0f, 600f, 600f, list)
        // The floor is thinner than any bone.
        return painted(list).filter { it.isDisc || it.size > 5f }
    }

    /** A person in the canonical frame: left at -y, up +z. */
    private fun standingPose() = FloatArray(manifest.poseJoints.size * 3).also { pose ->
        for ((index, name) in manifest.poseJoints.withIndex()) {
            val side = if (name.startsWith("left_")) -1f else if (name.startsWith("right_")) 1f else 0f
            val (across, up) = when (name.substringAfter('_')) {
                "shoulder" -> 0.36f to 1f
                "elbow" -> 0.5f to 0.5f
                "wrist" -> 0.5f to 0.1f
                "hip" -> 0.2f to 0f
                "knee" -> 0.22f to -0.85f
                "ankle" -> 0.22f to -1.65f
                else -> 0f to 1.4f
            }
            pose[index * 3 + 1] = side * across
            pose[index * 3 + 2] = up
        }
    }
}
