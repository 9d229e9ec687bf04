package org.vvipe.core

import java.nio.ByteBuffer
import java.nio.ByteOrder

/** Keypoints of a made-up person in the order of COCO-17, for tests of single parts. */
internal object TestPeople {
    val joints = Fixtures.manifest.inputJoints

    /** A standing person, 100 pixels from hip to shoulder, the middle of the hips at ([x], [y]), all scores 0.9. */
    fun standing(x: Float = 320f, y: Float = 240f, scale: Float = 1f): FloatArray {
        val keypoints = FloatArray(joints.size * 3)
        for ((index, name) in joints.withIndex()) {
            val side = if (name.startsWith("left_")) 1f else if (name.startsWith("right_")) -1f else 0f
            val (across, down) = when (name.substringAfter('_')) {
                "shoulder" -> 36f to -100f
                "elbow" -> 50f to -50f
                "wrist" -> 55f to -5f
                "hip" -> 22f to 0f
                "knee" -> 24f to 80f
                "ankle" -> 25f to 160f
                else -> 6f to -140f
            }
            keypoints[index * 3] = x + side * across * scale
            keypoints[index * 3 + 1] = y + down * scale
            keypoints[index * 3 + 2] = 0.9f
        }
        return keypoints
    }

    /** Gives the joints whose names end in one of [endings] the score [score]. */
    fun FloatArray.score(score: Float, vararg endings: String) = also {
        for ((index, name) in joints.withIndex()) {
            if (endings.any(name::endsWith)) it[index * 3 + 2] = score
        }
    }

    fun visible(keypoints: FloatArray) = BooleanArray(joints.size) { keypoints[it * 3 + 2] >= 0.3f }

    /** A frame of one colour. */
    fun greyFrame(width: Int = 640, height: Int = 480) =
        RgbFrame().also { it.set(IntArray(width * height) { 0x7F7F7F }, width, height, 0, 1) }
}

/** A detector that says what it is told, in pixels of the upright picture, whatever it is shown. */
internal class ScriptedDetector(
    private val width: Int,
    private val height: Int,
    joints: List<String> = TestPeople.joints,
    type: PixelType = PixelType.UINT8,
) : PoseDetector {
    override val manifest = DetectorManifest.parse(detectorText(joints, type))
    private val tracker = CropTracker(TestPeople.joints)

    /** What it says next: x, y in pixels and score in the order of COCO-17. */
    var keypoints = FloatArray(0)
    private val places = IntArray(joints.size) { TestPeople.joints.indexOf(joints[it]) }

    override fun detect(picture: ByteBuffer, keypoints: FloatArray) {
        tracker.prepare(width, height)
        val region = tracker.region
        for (joint in places.indices) {
            val from = places[joint] * 3
            keypoints[joint * 3] = (this.keypoints[from + 1] - region.top) / region.side
            keypoints[joint * 3 + 1] = (this.keypoints[from] - region.left) / region.side
            keypoints[joint * 3 + 2] = this.keypoints[from + 2]
        }
        // It follows the person as the pipeline does, so that both mean the same square.
        tracker.update(this.keypoints)
    }

    override fun close() = Unit

    companion object {
        fun detectorText(joints: List<String>, type: PixelType = PixelType.INT32) = writeJson(
            mapOf(
                "format" to "vvipe-detector",
                "version" to 1,
                "file" to "detector.tflite",
                "sha256" to "0".repeat(64),
                "input" to mapOf("size" to 192, "type" to type.name.lowercase()),
                "output" to mapOf("channels" to listOf("y", "x", "score"), "joints" to joints),
            ),
        )
    }
}

/** The pixels of an RGB frame as cameras store them: padded rows, colours interleaved at half the resolution. */
internal fun yuvFrame(rgb: RgbFrame, timeNanos: Long = 1): YuvFrame {
    val (width, height) = rgb.width to rgb.height
    val stride = width + 24
    val light = ByteBuffer.allocateDirect(stride * height).order(ByteOrder.nativeOrder())
    val colour = ByteBuffer.allocateDirect(stride * (height + 1) / 2 + 2)
    for (row in 0 until height) {
        for (column in 0 until width) {
            val pixel = rgb.pixels[row * width + column]
            val (red, green, blue) = listOf(pixel shr 16 and 0xFF, pixel shr 8 and 0xFF, pixel and 0xFF)
            light.put(row * stride + column, level(0.299 * red + 0.587 * green + 0.114 * blue))
            if (row % 2 == 0 && column % 2 == 0) {
                val at = row / 2 * stride + column
                colour.put(at, level(128 + 0.5 * red - 0.418688 * green - 0.081312 * blue))
                colour.put(at + 1, level(128 - 0.168736 * red - 0.331264 * green + 0.5 * blue))
            }
        }
    }
    val blue = colour.duplicate().also { it.position(1) }.slice()
    return YuvFrame().also {
        it.y.set(light, stride, 1)
        it.u.set(blue, stride, 2)
        it.v.set(colour, stride, 2)
        it.set(width, height, 0, timeNanos)
    }
}

private fun level(value: Double) = Math.round(value).coerceIn(0, 255).toByte()
