package org.vvipe.core

/**
 * Decides the [PersonState] of each frame from the visible joints and what became of them.
 *
 * @param joints names of the keypoints that [update] is given.
 */
class PersonWatch(joints: List<String>) {
    private val isLeg = BooleanArray(joints.size) { joints[it].endsWith("_knee") || joints[it].endsWith("_ankle") }
    private val seenNanos = LongArray(joints.size)
    private val wasAtEdge = BooleanArray(joints.size)
    private var wasWhole = false

    /** Forgets the person. */
    fun reset() {
        wasWhole = false
        wasAtEdge.fill(false)
    }

    /**
     * Takes the next frame in.
     *
     * @param keypoints x and y in upright pixels and the score of each joint.
     * @param visible which of them count.
     * @param isLiftable whether the lifter found enough of a body; without legs that is not enough here.
     * @param width width in pixels of the upright picture.
     * @param height its height.
     * @param timeNanos when it was taken.
     */
    fun update(
        keypoints: FloatArray, visible: BooleanArray, isLiftable: Boolean, width: Int, height: Int, timeNanos: Long,
    ): PersonState {
        val margin = EDGE_SHARE * maxOf(width, height)
        var count = 0
        var hasLeg = false
        var isLeaving = false
        for (joint in visible.indices) {
            if (visible[joint]) {
                count++
                hasLeg = hasLeg || isLeg[joint]
                seenNanos[joint] = timeNanos
                wasAtEdge[joint] = isAtEdge(keypoints[joint * 3], width, margin) ||
                    isAtEdge(keypoints[joint * 3 + 1], height, margin)
            }
            isLeaving = isLeaving || wasAtEdge[joint] && timeNanos - seenNanos[joint] <= MEMORY_NANOS
        }
        if (count < MIN_JOINTS) {
            reset()
            return PersonState.NOBODY
        }
        val isWhole = isLiftable && hasLeg
        wasWhole = wasWhole || isWhole
        return when {
            wasWhole && isLeaving -> PersonState.LEAVING
            isWhole -> PersonState.TRACKED
            else -> PersonState.HALF_BODY
        }
    }

    companion object {
        /** A person shows at least this many visible joints. */
        const val MIN_JOINTS = 3

        /** Nearer to the edge than this share of the picture's longer side is at the edge. */
        const val EDGE_SHARE = 0.02f

        /** How long a joint that vanished at the edge counts as leaving. */
        const val MEMORY_NANOS = 1_000_000_000L

        private fun isAtEdge(place: Float, size: Int, margin: Float) = place < margin || place > size - margin
    }
}
