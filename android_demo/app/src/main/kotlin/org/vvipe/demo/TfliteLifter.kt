package org.vvipe.demo

import java.nio.ByteBuffer
import org.tensorflow.lite.Interpreter
import org.vvipe.core.LiftedPose
import org.vvipe.core.LiteManifest
import org.vvipe.core.PoseLifter

/** Our model in TensorFlow Lite, by its signature `lift`; on one CPU thread, where it is fastest. */
class TfliteLifter(override val manifest: LiteManifest, model: ByteBuffer) : PoseLifter {
    private val interpreter = Interpreter(model, Interpreter.Options().setNumThreads(1))
    private val keypoints = directFloats(manifest.inputJoints.size * 3)
    private val embedding = directFloats(manifest.embeddingDim)
    private val pose = directFloats(manifest.poseJoints.size * 3)
    private val valid = directFloats(1)
    private val inputs = mapOf<String, Any>("keypoints" to keypoints)
    private val outputs = mapOf<String, Any>("embedding" to embedding, "pose" to pose, "valid" to valid)

    override fun lift(keypoints: FloatArray, into: LiftedPose) {
        this.keypoints.rewind()
        this.keypoints.put(keypoints, 0, manifest.inputJoints.size * 3)
        this.keypoints.rewind()
        embedding.rewind()
        pose.rewind()
        valid.rewind()
        interpreter.runSignature(inputs, outputs, "lift")
        embedding.rewind()
        pose.rewind()
        embedding.get(into.embedding)
        pose.get(into.pose)
        into.valid = valid.get(0) > 0.5f
    }

    override fun close() = interpreter.close()
}
