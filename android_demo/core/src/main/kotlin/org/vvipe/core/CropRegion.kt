package org.vvipe.core

/** A square of the upright picture that the detector looks at, in pixels; it may reach past the edges. */
class CropRegion {
    var left = 0f
        private set
    var top = 0f
        private set
    var side = 0f
        private set

    fun set(left: Float, top: Float, side: Float) {
        this.left = left
        this.top = top
        this.side = side
    }

    /** The smallest square around a whole picture. */
    fun setWhole(width: Int, height: Int) {
        val side = maxOf(width, height).toFloat()
        set((width - side) / 2, (height - side) / 2, side)
    }
}
