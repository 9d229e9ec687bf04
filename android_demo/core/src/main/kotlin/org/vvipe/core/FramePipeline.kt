package org.vvipe.core

/**
 * From a frame to a pose: crop, detector, score gate, lift, smoothing, nearest poses.
 *
 * One thread uses it. [process] allocates nothing. The models belong to the caller, who closes them.
 *
 * @param detector finds the keypoints.
 * @param lifter makes a pose of them; their orders are matched by name.
 * @param gallery poses to find the nearest of; null for none.
 * @param maxNeighbours most of them that are kept.
 * @throws ModelRefusedException if the detector lacks a joint that the lifter needs.
 */
class FramePipeline(
    private val detector: PoseDetector,
    private val lifter: PoseLifter,
    private val gallery: Gallery? = null,
    maxNeighbours: Int = 3,
) {
    private val manifest = lifter.manifest
    private val fromDetector = JointMapping(detector.manifest.joints, manifest.inputJoints)
    private val toPose = JointMapping(manifest.inputJoints, manifest.poseJoints)
    private val detected = FloatArray(detector.manifest.joints.size * 3)
    private val sampler = CropSampler(detector.manifest)
    private val tracker = CropTracker(manifest.inputJoints)
    private val watch = PersonWatch(manifest.inputJoints)
    private val smoother = PoseSmoother(manifest.poseJoints.size)
    private val lifted = LiftedPose(manifest)
    private val result = FrameResult(manifest, maxNeighbours)

    /** Forgets the person, as after a pause, a turn of the device or a change of the camera. */
    fun reset() {
        tracker.reset()
        watch.reset()
        smoother.reset()
    }

    /** Works on one frame; the result is valid until the next call. */
    fun process(frame: Frame): FrameResult {
        val start = System.nanoTime()
        result.pictureWidth = frame.uprightWidth
        result.pictureHeight = frame.uprightHeight
        result.timeNanos = frame.timeNanos
        detect(frame)
        val detectedAt = System.nanoTime()
        lift()
        val end = System.nanoTime()
        result.detectNanos = detectedAt - start
        result.liftNanos = end - detectedAt
        result.totalNanos = end - start
        return result
    }

    private fun detect(frame: Frame) {
        tracker.prepare(frame.uprightWidth, frame.uprightHeight)
        val region = tracker.region
        sampler.sample(frame, region)
        detector.detect(sampler.picture, detected)
        for (joint in 0 until fromDetector.size) {
            val from = fromDetector[joint] * 3
            val score = detected[from + 2]
            result.keypoints[joint * 3] = region.left + detected[from + 1] * region.side
            result.keypoints[joint * 3 + 1] = region.top + detected[from] * region.side
            result.keypoints[joint * 3 + 2] = score
            result.visible[joint] = score >= manifest.scoreThreshold
        }
        tracker.update(result.keypoints)
    }

    private fun lift() {
        lifter.lift(result.keypoints, lifted)
        result.state = watch.update(
            result.keypoints, result.visible, lifted.valid, result.pictureWidth, result.pictureHeight, result.timeNanos,
        )
        result.hasPose = lifted.valid &&
            (result.state == PersonState.TRACKED || result.state == PersonState.LEAVING)
        for (joint in 0 until toPose.size) result.seen[joint] = result.visible[toPose[joint]]
        if (result.hasPose) {
            lifted.pose.copyInto(result.pose)
            lifted.embedding.copyInto(result.embedding)
            smoother.smooth(result.pose, result.timeNanos)
            gallery?.findNearest(result.embedding, result.neighbours)
        } else {
            smoother.reset()
            result.neighbours.clear()
        }
    }
}
