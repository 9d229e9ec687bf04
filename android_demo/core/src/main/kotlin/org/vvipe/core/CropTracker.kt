package org.vvipe.core

import kotlin.math.abs

/**
 * Chooses what the detector looks at from where the person was in the last frame, by the rule that MoveNet was
 * published with: a square around the hips, wide enough for 1.9 times the reach of the trunk and 1.2 times that of all
 * visible joints; the whole picture while no shoulder or no hip is visible.
 *
 * @param joints names of the keypoints that [update] is given.
 */
class CropTracker(private val joints: List<String>) {
    private val hips = indices("left_hip", "right_hip")
    private val shoulders = indices("left_shoulder", "right_shoulder")
    private var width = 0
    private var height = 0

    /** What to look at in the next frame. */
    val region = CropRegion()

    /** Prepares for a picture of a size in upright pixels; another size than the last forgets the person. */
    fun prepare(width: Int, height: Int) {
        if (width != this.width || height != this.height) {
            this.width = width
            this.height = height
            reset()
        }
    }

    /** Forgets the person. */
    fun reset() = region.setWhole(width, height)

    /** Moves the region to where the person is: x and y in upright pixels and the score of each joint. */
    fun update(keypoints: FloatArray) {
        if (!anyVisible(keypoints, hips) || !anyVisible(keypoints, shoulders)) return reset()
        val x = (keypoints[hips[0] * 3] + keypoints[hips[1] * 3]) / 2
        val y = (keypoints[hips[0] * 3 + 1] + keypoints[hips[1] * 3 + 1]) / 2
        var trunk = 0f
        var body = 0f
        for (joint in joints.indices) {
            val reach = maxOf(abs(keypoints[joint * 3] - x), abs(keypoints[joint * 3 + 1] - y))
            if (joint in hips || joint in shoulders) trunk = maxOf(trunk, reach)
            if (keypoints[joint * 3 + 2] > MIN_SCORE) body = maxOf(body, reach)
        }
        val farthestEdge = maxOf(maxOf(x, width - x), maxOf(y, height - y))
        val half = minOf(maxOf(trunk * TRUNK_FACTOR, body * BODY_FACTOR), farthestEdge)
        // A person who fills the picture, or lies on one point, gives no better square than the whole of it.
        if (half > maxOf(width, height) / 2f || !(half >= MIN_HALF_SIDE)) return reset()
        region.set(x - half, y - half, 2 * half)
    }

    private fun anyVisible(keypoints: FloatArray, pair: IntArray) =
        keypoints[pair[0] * 3 + 2] > MIN_SCORE || keypoints[pair[1] * 3 + 2] > MIN_SCORE

    private fun indices(vararg names: String) = IntArray(names.size) { joints.indexOf(names[it]) }.also { found ->
        require(found.all { it >= 0 }) { "Expected joints ${names.toList()}. Received: $joints" }
    }

    private companion object {
        const val MIN_SCORE = 0.2f
        const val TRUNK_FACTOR = 1.9f
        const val BODY_FACTOR = 1.2f
        const val MIN_HALF_SIDE = 4f
    }
}
