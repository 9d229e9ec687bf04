package org.vvipe.demo

import android.content.Context
import android.graphics.Canvas
import android.graphics.Matrix
import android.graphics.Paint
import android.util.AttributeSet
import android.view.View
import org.vvipe.core.DisplayList
import org.vvipe.core.FrameResult
import org.vvipe.core.KeypointView
import org.vvipe.core.LiteManifest
import org.vvipe.core.PersonState
import org.vvipe.core.PictureFit

/** The picture of the camera, upright, with the keypoints over it. */
class PictureView(context: Context, attributes: AttributeSet?) : View(context, attributes) {
    private val painter = CanvasPainter(isNight = false)
    private val paint = Paint(Paint.FILTER_BITMAP_FLAG)
    private val matrix = Matrix()
    private val fit = PictureFit()
    private val elements = DisplayList()
    private var keypoints: KeypointView? = null
    private var session: PoseSession? = null
    private var result: FrameResult? = null
    private var canvas: Canvas? = null
    private val draw: (FramePicture) -> Unit = ::drawPicture

    init {
        // Of the card behind it, whose corners are round; the attribute of layouts wants Android 12.
        clipToOutline = true
    }

    /** Whether the picture is shown as in a mirror. */
    var isMirrored = false

    /** Shows what [session] sees. */
    fun show(session: PoseSession) {
        this.session = session
    }

    /** Draws keypoints from now on, in the joint order of [manifest]. */
    fun setManifest(manifest: LiteManifest) {
        keypoints = KeypointView(manifest)
        result = FrameResult(manifest, PoseSession.NEIGHBOURS)
    }

    override fun onDraw(canvas: Canvas) {
        this.canvas = canvas
        val result = result
        // Picture and keypoints are read together, so that they are of one frame.
        val hasResult = session?.read(result, draw) ?: false
        if (result == null || !hasResult || result.state == PersonState.NOBODY) return
        fit.set(result.pictureWidth, result.pictureHeight, width.toFloat(), height.toFloat(), isMirrored)
        val boneWidth = BONE_WIDTH * minOf(result.pictureWidth, result.pictureHeight) * fit.scale
        keypoints?.draw(result, fit, boneWidth, elements)
        painter.canvas = canvas
        elements.paint(painter)
    }

    private fun drawPicture(picture: FramePicture) {
        val bitmap = picture.bitmap ?: return
        val isUpright = picture.rotation % 180 == 0
        val uprightWidth = if (isUpright) bitmap.width else bitmap.height
        val uprightHeight = if (isUpright) bitmap.height else bitmap.width
        fit.set(uprightWidth, uprightHeight, width.toFloat(), height.toFloat(), isMirrored)
        matrix.setRotate(picture.rotation.toFloat())
        matrix.postTranslate(
            if (picture.rotation == 90 || picture.rotation == 180) uprightWidth.toFloat() else 0f,
            if (picture.rotation >= 180) uprightHeight.toFloat() else 0f,
        )
        if (isMirrored) {
            matrix.postScale(-1f, 1f)
            matrix.postTranslate(uprightWidth.toFloat(), 0f)
        }
        matrix.postScale(fit.scale, fit.scale)
        matrix.postTranslate(fit.left, fit.top)
        canvas?.drawBitmap(bitmap, matrix, paint)
    }

    private companion object {
        const val BONE_WIDTH = 0.018f
    }
}
