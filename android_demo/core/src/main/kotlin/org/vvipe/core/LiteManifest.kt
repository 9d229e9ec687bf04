package org.vvipe.core

/**
 * The part of a model.json that code depends on; see `vvipe_tf/apps/lite_manifest.py`.
 *
 * @property inputJoints joint names of the keypoints that `lift` takes.
 * @property poseJoints joint names of poses.
 * @property bones joint names at the two ends of each bone of a pose.
 * @property embeddingDim size of the embedding.
 * @property scoreThreshold least score of a visible keypoint; applied inside the model too.
 * @property mmPerUnit millimetres of one torso unit, on average in the training data.
 * @property hashes SHA-256 of each model file beside the manifest, by file name.
 */
class LiteManifest private constructor(
    val inputJoints: List<String>,
    val poseJoints: List<String>,
    val bones: List<Pair<String, String>>,
    val embeddingDim: Int,
    val scoreThreshold: Float,
    val mmPerUnit: Float,
    val hashes: Map<String, String>,
) {
    /**
     * The SHA-256 that the model file [name] must have.
     *
     * @throws ModelRefusedException if the manifest does not name the file.
     */
    fun hashOf(name: String): String = hashes[name] ?: throw ModelRefusedException(
        ModelRefusal.METADATA_DIFFERS,
        "$FILE: Expected a model that it names: ${hashes.keys.sorted()}. Received: $name",
    )

    companion object {
        /** Name of the file beside the models. */
        const val FILE = "model.json"
        private const val FORMAT = "vvipe-lite"
        private const val VERSION = 1

        /**
         * Takes the text of a model.json apart.
         *
         * @throws ModelRefusedException if it is none of ours, or something in it is missing or does not fit.
         */
        fun parse(text: String): LiteManifest = readMetadata(FILE) {
            val entries = JsonEntries(text, FORMAT, VERSION)
            val poseJoints = entries.names("pose", "joints")
            val files = entries.entry<Map<*, *>>("files").keys.map { it as String }
            val dim = entries.wholeNumber("embedding", "dim")
            require(dim > 0) { "Expected a positive embedding.dim. Received: $dim" }
            require(files.none { '/' in it }) { "Expected file names without a folder. Received: $files" }
            val channels = entries.names("input", "channels")
            require(channels == CHANNELS) { "Expected input.channels $CHANNELS. Received: $channels" }
            require(entries.entry<Map<*, *>>("signatures").containsKey("lift")) {
                "Expected a signature lift. Received: ${entries.entry<Map<*, *>>("signatures").keys}"
            }
            LiteManifest(
                inputJoints = entries.names("input", "joints"),
                poseJoints = poseJoints,
                bones = entries.entry<List<*>>("pose", "bones").map { boneOf(it, poseJoints) },
                embeddingDim = dim,
                scoreThreshold = entries.entry<Double>("input", "score_threshold").toFloat(),
                mmPerUnit = entries.entry<Double>("pose", "mm_per_unit").toFloat(),
                hashes = files.associateWith { entries.sha256("files", it, "sha256") },
            )
        }

        private val CHANNELS = listOf("x", "y", "score")

        private fun boneOf(ends: Any?, joints: List<String>): Pair<String, String> {
            require(ends is List<*> && ends.size == 2 && ends.all { it in joints }) {
                "Expected pose.bones between two pose.joints. Received: $ends"
            }
            return ends[0] as String to ends[1] as String
        }
    }
}
