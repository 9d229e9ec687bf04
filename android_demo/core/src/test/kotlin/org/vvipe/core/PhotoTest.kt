package org.vvipe.core

import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test

/** Photos through MoveNet, the lifter and the gallery. */
class PhotoTest {
    private val manifest = Fixtures.manifest
    private val gallery = Gallery.parse(
        Fixtures.file("dynamic_range/gallery.json").readText(), manifest, manifest.hashOf("vvipe_dynamic_range.tflite"),
    )
    private val behind = "spread_arms_from_behind.png"
    private val inFront = "spread_arms_from_in_front.png"

    private fun <T> withPipeline(use: (FramePipeline) -> T): T =
        LiteRtDetector(Fixtures.downloaded("movenet")).use { detector ->
            LiteRtLifter(Fixtures.dynamicRange).use { use(FramePipeline(detector, it, gallery)) }
        }

    /** What is found after some looks at the same photo, each in a square around what the last one found. */
    private fun look(photo: Frame, looks: Int = 4) = withPipeline { pipeline ->
        val kept = FrameResult(manifest, 3)
        repeat(looks) { kept.copyFrom(pipeline.process(photo)) }
        kept
    }

    private fun describe(name: String, result: FrameResult) {
        val near = (0 until result.neighbours.size).joinToString { gallery.names[result.neighbours.rows[it]] }
        println("$name: ${result.state}, ${result.visible.count { it }} joints, nearest: $near")
    }

    @Test
    fun `a whole body is tracked and lifted, and the nearest pose is the one it takes`() {
        for (name in listOf(behind, inFront)) {
            val result = look(Fixtures.photo(name))
            describe(name, result)
            assertEquals(PersonState.TRACKED, result.state)
            assertTrue(result.hasPose && result.seen.all { it })
            val near = (0 until result.neighbours.size).map { gallery.names[result.neighbours.rows[it]] }
            assertTrue("spread arms" in near) { near.toString() }
        }
    }

    @Test
    fun `the left wrist is on the left of the lifted body, from behind and from in front`() {
        for (name in listOf(behind, inFront)) {
            val pose = look(Fixtures.photo(name)).pose
            fun across(joint: String) = pose[manifest.poseJoints.indexOf(joint) * 3 + 1]
            // Arms of a man who spreads them reach more than a torso's half to each side.
            assertTrue(across("left_wrist") < -0.5f && across("right_wrist") > 0.5f) { name }
        }
    }

    @Test
    fun `one pose from two sides is more alike than two poses from one side`() {
        val results = listOf(behind, inFront, "on_one_leg.png").map { look(Fixtures.photo(it)) }
        fun similarity(a: Int, b: Int) =
            PoseSimilarity.measure(results[a].pose, results[a].seen, results[b].pose, results[b].seen)
        println("similarity: same pose ${similarity(0, 1)}, other pose ${similarity(0, 2)} and ${similarity(1, 2)}")
        assertTrue(similarity(0, 1) > similarity(0, 2) + 10)
        assertTrue(similarity(0, 1) > similarity(1, 2) + 10)
    }

    @Test
    fun `the planes of a camera give the pose of the picture, and so does a camera that lies on its side`() {
        val photo = Fixtures.photo(inFront)
        val expected = look(photo)
        val lying = IntArray(photo.width * photo.height)
        // Turned anticlockwise, as a sensor stores it whose picture has to be turned by 90 degrees.
        for (y in 0 until photo.height) {
            for (x in 0 until photo.width) {
                lying[(photo.width - 1 - x) * photo.height + y] = photo.pixels[y * photo.width + x]
            }
        }
        val turned = RgbFrame().also { it.set(lying, photo.height, photo.width, 90, 1) }
        for (frame in listOf(yuvFrame(photo), turned)) {
            val result = look(frame)
            val similarity = PoseSimilarity.measure(expected.pose, expected.seen, result.pose, result.seen)
            assertTrue(similarity > 90) { "${frame::class.simpleName}: $similarity" }
        }
    }

    @Test
    fun `a person to the waist is half a body, without a pose`() {
        val result = look(Fixtures.photo("astronaut.png"))
        describe("astronaut.png", result)
        assertEquals(PersonState.HALF_BODY, result.state)
        assertFalse(result.hasPose)
        assertTrue(result.visible[manifest.inputJoints.indexOf("left_shoulder")])
        assertFalse(result.visible[manifest.inputJoints.indexOf("left_ankle")])
    }

    @Test
    fun `a grey picture shows nobody`() {
        val result = look(TestPeople.greyFrame())
        assertEquals(PersonState.NOBODY, result.state)
        assertFalse(result.hasPose)
    }

    @Test
    fun `a person who moves out of the picture is tracked, leaving, and then nobody`() {
        val photo = Fixtures.photo(inFront)
        val frame = RgbFrame()
        val states = withPipeline { pipeline ->
            (0..photo.width + 60 step 30).map { shift ->
                val pixels = IntArray(photo.width * photo.height) { place ->
                    val x = place % photo.width + shift
                    if (x < photo.width) photo.pixels[place - place % photo.width + x] else 0x7F7F7F
                }
                frame.set(pixels, photo.width, photo.height, 0, 1 + shift * 3_000_000L)
                pipeline.process(frame).state
            }
        }
        println("walking out: $states")
        assertEquals(PersonState.TRACKED, states.first())
        assertTrue(PersonState.LEAVING in states)
        assertEquals(PersonState.NOBODY, states.last())
        assertTrue(states.indexOf(PersonState.LEAVING) < states.indexOf(PersonState.NOBODY))
    }
}
