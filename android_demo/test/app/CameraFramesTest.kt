package org.vvipe.demo

import android.content.Context
import android.graphics.ImageFormat
import android.hardware.camera2.CameraCharacteristics
import android.hardware.camera2.CameraManager
import android.os.Handler
import android.os.HandlerThread
import android.util.Size
import org.junit.After
import org.junit.Assert.assertEquals
import org.junit.Assert.assertThrows
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.Shadows.shadowOf
import org.robolectric.annotation.Config
import org.robolectric.shadows.ShadowCameraCharacteristics
import org.robolectric.shadows.StreamConfigurationMapBuilder

@RunWith(RobolectricTestRunner::class)
@Config(sdk = [35], application = TestApplication::class)
class CameraFramesTest {
    private val context: Context = RuntimeEnvironment.getApplication()
    private val manager = context.getSystemService(CameraManager::class.java)
    private val thread = HandlerThread("camera").apply { start() }
    private val handler = Handler(thread.looper)
    private val lost = mutableListOf<String>()

    @After
    fun endThread() {
        thread.quit()
    }

    @Test
    fun `pictures come upright from both cameras in all turns of the display`() {
        // A phone held upright: sensors lie on their side, the front one the other way round.
        assertEquals(90, CameraFrames.uprightRotation(90, 0, isFront = false))
        assertEquals(0, CameraFrames.uprightRotation(90, 90, isFront = false))
        assertEquals(270, CameraFrames.uprightRotation(90, 180, isFront = false))
        assertEquals(180, CameraFrames.uprightRotation(90, 270, isFront = false))
        assertEquals(270, CameraFrames.uprightRotation(270, 0, isFront = true))
        assertEquals(0, CameraFrames.uprightRotation(270, 90, isFront = true))
        assertEquals(180, CameraFrames.uprightRotation(270, 270, isFront = true))
    }

    @Test
    fun `the smallest sufficient size of 4 to 3 is taken`() {
        val sizes = listOf(Size(4000, 3000), Size(1280, 720), Size(640, 480), Size(320, 240), Size(800, 600))
        assertEquals(Size(640, 480), CameraFrames.chooseSize(sizes))
        assertEquals(Size(1280, 720), CameraFrames.chooseSize(listOf(Size(1280, 720), Size(1920, 1080))))
        assertEquals(Size(320, 240), CameraFrames.chooseSize(listOf(Size(160, 120), Size(320, 240))))
        assertThrows(IllegalArgumentException::class.java) { CameraFrames.chooseSize(emptyList()) }
    }

    @Test
    fun `the cameras of the device are found by the side they look to`() {
        assertEquals(emptySet<Facing>(), DeviceCameras(context).facings)
        addCamera("7", CameraCharacteristics.LENS_FACING_EXTERNAL)
        assertEquals(setOf(Facing.BACK), DeviceCameras(context).facings)
        addCamera("3", CameraCharacteristics.LENS_FACING_FRONT)
        assertEquals(setOf(Facing.BACK, Facing.FRONT), DeviceCameras(context).facings)
    }

    @Test
    fun `a camera is opened with its frames' size and closed again`() {
        addCamera("3", CameraCharacteristics.LENS_FACING_FRONT, Size(640, 480))
        val frames = DeviceCameras(context).open(Facing.FRONT, handler) { lost += it }
        frames.start { }
        shadowOf(thread.looper).idle()
        frames.stop()
        frames.stop()
        shadowOf(thread.looper).idle()
        assertEquals(emptyList<String>(), lost)
    }

    @Test
    fun `a camera without usable pictures is reported as lost`() {
        addCamera("3", CameraCharacteristics.LENS_FACING_FRONT)
        DeviceCameras(context).open(Facing.FRONT, handler) { lost += it }.start { }
        shadowOf(thread.looper).idle()
        assertEquals(listOf("it gives no YUV pictures"), lost)
    }

    @Test
    fun `a camera that is not there any more is reported as lost`() {
        CameraFrames(context, "9", handler) { lost += it }.start { }
        shadowOf(thread.looper).idle()
        assertEquals(1, lost.size)
    }

    private fun addCamera(id: String, facing: Int, vararg sizes: Size) {
        val about = ShadowCameraCharacteristics.newCameraCharacteristics()
        shadowOf(about).set(CameraCharacteristics.LENS_FACING, facing)
        shadowOf(about).set(CameraCharacteristics.SENSOR_ORIENTATION, 270)
        if (sizes.isNotEmpty()) {
            val map = StreamConfigurationMapBuilder.newBuilder()
            for (size in sizes) map.addOutputSize(ImageFormat.YUV_420_888, size)
            shadowOf(about).set(CameraCharacteristics.SCALER_STREAM_CONFIGURATION_MAP, map.build())
        }
        shadowOf(manager).addCamera(id, about)
    }
}
