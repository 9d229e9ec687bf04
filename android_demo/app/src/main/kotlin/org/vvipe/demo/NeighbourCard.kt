package org.vvipe.demo

import android.content.Context
import android.graphics.Canvas
import android.text.TextPaint
import android.text.TextUtils
import android.util.AttributeSet
import android.util.TypedValue
import android.view.View
import org.vvipe.core.DisplayList
import org.vvipe.core.Gallery
import org.vvipe.core.LiteManifest
import org.vvipe.core.OrbitCamera
import org.vvipe.core.PoseView

/** A pose of the gallery, with its name under it. */
class NeighbourCard(context: Context, attributes: AttributeSet?) : View(context, attributes) {
    private val painter = CanvasPainter(context)
    private val elements = DisplayList()
    private val orbit = OrbitCamera()
    private val margin = toPixels(TypedValue.COMPLEX_UNIT_DIP, 8f)
    private val text = TextPaint(TextPaint.ANTI_ALIAS_FLAG).apply {
        textSize = toPixels(TypedValue.COMPLEX_UNIT_SP, 12f)
        textAlign = android.graphics.Paint.Align.CENTER
        color = context.getColor(R.color.text)
    }
    private var view: PoseView? = null
    private var gallery: Gallery? = null
    private var pose = FloatArray(0)
    private var label = ""

    /** Row of the gallery that is shown; [NONE] for none. */
    var row = NONE
        private set

    /** Shows poses of [gallery], in the joint order of [manifest]. */
    fun setGallery(gallery: Gallery, manifest: LiteManifest) {
        this.gallery = gallery
        view = PoseView(manifest)
        pose = FloatArray(manifest.poseJoints.size * 3)
        show(NONE, 0)
    }

    /** Shows a [row] of the gallery, or [NONE], as the one at a [place] from 1. */
    fun show(row: Int, place: Int) {
        val gallery = gallery ?: return
        if (row == this.row && contentDescription != null) return
        this.row = row
        val name = if (row == NONE) context.getString(R.string.nearest_none) else gallery.names[row]
        if (row != NONE) gallery.copyPose(row, pose)
        contentDescription = context.getString(R.string.nearest_description, place, name)
        fitLabel(name)
        invalidate()
    }

    override fun onSizeChanged(width: Int, height: Int, oldWidth: Int, oldHeight: Int) {
        val gallery = gallery ?: return
        if (row != NONE) fitLabel(gallery.names[row])
    }

    override fun onDraw(canvas: Canvas) {
        val baseline = height - margin
        canvas.drawText(label, width / 2f, baseline, text)
        if (row == NONE) return
        view?.draw(pose, null, orbit, 0f, 0f, width.toFloat(), baseline - text.textSize, elements)
        painter.canvas = canvas
        elements.paint(painter)
    }

    private fun fitLabel(name: String) {
        label = TextUtils.ellipsize(name, text, maxOf(width - 2 * margin, 0f), TextUtils.TruncateAt.END).toString()
    }

    private fun toPixels(unit: Int, size: Float) =
        TypedValue.applyDimension(unit, size, resources.displayMetrics)

    companion object {
        /** No row. */
        const val NONE = -1
    }
}
