package org.vvipe.demo

import android.os.Handler
import android.os.SystemClock
import org.vvipe.core.Fixtures
import org.vvipe.core.Frame
import org.vvipe.core.FrameListener
import org.vvipe.core.FrameSource
import org.vvipe.core.Gallery
import org.vvipe.core.LiftedPose
import org.vvipe.core.LiteRtDetector
import org.vvipe.core.LiteRtLifter
import org.vvipe.core.PoseDetector
import org.vvipe.core.PoseLifter
import org.vvipe.core.RgbFrame

/** The app with its real models on LiteRT's runtime for computers, and cameras that see a photo. */
class TestApplication : DemoApplication() {
    val cameras = PhotoCameras()
    var timesOpened = 0
    var timesClosed = 0

    /** Whether the models are looked for in the assets, where tests have none. */
    var hasModels = true

    /** Whether the lifter fails from now on, as an interpreter does. */
    @Volatile var isBroken = false

    override fun openModels(): Models {
        if (!hasModels) return super.openModels()
        timesOpened++
        val file = Fixtures.dynamicRange
        val lifter = LiteRtLifter(file)
        val sha256 = lifter.manifest.hashOf(file.name)
        val gallery = Gallery.parse(file.resolveSibling(Gallery.FILE).readText(), lifter.manifest, sha256)
        val folder = checkNotNull(Fixtures.downloaded("movenet/detector.json").parentFile)
        val detector: PoseDetector = LiteRtDetector(folder)
        return Models(detector, CountingLifter(lifter), gallery, sha256) { false }
    }

    override fun openCameras(): Cameras = cameras

    private inner class CountingLifter(private val lifter: LiteRtLifter) : PoseLifter by lifter {
        override fun lift(keypoints: FloatArray, into: LiftedPose) {
            check(!isBroken) { "broken" }
            lifter.lift(keypoints, into)
        }

        override fun close() {
            timesClosed++
            lifter.close()
        }
    }
}

/** Cameras that see [photo]. */
class PhotoCameras : Cameras {
    override var facings = setOf(Facing.BACK, Facing.FRONT)
    var photo = "on_one_leg.png"
    val opened = mutableListOf<PhotoCamera>()

    override fun open(facing: Facing, handler: Handler, onLost: (String) -> Unit): FrameSource =
        PhotoCamera(facing, photo, handler, onLost).also { opened += it }
}

/** A camera that sees one photo, 30 times in a second of Robolectric's clock. */
class PhotoCamera(
    val facing: Facing, private val photo: String, private val handler: Handler, val onLost: (String) -> Unit,
) : FrameSource {
    private val frame: RgbFrame by lazy { if (photo == NOTHING) RgbFrame() else Fixtures.photo(photo) }
    private val tick: Runnable = Runnable { deliver() }
    private var listener: FrameListener? = null

    @get:Synchronized
    var delivered = 0
        private set

    @get:Synchronized
    val isRunning get() = listener != null

    @Synchronized
    override fun start(listener: FrameListener) {
        this.listener = listener
        handler.post(tick)
    }

    @Synchronized
    override fun stop() {
        listener = null
        handler.removeCallbacks(tick)
    }

    @Synchronized
    private fun deliver() {
        val listener = listener ?: return
        val now = SystemClock.elapsedRealtimeNanos() + 1
        if (photo == NOTHING) {
            frame.set(IntArray(36 * 48), 36, 48, 0, now)
        } else {
            frame.set(frame.pixels, frame.width, frame.height, 0, now)
        }
        listener.onFrame(frame as Frame)
        delivered++
        handler.postDelayed(tick, 33)
    }

    companion object {
        /** A photo of a dark room. */
        const val NOTHING = "nothing"
    }
}
