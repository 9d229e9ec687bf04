package org.vvipe.demo

import android.os.Handler
import android.os.HandlerThread
import android.os.Looper
import android.util.Log
import java.io.IOException
import java.util.concurrent.atomic.AtomicBoolean
import org.vvipe.core.Frame
import org.vvipe.core.FrameMeter
import org.vvipe.core.FramePipeline
import org.vvipe.core.FrameResult
import org.vvipe.core.FrameSource
import org.vvipe.core.LatestResult
import org.vvipe.core.ModelRefusedException
import org.vvipe.core.OrbitCamera
import org.vvipe.core.SavedPose

/**
 * Models, pictures and poses on the one thread that runs the models; outlives an activity that is turned.
 *
 * Everything public is for the main thread.
 */
class PoseSession(private val application: DemoApplication) {
    /** Hears of what happens, on the main thread. */
    interface Listener {
        fun onModelsOpened(models: Models)

        /** Only pictures will come, for [reason]. */
        fun onModelsRefused(reason: String)

        /** A new picture, and a new result where there are models. */
        fun onFrame()

        /** A pose was saved, and is the one to compare with from now on. */
        fun onPoseSaved()

        fun onSaveFailed(reason: String)
    }

    private val thread = HandlerThread("inference").apply { start() }
    private val main = Handler(Looper.getMainLooper())
    private val lock = Any()
    private val isAnnounced = AtomicBoolean()
    private val announce = Runnable { announceFrame() }
    private val meter = FrameMeter()
    private val picture = FramePicture()
    private var source: FrameSource? = null
    private var refusal: String? = null

    // Of the inference thread.
    private var pipeline: FramePipeline? = null
    private var opened: Models? = null

    @Volatile private var latest: LatestResult? = null

    /** Of the thread that runs the models. */
    val handler = Handler(thread.looper)

    /** Where the pose is seen from; kept when the device is turned. */
    val orbit = OrbitCamera()

    /** The models, once they are open. */
    var models: Models? = null
        private set

    /** The pose saved last. */
    var reference: SavedPose? = null
        private set

    /** The camera that the user wants. */
    var facing = Facing.BACK

    /** Whether the user has been asked for the camera. */
    var wasAsked = false

    /** Who hears of what happens; told at once of what has already happened. */
    var listener: Listener? = null
        set(value) {
            field = value
            models?.let { value?.onModelsOpened(it) }
            refusal?.let { value?.onModelsRefused(it) }
        }

    init {
        handler.post(::openModels)
    }

    /** Whether frames come from [source]. */
    fun isShowing(source: FrameSource) = this.source === source

    /** Takes frames from [source], instead of the one so far. */
    fun start(source: FrameSource) {
        stop()
        this.source = source
        handler.post {
            pipeline?.reset()
            synchronized(lock) { meter.reset() }
        }
        source.start(::work)
    }

    /** Takes no more frames. */
    fun stop() {
        source?.stop()
        source = null
    }

    /** Ends the thread and closes the models; nothing may be called afterwards. */
    fun close() {
        listener = null
        stop()
        handler.post {
            pipeline = null
            opened?.close()
        }
        thread.quitSafely()
    }

    /** Calls [draw] with the picture and the latest result, copied [into]; false while there is no result. */
    fun read(into: FrameResult?, draw: (FramePicture) -> Unit): Boolean = synchronized(lock) {
        draw(picture)
        into != null && (latest?.read(into) ?: 0L) > 0
    }

    /** Frames per second. */
    fun framesPerSecond() = synchronized(lock) { meter.framesPerSecond() }

    /** What a frame takes, in milliseconds. */
    fun medianMillis() = synchronized(lock) { meter.medianMillis() }

    /** Saves a pose and makes it the one to compare with. */
    fun save(pose: SavedPose) {
        handler.post {
            try {
                application.poses.save(pose)
                main.post {
                    reference = pose
                    listener?.onPoseSaved()
                }
            } catch (error: IOException) {
                main.post { listener?.onSaveFailed(error.message.orEmpty()) }
            }
        }
    }

    private fun openModels() {
        try {
            val models = application.openModels().also { opened = it }
            val saved = lastSaved(models)
            pipeline = FramePipeline(models.detector, models.lifter, models.gallery, NEIGHBOURS)
            latest = LatestResult(models.lifter.manifest, NEIGHBOURS)
            main.post {
                this.models = models
                reference = reference ?: saved
                listener?.onModelsOpened(models)
            }
        } catch (error: ModelRefusedException) {
            refuse(error)
        } catch (error: RuntimeException) {
            refuse(error)
        } catch (error: LinkageError) {
            refuse(error)
        }
    }

    private fun lastSaved(models: Models): SavedPose? = try {
        application.poses.load().poses.values.lastOrNull { it.joints == models.lifter.manifest.poseJoints }
    } catch (error: IOException) {
        Log.w(TAG, "The saved poses cannot be read", error)
        null
    }

    // Pictures go on without poses.
    private fun refuse(error: Throwable) {
        Log.w(TAG, "The models cannot be used", error)
        pipeline = null
        latest = null
        main.post {
            refusal = (error.message ?: error.javaClass.simpleName).also { listener?.onModelsRefused(it) }
        }
    }

    private fun work(frame: Frame) {
        val result = try {
            pipeline?.process(frame)
        } catch (error: IllegalStateException) {
            // What an interpreter throws when it fails.
            refuse(error)
            null
        }
        picture.write(frame)
        synchronized(lock) {
            picture.swap()
            if (result != null) {
                meter.add(System.nanoTime(), result.totalNanos)
                latest?.publish(result)
            }
        }
        if (isAnnounced.compareAndSet(false, true)) main.post(announce)
    }

    private fun announceFrame() {
        isAnnounced.set(false)
        listener?.onFrame()
    }

    companion object {
        /** Poses of the gallery that are shown. */
        const val NEIGHBOURS = 3
        private const val TAG = "PoseSession"
    }
}
