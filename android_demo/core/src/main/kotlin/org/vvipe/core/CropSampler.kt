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
        for (row in 0 until size) {
            for (column in 0 until size) {
                val at = (row * size + column) * 3
                val toX = if (lies) row else column
                val toY = if (lies) column else row
                when {
                    !across.isInside(column) || !down.isInside(row) -> put(at, 0f, 0f, 0f)
                    frame is RgbFrame -> sampleRgb(frame, x, toX, y, toY, at)
                    frame is YuvFrame -> sampleYuv(frame, x, toX, y, toY, at)
                }
            }
        }
    }

    private fun sampleRgb(frame: RgbFrame, x: AxisSamples, toX: Int, y: AxisSamples, toY: Int, at: Int) {
        val top = y.low[toY] * frame.width
        val bottom = y.high[toY] * frame.width
        val a = frame.pixels[top + x.low[toX]]
        val b = frame.pixels[top + x.high[toX]]
        val c = frame.pixels[bottom + x.low[toX]]
        val d = frame.pixels[bottom + x.high[toX]]
        val right = x.share[toX]
        val below = y.share[toY]
        put(
            at,
            mix(a shr 16 and 0xFF, b shr 16 and 0xFF, c shr 16 and 0xFF, d shr 16 and 0xFF, right, below),
            mix(a shr 8 and 0xFF, b shr 8 and 0xFF, c shr 8 and 0xFF, d shr 8 and 0xFF, right, below),
            mix(a and 0xFF, b and 0xFF, c and 0xFF, d and 0xFF, right, below),
        )
    }

    private fun sampleYuv(frame: YuvFrame, x: AxisSamples, toX: Int, y: AxisSamples, toY: Int, at: Int) {
        val light = mix(
            value(frame.y, x.low[toX], y.low[toY]), value(frame.y, x.high[toX], y.low[toY]),
            value(frame.y, x.low[toX], y.high[toY]), value(frame.y, x.high[toX], y.high[toY]),
            x.share[toX], y.share[toY],
        )
        // Colour has half the resolution and is softer still to the eye and the net: the nearest sample will do.
        val blue = value(frame.u, x.nearest(toX) / 2, y.nearest(toY) / 2) - 128
        val red = value(frame.v, x.nearest(toX) / 2, y.nearest(toY) / 2) - 128
        put(at, light + 1.402f * red, light - 0.344136f * blue - 0.714136f * red, light + 1.772f * blue)
    }

    private fun put(at: Int, red: Float, green: Float, blue: Float) {
        put(at, red)
        put(at + 1, green)
        put(at + 2, blue)
    }

    private fun put(at: Int, value: Float) {
        val level = (value + 0.5f).toInt().coerceIn(0, 255)
        when (type) {
            PixelType.UINT8 -> picture.put(at, level.toByte())
            PixelType.INT32 -> picture.putInt(at * 4, level)
            PixelType.FLOAT32 -> picture.putFloat(at * 4, value.coerceIn(0f, 255f))
        }
    }

    private companion object {
        fun value(plane: YuvPlane, column: Int, row: Int) =
            plane.bytes.get(row * plane.rowStride + column * plane.pixelStride).toInt() and 0xFF

        fun mix(a: Int, b: Int, c: Int, d: Int, right: Float, below: Float): Float {
            val top = a + (b - a) * right
            val bottom = c + (d - c) * right
            return top + (bottom - top) * below
        }
    }
}
