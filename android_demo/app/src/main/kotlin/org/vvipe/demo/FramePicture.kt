package org.vvipe.demo

import android.graphics.Bitmap
import org.vvipe.core.Frame
import org.vvipe.core.RgbFrame
import org.vvipe.core.YuvFrame

/**
 * The picture of a frame, to be drawn under its keypoints; as it is stored, not turned. Written by one thread while
 * another draws the one before.
 */
class FramePicture {
    private val bitmaps = arrayOfNulls<Bitmap>(2)
    private var rotations = IntArray(2)
    private var front = 0
    private var pixels = IntArray(0)
    private var rowY = ByteArray(0)
    private var rowU = ByteArray(0)
    private var rowV = ByteArray(0)

    /** The picture to be drawn; null before the first. */
    val bitmap get() = bitmaps[front]

    /** Clockwise turn in degrees that brings it upright. */
    val rotation get() = rotations[front]

    /** Takes the picture of [frame], which [swap] then brings to the front. */
    fun write(frame: Frame) {
        val back = 1 - front
        val bitmap = bitmaps[back]?.takeIf { it.width == frame.width && it.height == frame.height }
            ?: Bitmap.createBitmap(frame.width, frame.height, Bitmap.Config.ARGB_8888).also { bitmaps[back] = it }
        val source = when (frame) {
            is RgbFrame -> frame.pixels
            is YuvFrame -> convert(frame)
        }
        bitmap.setPixels(source, 0, frame.width, 0, 0, frame.width, frame.height)
        rotations[back] = frame.rotation
    }

    fun swap() {
        front = 1 - front
    }

    private fun convert(frame: YuvFrame): IntArray {
        if (pixels.size != frame.width * frame.height) pixels = IntArray(frame.width * frame.height)
        for (row in 0 until frame.height) {
            rowY = frame.y.readRow(row, frame.width, rowY)
            if (row % 2 == 0) {
                rowU = frame.u.readRow(row / 2, (frame.width + 1) / 2, rowU)
                rowV = frame.v.readRow(row / 2, (frame.width + 1) / 2, rowV)
            }
            val at = row * frame.width
            for (column in 0 until frame.width) {
                // BT.601, full range, in 1/1024.
                val light = (rowY[column * frame.y.pixelStride].toInt() and 0xFF) * 1024 + 512
                val blue = (rowU[column / 2 * frame.u.pixelStride].toInt() and 0xFF) - 128
                val red = (rowV[column / 2 * frame.v.pixelStride].toInt() and 0xFF) - 128
                pixels[at + column] = OPAQUE or
                    (level(light + 1436 * red) shl 16) or
                    (level(light - 352 * blue - 731 * red) shl 8) or
                    level(light + 1815 * blue)
            }
        }
        return pixels
    }

    private fun level(value: Int) = (value shr 10).coerceIn(0, 255)

    private companion object {
        const val OPAQUE = 0xFF shl 24
    }
}
