package org.vvipe.core

/**
 * What stands beside a detector: the document that `python -m export.movenet` writes.
 *
 * @property file name of the model file.
 * @property sha256 hash that it must have.
 * @property joints joint names in the order of its output.
 * @property inputSize side in pixels of the square picture that it takes.
 * @property inputType type of the values of that picture.
 */
class DetectorManifest private constructor(
    val file: String,
    val sha256: String,
    val joints: List<String>,
    val inputSize: Int,
    val inputType: PixelType,
) {
    /** Bytes of the picture that it takes. */
    val inputBytes get() = inputSize * inputSize * 3 * inputType.bytes

    companion object {
        /** Name of the file beside the detector. */
        const val FILE = "detector.json"
        private const val FORMAT = "vvipe-detector"
        private const val VERSION = 1
        private const val MAX_SIZE = 1024

        /**
         * Takes the text of a detector.json apart.
         *
         * @throws ModelRefusedException if it is none of ours, or something in it is missing or does not fit.
         */
        fun parse(text: String): DetectorManifest = readMetadata(FILE) {
            val entries = JsonEntries(text, FORMAT, VERSION)
            val type = entries.entry<String>("input", "type")
            val size = entries.wholeNumber("input", "size")
            require(size in 1..MAX_SIZE) { "Expected input.size between 1 and $MAX_SIZE. Received: $size" }
            val channels = entries.names("output", "channels")
            require(channels == CHANNELS) { "Expected output.channels $CHANNELS. Received: $channels" }
            DetectorManifest(
                file = entries.entry("file"),
                sha256 = entries.sha256("sha256"),
                joints = entries.names("output", "joints"),
                inputSize = size,
                inputType = requireNotNull(PixelType.values().find { it.name.lowercase() == type }) {
                    "Expected input.type among uint8, int32 and float32. Received: $type"
                },
            )
        }

        private val CHANNELS = listOf("y", "x", "score")
    }
}
