package org.vvipe.core

/** Places an upright picture in a view: as large as fits, in the middle, mirrored if it comes from a front camera. */
class PictureFit {
    /** Left edge of the picture in the view, in pixels of the view. */
    var left = 0f
        private set

    /** Top edge of the picture in the view. */
    var top = 0f
        private set

    /** Pixels of the view for one of the picture. */
    var scale = 1f
        private set
    private var pictureWidth = 0
    private var isMirrored = false

    /** Fits a picture of [pictureWidth] x [pictureHeight] pixels into a view of [width] x [height]. */
    fun set(pictureWidth: Int, pictureHeight: Int, width: Float, height: Float, isMirrored: Boolean) {
        require(pictureWidth > 0 && pictureHeight > 0) {
            "Expected a picture of at least one pixel. Received: $pictureWidth x $pictureHeight"
        }
        this.pictureWidth = pictureWidth
        this.isMirrored = isMirrored
        scale = minOf(width / pictureWidth, height / pictureHeight)
        left = (width - pictureWidth * scale) / 2
        top = (height - pictureHeight * scale) / 2
    }

    /** Where x of the picture is in the view. */
    fun viewX(x: Float) = left + (if (isMirrored) pictureWidth - x else x) * scale

    /** Where y of the picture is in the view. */
    fun viewY(y: Float) = top + y * scale
}
