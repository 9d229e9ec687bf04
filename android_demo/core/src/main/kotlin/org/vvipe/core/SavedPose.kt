package org.vvipe.core

/**
 * A pose that the user keeps, to compare with.
 *
 * @property name what the user calls it.
 * @property savedAtMillis when it was saved, milliseconds since 1970 (UTC).
 * @property modelSha256 hash of the model that lifted it.
 * @property joints names of its joints.
 * @property pose canonical pose, x, y and z of each joint, torso units.
 * @property seen which joints were seen rather than guessed.
 */
class SavedPose(
    val name: String,
    val savedAtMillis: Long,
    val modelSha256: String,
    val joints: List<String>,
    val pose: FloatArray,
    val seen: BooleanArray,
) {
    init {
        require(pose.size == joints.size * 3 && seen.size == joints.size) {
            "Expected ${joints.size} joints. Received: ${pose.size} coordinates, ${seen.size} marks"
        }
    }

    /** The document that [parse] reads. */
    fun toText(): String = writeJson(
        mapOf(
            "format" to FORMAT,
            "version" to VERSION,
            "name" to name,
            "saved_at_ms" to savedAtMillis,
            "model_sha256" to modelSha256,
            "unit" to "torso: pelvis to spine plus spine to neck",
            "joints" to joints,
            "pose" to joints.indices.map { listOf(pose[it * 3], pose[it * 3 + 1], pose[it * 3 + 2]) },
            "seen" to seen.toList(),
        ),
    ) + "\n"

    companion object {
        private const val FORMAT = "vvipe-saved-pose"
        private const val VERSION = 1

        /**
         * Takes the text of a saved pose apart.
         *
         * @throws IllegalArgumentException if it is none, or something in it is missing or does not fit.
         */
        fun parse(text: String): SavedPose {
            val entries = JsonEntries(text, FORMAT, VERSION)
            val joints = entries.names("joints")
            val seen = entries.entry<List<*>>("seen").filterIsInstance<Boolean>()
            return SavedPose(
                name = entries.entry("name"),
                savedAtMillis = entries.entry<Double>("saved_at_ms").toLong(),
                modelSha256 = entries.sha256("model_sha256"),
                joints = joints,
                pose = entries.numbers(joints.size * 3, "pose"),
                seen = seen.toBooleanArray(),
            )
        }
    }
}
