package org.vvipe.demo

import android.annotation.SuppressLint
import android.content.Context
import android.graphics.ImageFormat
import android.hardware.camera2.CameraAccessException
import android.hardware.camera2.CameraCaptureSession
import android.hardware.camera2.CameraCharacteristics
import android.hardware.camera2.CameraDevice
import android.hardware.camera2.CameraManager
import android.hardware.camera2.CaptureRequest
import android.hardware.display.DisplayManager
import android.media.Image
import android.media.ImageReader
import android.os.Handler
import android.util.Log
import android.util.Size
import android.view.Display
import org.vvipe.core.FrameListener
import org.vvipe.core.FrameSource
import org.vvipe.core.YuvFrame

/**
 * Frames of one camera, by camera2. What arrives while a frame is being worked on is dropped, except the latest.
 *
 * @param id of the camera.
 * @param handler of the thread on which everything happens but [start] and [stop].
 * @param onLost called there, with the reason, when the camera fails or another app takes it.
 */
class CameraFrames(
    context: Context,
    private val id: String,
    private val handler: Handler,
    private val onLost: (String) -> Unit,
) : FrameSource {
    private val manager = context.getSystemService(CameraManager::class.java)
    private val display = context.getSystemService(DisplayManager::class.java).getDisplay(Display.DEFAULT_DISPLAY)
    private val lock = Any()
    private val frame = YuvFrame()
    private var listener: FrameListener? = null
    private var reader: ImageReader? = null
    private var device: CameraDevice? = null
    private var sensorOrientation = 0
    private var isFront = false

    @SuppressLint("MissingPermission") // The activity asks for it before it opens a camera.
    override fun start(listener: FrameListener) = synchronized(lock) {
        this.listener = listener
        try {
            val about = manager.getCameraCharacteristics(id)
            sensorOrientation = about.get(CameraCharacteristics.SENSOR_ORIENTATION) ?: 0
            isFront = about.get(CameraCharacteristics.LENS_FACING) == CameraCharacteristics.LENS_FACING_FRONT
            val sizes = about.get(CameraCharacteristics.SCALER_STREAM_CONFIGURATION_MAP)
                ?.getOutputSizes(ImageFormat.YUV_420_888)
            if (sizes.isNullOrEmpty()) return@synchronized lose("it gives no YUV pictures")
            val size = chooseSize(sizes.asList())
            reader = ImageReader.newInstance(size.width, size.height, ImageFormat.YUV_420_888, 2).also {
                it.setOnImageAvailableListener(::onImage, handler)
            }
            manager.openCamera(id, DeviceState(), handler)
        } catch (error: CameraAccessException) {
            lose("it cannot be opened", error)
        } catch (error: SecurityException) {
            lose("the permission is gone", error)
        } catch (error: IllegalArgumentException) {
            lose("it is not there any more", error)
        }
    }

    override fun stop() = synchronized(lock) {
        listener = null
        device?.close()
        device = null
        reader?.close()
        reader = null
    }

    // Holding the lock while a frame is worked on lets stop() wait for it.
    private fun onImage(reader: ImageReader) = synchronized(lock) {
        if (reader !== this.reader) return@synchronized
        reader.acquireLatestImage()?.use { image ->
            describe(image)
            listener?.onFrame(frame)
        }
        Unit
    }

    private fun describe(image: Image) {
        val planes = image.planes
        frame.y.set(planes[0].buffer, planes[0].rowStride, planes[0].pixelStride)
        frame.u.set(planes[1].buffer, planes[1].rowStride, planes[1].pixelStride)
        frame.v.set(planes[2].buffer, planes[2].rowStride, planes[2].pixelStride)
        // The display is asked each time: turning it upside down restarts no activity.
        val rotation = uprightRotation(sensorOrientation, display.rotation * 90, isFront)
        frame.set(image.width, image.height, rotation, image.timestamp)
    }

    private fun request(device: CameraDevice, session: CameraCaptureSession, reader: ImageReader) {
        val request = device.createCaptureRequest(CameraDevice.TEMPLATE_PREVIEW)
        request.addTarget(reader.surface)
        request.set(CaptureRequest.CONTROL_AF_MODE, CaptureRequest.CONTROL_AF_MODE_CONTINUOUS_VIDEO)
        session.setRepeatingRequest(request.build(), null, handler)
    }

    private fun lose(reason: String, error: Exception? = null) {
        Log.w(TAG, "Camera $id: $reason", error)
        stop()
        handler.post { onLost(reason) }
    }

    private inner class DeviceState : CameraDevice.StateCallback() {
        override fun onOpened(camera: CameraDevice) = synchronized(lock) {
            val reader = reader ?: return@synchronized camera.close()
            device = camera
            try {
                // The newer call wants Android 9; this one works everywhere.
                @Suppress("DEPRECATION")
                camera.createCaptureSession(listOf(reader.surface), SessionState(camera, reader), handler)
            } catch (error: CameraAccessException) {
                lose("it takes no session", error)
            } catch (error: IllegalStateException) {
                lose("it was closed meanwhile", error)
            } catch (error: IllegalArgumentException) {
                lose("it takes no session", error)
            }
        }

        override fun onDisconnected(camera: CameraDevice) = fail(camera, "another app has taken it")

        override fun onError(camera: CameraDevice, error: Int) = fail(camera, "it has failed with error $error")

        private fun fail(camera: CameraDevice, reason: String) = synchronized(lock) {
            camera.close()
            if (listener != null) lose(reason)
        }
    }

    private inner class SessionState(private val camera: CameraDevice, private val reader: ImageReader) :
        CameraCaptureSession.StateCallback() {
        override fun onConfigured(session: CameraCaptureSession) = synchronized(lock) {
            if (camera !== device) return@synchronized
            try {
                request(camera, session, reader)
            } catch (error: CameraAccessException) {
                lose("it takes no request", error)
            } catch (error: IllegalStateException) {
                lose("it was closed meanwhile", error)
            } catch (error: IllegalArgumentException) {
                lose("it takes no request", error)
            }
        }

        override fun onConfigureFailed(session: CameraCaptureSession) = synchronized(lock) {
            if (camera === device) lose("it takes no session")
        }
    }

    companion object {
        private const val TAG = "CameraFrames"
        private const val WANTED_AREA = 640 * 480
        private const val WANTED_ASPECT = 4f / 3f

        /** The smallest size of at least 640 x 480 pixels, of 4:3 if there is one; else the largest. */
        fun chooseSize(sizes: List<Size>): Size {
            val enough = sizes.filter { it.width * it.height >= WANTED_AREA }
            val wide = enough.filter { kotlin.math.abs(it.width.toFloat() / it.height - WANTED_ASPECT) < 0.01f }
            return wide.ifEmpty { enough }.minByOrNull { it.width * it.height }
                ?: sizes.maxByOrNull { it.width * it.height }
                ?: throw IllegalArgumentException("Expected sizes of pictures. Received: none")
        }

        /**
         * Clockwise turn in degrees that brings a picture of the sensor upright.
         *
         * @param sensor `SENSOR_ORIENTATION` of the camera.
         * @param display how far the display is turned, `Display.getRotation` in degrees.
         * @param isFront whether the camera looks at the user.
         */
        fun uprightRotation(sensor: Int, display: Int, isFront: Boolean): Int =
            Math.floorMod(if (isFront) sensor + display else sensor - display, 360)
    }
}
