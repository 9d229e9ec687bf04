package org.vvipe.core

import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.vvipe.core.TestPeople.score

/** All parts together, with the real lifter and a detector that says what it is told. */
class FramePipelineTest {
    private val manifest = Fixtures.manifest
    private val frame = TestPeople.greyFrame()

    private fun withPipeline(detector: ScriptedDetector, use: (FramePipeline) -> Unit) {
        val gallery = Gallery.parse(
            Fixtures.file("dynamic_range/gallery.json").readText(), manifest, manifest.hashOf("vvipe_dynamic_range.tflite"),
        )
        LiteRtLifter(Fixtures.dynamicRange).use { use(FramePipeline(detector, it, gallery)) }
    }

    @Test
    fun `the pose is the one that the lifter gives, whatever the detector's order and square`() {
        val person = TestPeople.standing(300f, 220f)
        val expected = LiftedPose(manifest)
        LiteRtLifter(Fixtures.dynamicRange).use { it.lift(person, expected) }
        for (joints in listOf(TestPeople.joints, TestPeople.joints.reversed())) {
            val detector = ScriptedDetector(640, 480, joints).also { it.keypoints = person }
            withPipeline(detector) { pipeline ->
                repeat(3) {
                    val result = pipeline.process(frame)
                    assertEquals(PersonState.TRACKED, result.state)
                    assertTrue(result.hasPose)
                    for (index in person.indices) assertEquals(person[index], result.keypoints[index], 1e-3f)
                    for (index in result.pose.indices) assertEquals(expected.pose[index], result.pose[index], 1e-3f)
                    assertEquals(3, result.neighbours.size)
                }
            }
        }
    }

    @Test
    fun `joints that are not seen are marked as guessed`() {
        val detector = ScriptedDetector(640, 480)
        detector.keypoints = TestPeople.standing(300f, 220f).score(0.1f, "ankle", "eye")
        withPipeline(detector) { pipeline ->
            val result = pipeline.process(frame)
            assertTrue(result.hasPose)
            val guessed = manifest.poseJoints.filterIndexed { joint, _ -> !result.seen[joint] }
            assertEquals(listOf("left_ankle", "right_ankle"), guessed)
        }
    }

    @Test
    fun `without a person there is no pose and no neighbour, also right after one`() {
        val detector = ScriptedDetector(640, 480)
        withPipeline(detector) { pipeline ->
            detector.keypoints = TestPeople.standing(300f, 220f)
            pipeline.process(frame)
            detector.keypoints = TestPeople.standing(300f, 220f).score(0.05f, "")
            val result = pipeline.process(frame)
            assertEquals(PersonState.NOBODY, result.state)
            assertFalse(result.hasPose)
            assertEquals(0, result.neighbours.size)
        }
    }

    @Test
    fun `results cross to the thread that draws as copies`() {
        val detector = ScriptedDetector(640, 480).also { it.keypoints = TestPeople.standing(300f, 220f) }
        val latest = LatestResult(manifest, 3)
        val drawn = FrameResult(manifest, 3)
        assertEquals(0, latest.read(drawn))
        withPipeline(detector) { pipeline ->
            latest.publish(pipeline.process(frame))
            assertEquals(1, latest.read(drawn))
            val kept = drawn.pose.copyOf()
            detector.keypoints = TestPeople.standing(300f, 220f).score(0.05f, "")
            pipeline.process(frame)
            assertEquals(1, latest.read(drawn))
            assertTrue(drawn.hasPose && kept.contentEquals(drawn.pose))
            assertEquals(listOf(640, 480), listOf(drawn.pictureWidth, drawn.pictureHeight))
            assertTrue(drawn.totalNanos >= drawn.liftNanos && drawn.liftNanos > 0)
        }
    }
}
