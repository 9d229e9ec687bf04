package org.vvipe.core

import java.nio.ByteBuffer

/**
 * One picture of a camera, as it is stored: never mirrored, perhaps lying on its side.
 *
 * Sources reuse one object; it is valid until the callback that received it returns. All coordinates of this package
 * are in *upright* pixels: those of the picture after [rotation], x to the right, y down, origin at the top left
 * corner of the top left pixel.
 */
sealed class Frame {
    /** Stored width in pixels. */
    var width = 0
        protected set

    /** Stored height in pixels. */
    var height = 0
        protected set

    /** Clockwise turn in degrees that brings the picture upright: 0, 90, 180 or 270. */
    var rotation = 0
        protected set

    /** When the picture was taken, in nanoseconds of a clock that never goes back. */
    var timeNanos = 0L
        protected set

    /** Width in pixels of the upright picture. */
    val uprightWidth get() = if (rotation % 180 == 0) width else height

    /** Height in pixels of the upright picture. */
    val uprightHeight get() = if (rotation % 180 == 0) height else width

    protected fun describe(width: Int, height: Int, rotation: Int, timeNanos: Long) {
        require(width > 0 && height > 0) { "Expected a picture of at least one pixel. Received: $width x $height" }
        require(rotation in 0..270 && rotation % 90 == 0) {
            "Expected a rotation of 0, 90, 180 or 270 degrees. Received: $rotation"
        }
        this.width = width
        this.height = height
        this.rotation = rotation
        this.timeNanos = timeNanos
    }
}

/** A picture of packed pixels, `0xAARRGGBB` each, row by row; alpha is not read. */
class RgbFrame : Frame() {
    var pixels = IntArray(0)
        private set

    /** Points at [pixels] (`width * height`) without copying them. */
    fun set(pixels: IntArray, width: Int, height: Int, rotation: Int, timeNanos: Long) {
        describe(width, height, rotation, timeNanos)
        require(pixels.size >= width * height) { "Expected ${width * height} pixels. Received: ${pixels.size}" }
        this.pixels = pixels
    }
}

/** One plane of a [YuvFrame]: a sample is at `row * rowStride + column * pixelStride`. */
class YuvPlane {
    var bytes: ByteBuffer = ByteBuffer.allocate(0)
        private set
    var rowStride = 0
        private set
    var pixelStride = 0
        private set

    /** Points at [bytes] without copying them; indices are absolute, position and limit stay as they are. */
    fun set(bytes: ByteBuffer, rowStride: Int, pixelStride: Int) {
        this.bytes = bytes
        this.rowStride = rowStride
        this.pixelStride = pixelStride
    }

    /**
     * The bytes of a row at once: single reads from a camera's buffer are slow.
     *
     * @param columns samples wanted; sample i is at i times [pixelStride].
     * @param into array to use again; another one is returned if it does not fit.
     */
    fun readRow(row: Int, columns: Int, into: ByteArray): ByteArray {
        val size = (columns - 1) * pixelStride + 1
        val target = if (into.size == size) into else ByteArray(size)
        val position = bytes.position()
        bytes.position(row * rowStride)
        bytes.get(target, 0, size)
        bytes.position(position)
        return target
    }
}

/** A picture as cameras give it: `YUV_420_888` (BT.601, full range), chroma at half the resolution. */
class YuvFrame : Frame() {
    val y = YuvPlane()
    val u = YuvPlane()
    val v = YuvPlane()

    /** Describes the picture, after the three planes have been set. */
    fun set(width: Int, height: Int, rotation: Int, timeNanos: Long) {
        describe(width, height, rotation, timeNanos)
        check(y, width, height, "Y")
        check(u, (width + 1) / 2, (height + 1) / 2, "U")
        check(v, (width + 1) / 2, (height + 1) / 2, "V")
    }

    private fun check(plane: YuvPlane, columns: Int, rows: Int, name: String) {
        val needed = (rows - 1) * plane.rowStride + (columns - 1) * plane.pixelStride + 1
        require(plane.pixelStride > 0 && plane.bytes.limit() >= needed) {
            "Expected $needed bytes of $name. Received: ${plane.bytes.limit()}, pixel stride ${plane.pixelStride}"
        }
    }
}
