package org.vvipe.core

import kotlin.math.sqrt

/**
 * Poses to find the nearest of, with their embeddings by one model; made by `python -m export.gallery`.
 *
 * @property names what each pose is called.
 */
class Gallery private constructor(
    val names: List<String>,
    private val embeddingDim: Int,
    private val embeddings: FloatArray,
    private val poses: FloatArray,
) {
    private val valuesPerPose = poses.size / names.size

    val size get() = names.size

    /** Copies the canonical pose of [row] (x, y, z of each joint, torso units) into [into]. */
    fun copyPose(row: Int, into: FloatArray) {
        poses.copyInto(into, 0, row * valuesPerPose, (row + 1) * valuesPerPose)
    }

    /** Finds the poses whose embeddings are nearest to [embedding] (L2), as many as [into] has room for. */
    fun findNearest(embedding: FloatArray, into: Neighbours) {
        require(embedding.size == embeddingDim) { "Expected $embeddingDim numbers. Received: ${embedding.size}" }
        into.clear()
        for (row in 0 until size) {
            var squares = 0f
            for (index in 0 until embeddingDim) {
                val difference = embeddings[row * embeddingDim + index] - embedding[index]
                squares += difference * difference
            }
            into.offer(row, sqrt(squares))
        }
    }

    companion object {
        /** Name of the file beside the models. */
        const val FILE = "gallery.json"
        private const val FORMAT = "vvipe-gallery"
        private const val VERSION = 1

        /**
         * Takes the text of a gallery apart.
         *
         * @param manifest model.json of the model in use.
         * @param modelSha256 hash of the model in use; embeddings of another model cannot be compared with its own.
         * @throws ModelRefusedException if it is none of ours, was made by another model, or does not fit it.
         */
        fun parse(text: String, manifest: LiteManifest, modelSha256: String): Gallery = readMetadata(FILE) {
            val entries = JsonEntries(text, FORMAT, VERSION)
            val maker = entries.sha256("model_sha256")
            require(maker == modelSha256) { "Expected a gallery of the model $modelSha256. Received: of $maker" }
            val joints = entries.names("joints")
            require(joints == manifest.poseJoints) { "Expected joints ${manifest.poseJoints}. Received: $joints" }
            val poses = entries.entry<List<*>>("poses").map { it as? Map<*, *> ?: emptyMap<String, Any?>() }
            require(poses.isNotEmpty()) { "Expected at least one pose. Received: none" }
            Gallery(
                names = poses.map { requireNotNull(it["name"] as? String) { "Expected names. Received: $it" } },
                embeddingDim = manifest.embeddingDim,
                embeddings = JsonEntries.numbersOf(
                    poses.map { it["embedding"] }, poses.size * manifest.embeddingDim, "embedding",
                ),
                poses = JsonEntries.numbersOf(poses.map { it["pose"] }, poses.size * joints.size * 3, "pose"),
            )
        }
    }
}
