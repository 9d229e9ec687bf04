package org.vvipe.core

import java.nio.ByteBuffer

/** How a detector wants the red, green and blue of a pixel, each in 0..255. */
enum class PixelType(val bytes: Int) {
    UINT8(1),
    INT32(4),
    FLOAT32(4),
}

/** Finds the keypoints of one person in a square picture. Implementations hide the interpreter; one thread uses one. */
interface PoseDetector : AutoCloseable {
    /** What the model file says about itself. */
    val manifest: DetectorManifest

    /**
     * Runs the model on one picture.
     *
     * @param picture direct buffer in native byte order, [DetectorManifest.inputSize] squared pixels, three values of
     *     [DetectorManifest.inputType] each, row by row; read from 0 whatever its position.
     * @param keypoints receives y, x and score of each joint of [DetectorManifest.joints]; y and x as shares of the
     *     picture's side, down and to the right.
     */
    fun detect(picture: ByteBuffer, keypoints: FloatArray)
}
