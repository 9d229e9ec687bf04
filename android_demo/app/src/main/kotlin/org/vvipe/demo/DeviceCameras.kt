package org.vvipe.demo

import android.content.Context
import android.hardware.camera2.CameraAccessException
import android.hardware.camera2.CameraCharacteristics
import android.hardware.camera2.CameraManager
import android.os.Handler
import android.util.Log

/** The cameras of the device, by camera2. */
class DeviceCameras(private val context: Context) : Cameras {
    private val manager = context.getSystemService(CameraManager::class.java)
    private val ids = findIds()

    override val facings get() = ids.keys

    override fun open(facing: Facing, handler: Handler, onLost: (String) -> Unit) =
        CameraFrames(context, ids.getValue(facing), handler, onLost)

    private fun findIds(): Map<Facing, String> {
        val found = mutableMapOf<Facing, String>()
        try {
            for (id in manager.cameraIdList) {
                val facing = when (manager.getCameraCharacteristics(id).get(CameraCharacteristics.LENS_FACING)) {
                    CameraCharacteristics.LENS_FACING_FRONT -> Facing.FRONT
                    // Cameras on a cable look wherever they are turned to, mostly at the room.
                    CameraCharacteristics.LENS_FACING_BACK, CameraCharacteristics.LENS_FACING_EXTERNAL -> Facing.BACK
                    else -> continue
                }
                if (facing !in found) found[facing] = id
            }
        } catch (error: CameraAccessException) {
            Log.w("DeviceCameras", "The cameras cannot be listed", error)
        } catch (error: IllegalArgumentException) {
            Log.w("DeviceCameras", "A camera went away while they were listed", error)
        }
        return found
    }
}
