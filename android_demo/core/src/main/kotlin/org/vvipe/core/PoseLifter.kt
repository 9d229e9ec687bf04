package org.vvipe.core

/** Lifts keypoints to an embedding and a canonical pose. Implementations hide the interpreter; one thread uses one. */
interface PoseLifter : AutoCloseable {
    /** What stands in the model.json of the model. */
    val manifest: LiteManifest

    /**
     * Runs the signature `lift`.
     *
     * @param keypoints x and y in upright pixels and the score of each of [LiteManifest.inputJoints].
     * @param into receives what the model makes of it.
     */
    fun lift(keypoints: FloatArray, into: LiftedPose)
}

/**
 * What `lift` gives; reused from frame to frame.
 *
 * @param embeddingDim size of the embedding.
 * @param numJoints joints of the pose.
 */
class LiftedPose(embeddingDim: Int, numJoints: Int) {
    constructor(manifest: LiteManifest) : this(manifest.embeddingDim, manifest.poseJoints.size)

    /** The nearer two are (L2), the more alike are the poses. */
    val embedding = FloatArray(embeddingDim)

    /** Canonical pose, x, y and z of each joint, torso units: left hip towards -y, right hip towards +y, spine +z. */
    val pose = FloatArray(numJoints * 3)

    /** Whether enough of a body was seen; otherwise the rest means nothing. */
    var valid = false
}
