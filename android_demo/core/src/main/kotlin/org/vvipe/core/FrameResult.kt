package org.vvipe.core

/**
 * What the pipeline found in one frame; reused from frame to frame. Copy it with [copyFrom] to keep it.
 *
 * @param numKeypoints joints of the lifter's input.
 * @param numJoints joints of a pose.
 * @param embeddingDim size of the embedding.
 * @param maxNeighbours most neighbours that are looked for.
 */
class FrameResult(numKeypoints: Int, numJoints: Int, embeddingDim: Int, maxNeighbours: Int) {
    constructor(manifest: LiteManifest, maxNeighbours: Int) :
        this(manifest.inputJoints.size, manifest.poseJoints.size, manifest.embeddingDim, maxNeighbours)

    var state = PersonState.NOBODY
        internal set

    /** Whether [pose], [embedding] and [neighbours] mean something. */
    var hasPose = false
        internal set

    /** Size in pixels of the upright picture that [keypoints] lie in. */
    var pictureWidth = 0
        internal set
    var pictureHeight = 0
        internal set

    /** x and y in upright pixels and the score of each of [LiteManifest.inputJoints]. */
    val keypoints = FloatArray(numKeypoints * 3)

    /** Which keypoints are certain enough to count. */
    val visible = BooleanArray(numKeypoints)

    /** Smoothed canonical pose, x, y and z of each of [LiteManifest.poseJoints], torso units. */
    val pose = FloatArray(numJoints * 3)

    /** Which joints of [pose] were seen; the others are the model's guess. */
    val seen = BooleanArray(numJoints)

    /** Embedding of this frame alone, not smoothed. */
    val embedding = FloatArray(embeddingDim)

    /** The nearest poses of the gallery. */
    val neighbours = Neighbours(maxNeighbours)

    /** When the frame was taken, see [Frame.timeNanos]. */
    var timeNanos = 0L
        internal set

    /** What the detector (with its crop), the lifter and the whole frame took, in nanoseconds. */
    var detectNanos = 0L
        internal set
    var liftNanos = 0L
        internal set
    var totalNanos = 0L
        internal set

    /** Takes over everything of [other], a result of the same sizes. */
    fun copyFrom(other: FrameResult) {
        state = other.state
        hasPose = other.hasPose
        pictureWidth = other.pictureWidth
        pictureHeight = other.pictureHeight
        other.keypoints.copyInto(keypoints)
        other.visible.copyInto(visible)
        other.pose.copyInto(pose)
        other.seen.copyInto(seen)
        other.embedding.copyInto(embedding)
        neighbours.copyFrom(other.neighbours)
        timeNanos = other.timeNanos
        detectNanos = other.detectNanos
        liftNanos = other.liftNanos
        totalNanos = other.totalNanos
    }
}
