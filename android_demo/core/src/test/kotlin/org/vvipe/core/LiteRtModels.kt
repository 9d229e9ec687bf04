package org.vvipe.core

import java.io.File
import java.nio.ByteBuffer

/** The lifter on LiteRT, as the app has it on TFLite; the model file is verified before it is loaded. */
internal class LiteRtLifter(file: File) : PoseLifter {
    override val manifest = LiteManifest.parse(file.resolveSibling(LiteManifest.FILE).readText())
    private val signature = LiteRtSignature(verified(file, manifest.hashOf(file.name)), "lift")
    private val keypoints = signature.inputs.getValue("keypoints").asFloatBuffer()
    private val embedding = signature.outputs.getValue("embedding").asFloatBuffer()
    private val pose = signature.outputs.getValue("pose").asFloatBuffer()
    private val valid = signature.outputs.getValue("valid").asFloatBuffer()

    override fun lift(keypoints: FloatArray, into: LiftedPose) {
        for (index in keypoints.indices) this.keypoints.put(index, keypoints[index])
        signature.run()
        for (index in into.embedding.indices) into.embedding[index] = embedding.get(index)
        for (index in into.pose.indices) into.pose[index] = pose.get(index)
        into.valid = valid.get(0) > 0.5f
    }

    override fun close() = signature.close()
}

/** MoveNet on LiteRT. */
internal class LiteRtDetector(folder: File) : PoseDetector {
    override val manifest = DetectorManifest.parse(folder.resolve(DetectorManifest.FILE).readText())
    private val signature = LiteRtSignature(verified(folder.resolve(manifest.file), manifest.sha256), null)
    private val input = signature.inputs.values.single()
    private val output = signature.outputs.values.single().asFloatBuffer()

    override fun detect(picture: ByteBuffer, keypoints: FloatArray) {
        for (index in 0 until manifest.inputBytes) input.put(index, picture.get(index))
        signature.run()
        for (index in keypoints.indices) keypoints[index] = output.get(index)
    }

    override fun close() = signature.close()
}

private fun verified(file: File, sha256: String): ByteArray =
    file.readBytes().also { checkHash(ByteBuffer.wrap(it), sha256) }
