package org.vvipe.core

import java.nio.ByteBuffer
import java.nio.ByteOrder

/**
 * Turns a square of a frame into the picture that a detector takes: upright, bilinear, black past the edges.
 *
 * @param size side in pixels of the picture.
 * @param type type of its values.
 */
class CropSampler(private val size: Int, private val type: PixelType) {
    private val across = AxisSamples(size)
    private val down = AxisSamples(size)
    private val values = FloatArray(size * size * 3)
    private val bytes = ByteArray(if (type == PixelType.UINT8) values.size else 0)
    private val levels = IntArray(if (type == PixelType.INT32) values.size else 0)
    private var upper = ByteArray(0)
    private var lower = ByteArray(0)
    private var rowU = ByteArray(0)
    private var rowV = ByteArray(0)

    constructor(manifest: DetectorManifest) : this(manifest.inputSize, manifest.inputType)

    /** The picture: direct, native byte order, red, green and blue in 0..255, row by row. */
    val picture: ByteBuffer = ByteBuffer.allocateDirect(size * size * 3 * type.bytes).order(ByteOrder.nativeOrder())

    /** Fills [picture] with what [region] (in upright pixels) shows of [frame]. */
    fun sample(frame: Frame, region: CropRegion) {
        val lies = frame.rotation % 180 != 0
        across.set(region.left, region.side, frame.uprightWidth, frame.rotation == 180 || frame.rotation == 90)
        down.set(region.top, region.side, frame.uprightHeight, frame.rotation == 180 || frame.rotation == 270)
        // Turning and bilinear sampling commute, so each sample is taken from the picture as it is stored.
        val x = if (lies) down else across
        val y = if (lies) across else down
        // In the order of the stored rows, which a camera's buffer gives fast only as a whole.
        for (toY in 0 until size) {
            val first = if (lies) toY * 3 else toY * size * 3
            val step = if (lies) size * 3 else 3
            when {
                !y.isInside(toY) -> for (toX in 0 until size) put(first + toX * step, 0f, 0f, 0f)
                frame is RgbFrame -> sampleRgb(frame, x, y, toY, first, step)
                frame is YuvFrame -> sampleYuv(frame, x, y, toY, first, step)
            }
        }
        write()
    }

    // The buffer takes a whole picture far faster than its values one by one.
    private fun write() {
        picture.clear()
        when (type) {
            PixelType.UINT8 -> {
                for (at in values.indices) bytes[at] = level(values[at]).toByte()
                picture.put(bytes)
            }
            PixelType.INT32 -> {
                for (at in values.indices) levels[at] = level(values[at])
                picture.asIntBuffer().put(levels)
            }
            PixelType.FLOAT32 -> {
                for (at in values.indices) values[at] = values[at].coerceIn(0f, 255f)
                picture.asFloatBuffer().put(values)
            }
        }
        picture.clear()
    }

    private fun readRows(frame: YuvFrame, y: AxisSamples, toY: Int) {
        upper = frame.y.readRow(y.low[toY], frame.width, upper)
        lower = frame.y.readRow(y.high[toY], frame.width, lower)
        val chroma = y.nearest(toY) / 2
        rowU = frame.u.readRow(chroma, (frame.width + 1) / 2, rowU)
        rowV = frame.v.readRow(chroma, (frame.width + 1) / 2, rowV)
    }

    private fun sampleRgb(frame: RgbFrame, x: AxisSamples, y: AxisSamples, toY: Int, first: Int, step: Int) {
        val pixels = frame.pixels
        val top = y.low[toY] * frame.width
        val bottom = y.high[toY] * frame.width
        val below = y.share[toY]
        for (toX in 0 until size) {
            val at = first + toX * step
            if (!x.isInside(toX)) {
                put(at, 0f, 0f, 0f)
                continue
            }
            val a = pixels[top + x.low[toX]]
            val b = pixels[top + x.high[toX]]
            val c = pixels[bottom + x.low[toX]]
            val d = pixels[bottom + x.high[toX]]
            val right = x.share[toX]
            put(
                at,
                mix(a shr 16 and 0xFF, b shr 16 and 0xFF, c shr 16 and 0xFF, d shr 16 and 0xFF, right, below),
                mix(a shr 8 and 0xFF, b shr 8 and 0xFF, c shr 8 and 0xFF, d shr 8 and 0xFF, right, below),
                mix(a and 0xFF, b and 0xFF, c and 0xFF, d and 0xFF, right, below),
            )
        }
    }

    private fun sampleYuv(frame: YuvFrame, x: AxisSamples, y: AxisSamples, toY: Int, first: Int, step: Int) {
        readRows(frame, y, toY)
        val upper = upper
        val lower = lower
        val rowU = rowU
        val rowV = rowV
        val stride = frame.y.pixelStride
        val strideU = frame.u.pixelStride
        val strideV = frame.v.pixelStride
        val below = y.share[toY]
        for (toX in 0 until size) {
            val at = first + toX * step
            if (!x.isInside(toX)) {
                put(at, 0f, 0f, 0f)
                continue
            }
            val left = x.low[toX] * stride
            val right = x.high[toX] * stride
            val light = mix(
                upper[left].toInt() and 0xFF, upper[right].toInt() and 0xFF,
                lower[left].toInt() and 0xFF, lower[right].toInt() and 0xFF,
                x.share[toX], below,
            )
            // Colour has half the resolution and is softer still to the eye and the net: the nearest sample will do.
            val blue = (rowU[x.nearest(toX) / 2 * strideU].toInt() and 0xFF) - 128
            val red = (rowV[x.nearest(toX) / 2 * strideV].toInt() and 0xFF) - 128
            put(at, light + 1.402f * red, light - 0.344136f * blue - 0.714136f * red, light + 1.772f * blue)
        }
    }

    private fun put(at: Int, red: Float, green: Float, blue: Float) {
        values[at] = red
        values[at + 1] = green
        values[at + 2] = blue
    }

    private companion object {
        fun level(value: Float) = (value + 0.5f).toInt().coerceIn(0, 255)

        fun mix(a: Int, b: Int, c: Int, d: Int, right: Float, below: Float): Float {
            val top = a + (b - a) * right
            val bottom = c + (d - c) * right
            return top + (bottom - top) * below
        }
    }
}
