package org.vvipe.demo

import android.content.Context
import android.content.res.Configuration
import android.graphics.Canvas
import android.graphics.Paint
import org.vvipe.core.BodyColours
import org.vvipe.core.Painter

/** Paints a display list on a canvas. At night the colours of a body are lighter ones of the same palette. */
class CanvasPainter(isNight: Boolean) : Painter {
    /** Where it paints. */
    lateinit var canvas: Canvas
    private val paint = Paint(Paint.ANTI_ALIAS_FLAG).apply { strokeCap = Paint.Cap.ROUND }
    private val left = if (isNight) 0x56B4E9 else BodyColours.LEFT and RGB
    private val right = if (isNight) 0xE69F00 else BodyColours.RIGHT and RGB
    private val trunk = if (isNight) 0xC3CCD6 else BodyColours.TRUNK and RGB

    constructor(context: Context) : this(
        context.resources.configuration.uiMode and Configuration.UI_MODE_NIGHT_MASK == Configuration.UI_MODE_NIGHT_YES,
    )

    override fun line(x0: Float, y0: Float, x1: Float, y1: Float, width: Float, colour: Int) {
        paint.color = shade(colour)
        paint.strokeWidth = width
        canvas.drawLine(x0, y0, x1, y1, paint)
    }

    override fun disc(x: Float, y: Float, radius: Float, colour: Int) {
        paint.color = shade(colour)
        canvas.drawCircle(x, y, radius, paint)
    }

    private fun shade(colour: Int) = (colour and RGB.inv()) or when (colour and RGB) {
        BodyColours.LEFT and RGB -> left
        BodyColours.RIGHT and RGB -> right
        BodyColours.TRUNK and RGB -> trunk
        else -> colour and RGB
    }

    private companion object {
        const val RGB = 0xFFFFFF
    }
}
