package org.vvipe.demo

import android.content.Context
import android.graphics.Canvas
import android.os.Bundle
import android.util.AttributeSet
import android.view.GestureDetector
import android.view.KeyEvent
import android.view.MotionEvent
import android.view.ScaleGestureDetector
import android.view.View
import android.view.accessibility.AccessibilityNodeInfo
import org.vvipe.core.DisplayList
import org.vvipe.core.FrameResult
import org.vvipe.core.LiteManifest
import org.vvipe.core.OrbitCamera
import org.vvipe.core.PoseView

/**
 * The canonical pose, which turns under a finger, the arrow keys, or the actions of a screen reader; two fingers
 * magnify it and a double tap brings the first view back.
 */
class PoseTurnView(context: Context, attributes: AttributeSet?) : View(context, attributes) {
    private val painter = CanvasPainter(context)
    private val elements = DisplayList()
    private var orbit = OrbitCamera()
    private var view: PoseView? = null
    private var result: FrameResult? = null
    private val gestures = GestureDetector(context, Gestures())
    private val pinches = ScaleGestureDetector(context, Pinches())

    init {
        isFocusable = true
    }

    /** Is seen from [orbit] from now on, which it turns. */
    fun show(orbit: OrbitCamera) {
        this.orbit = orbit
    }

    /** Draws poses in the joint order of [manifest]. */
    fun setManifest(manifest: LiteManifest) {
        view = PoseView(manifest)
    }

    /** Draws the pose of [result], which is kept, not copied. */
    fun setResult(result: FrameResult) {
        this.result = result
        invalidate()
    }

    override fun onDraw(canvas: Canvas) {
        val result = result ?: return
        if (!result.hasPose) return
        view?.draw(result.pose, result.seen, orbit, 0f, 0f, width.toFloat(), height.toFloat(), elements)
        painter.canvas = canvas
        elements.paint(painter)
    }

    @Suppress("ClickableViewAccessibility") // Turning has actions of its own below; a tap alone does nothing.
    override fun onTouchEvent(event: MotionEvent): Boolean {
        pinches.onTouchEvent(event)
        gestures.onTouchEvent(event)
        if (event.actionMasked == MotionEvent.ACTION_DOWN) parent?.requestDisallowInterceptTouchEvent(true)
        return true
    }

    override fun onKeyDown(keyCode: Int, event: KeyEvent): Boolean = when (keyCode) {
        KeyEvent.KEYCODE_DPAD_LEFT -> turn(-KEY_SHARE)
        KeyEvent.KEYCODE_DPAD_RIGHT -> turn(KEY_SHARE)
        else -> super.onKeyDown(keyCode, event)
    }

    override fun onInitializeAccessibilityNodeInfo(info: AccessibilityNodeInfo) {
        super.onInitializeAccessibilityNodeInfo(info)
        info.addAction(action(R.id.turn_left, R.string.turn_left))
        info.addAction(action(R.id.turn_right, R.string.turn_right))
    }

    override fun performAccessibilityAction(action: Int, arguments: Bundle?): Boolean = when (action) {
        R.id.turn_left -> turn(-KEY_SHARE)
        R.id.turn_right -> turn(KEY_SHARE)
        else -> super.performAccessibilityAction(action, arguments)
    }

    private fun action(id: Int, label: Int) = AccessibilityNodeInfo.AccessibilityAction(id, context.getString(label))

    private fun turn(share: Float, down: Float = 0f): Boolean {
        orbit.drag(share, down)
        invalidate()
        return true
    }

    private inner class Gestures : GestureDetector.SimpleOnGestureListener() {
        override fun onDown(event: MotionEvent) = true

        override fun onScroll(first: MotionEvent?, event: MotionEvent, distanceX: Float, distanceY: Float): Boolean {
            val side = minOf(width, height).coerceAtLeast(1)
            return pinches.isInProgress || turn(-distanceX / side, -distanceY / side)
        }

        override fun onDoubleTap(event: MotionEvent): Boolean {
            orbit.reset()
            return turn(0f)
        }
    }

    private inner class Pinches : ScaleGestureDetector.SimpleOnScaleGestureListener() {
        override fun onScale(detector: ScaleGestureDetector): Boolean {
            orbit.pinch(detector.scaleFactor)
            return turn(0f)
        }
    }

    private companion object {
        const val KEY_SHARE = 1f / 12
    }
}
