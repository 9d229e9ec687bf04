package org.vvipe.demo

import android.content.res.AssetManager
import android.graphics.Bitmap
import android.graphics.BitmapFactory
import android.os.Handler
import android.os.SystemClock
import android.util.Log
import java.io.IOException
import org.vvipe.core.FrameListener
import org.vvipe.core.FrameSource
import org.vvipe.core.RgbFrame

/** The pictures of the assets' folder `clip`, forwards and backwards without end, on the thread of [handler]. */
class ClipFrames(private val assets: AssetManager, private val handler: Handler) : FrameSource {
    private val names = assets.list(FOLDER).orEmpty().filter { it.endsWith(".jpg") }.sorted()
    private val options = BitmapFactory.Options().apply {
        inMutable = true
        inTempStorage = ByteArray(16 * 1024)
    }
    private val frame = RgbFrame()
    private val lock = Any()
    private val next: Runnable = Runnable { showNext() }
    private var pixels = IntArray(0)
    private var listener: FrameListener? = null
    private var step = 0

    override fun start(listener: FrameListener) {
        synchronized(lock) { this.listener = listener }
        handler.post(next)
    }

    override fun stop() {
        handler.removeCallbacks(next)
        synchronized(lock) { listener = null }
    }

    private fun showNext(): Unit = synchronized(lock) {
        val listener = listener ?: return@synchronized
        if (names.isEmpty()) return@synchronized
        val period = maxOf(2 * (names.size - 1), 1)
        val place = step++ % period
        val picture = read(names[if (place < names.size) place else period - place])
        if (picture != null) {
            if (pixels.size < picture.width * picture.height) pixels = IntArray(picture.width * picture.height)
            picture.getPixels(pixels, 0, picture.width, 0, 0, picture.width, picture.height)
            frame.set(pixels, picture.width, picture.height, 0, SystemClock.elapsedRealtimeNanos())
            listener.onFrame(frame)
        }
        handler.postDelayed(next, PERIOD_MILLIS)
    }

    private fun read(name: String): Bitmap? = try {
        // Decoded into the same memory each time.
        assets.open("$FOLDER/$name").use { BitmapFactory.decodeStream(it, null, options) }
            ?.also { options.inBitmap = it }
    } catch (error: IOException) {
        Log.w("ClipFrames", "$name cannot be read", error)
        null
    }

    private companion object {
        const val FOLDER = "clip"
        const val PERIOD_MILLIS = 83L
    }
}
