package org.vvipe.demo

import android.graphics.Bitmap
import android.graphics.BitmapFactory
import android.graphics.Canvas
import android.graphics.Color
import android.view.View
import java.io.File
import java.nio.ByteBuffer
import kotlin.math.abs
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.annotation.Config
import org.robolectric.annotation.GraphicsMode
import org.vvipe.core.Fixtures
import org.vvipe.core.FrameResult
import org.vvipe.core.OrbitCamera
import org.vvipe.core.PersonState
import org.vvipe.core.YuvFrame

@RunWith(RobolectricTestRunner::class)
@GraphicsMode(GraphicsMode.Mode.NATIVE)
@Config(sdk = [35], application = TestApplication::class)
class DrawingTest {
    private val orbit = OrbitCamera()

    @Test
    fun `a known pose is drawn as in the golden picture`() = compareWithGolden("pose", draw())

    @Test
    @Config(qualifiers = "night")
    fun `at night it is drawn in lighter colours`() = compareWithGolden("pose_night", draw())

    @Test
    fun `a pose seen from another side is not the golden picture`() {
        orbit.turnTo(orbit.azimuth + 0.3f, orbit.elevation)
        assertTrue(difference(draw(), golden("pose")) > 2 * TOLERANCE)
    }

    @Test
    fun `a camera's picture keeps its colours, whatever the strides`() {
        // Colours and their full-range BT.601 values, worked by hand.
        val colours = listOf(
            listOf(76, 85, 255) to Color.rgb(254, 0, 0),
            listOf(150, 44, 21) to Color.rgb(0, 255, 1),
            listOf(128, 128, 128) to Color.rgb(128, 128, 128),
        )
        for (pixelStride in 1..2) {
            for ((yuv, colour) in colours) {
                val picture = FramePicture().also {
                    it.write(yuvFrame(6, 4, yuv, pixelStride))
                    it.swap()
                }
                assertEquals(90, picture.rotation)
                val shown = checkNotNull(picture.bitmap).getPixel(5, 3)
                for (shift in listOf(0, 8, 16)) {
                    assertEquals((colour shr shift and 0xFF).toFloat(), (shown shr shift and 0xFF).toFloat(), 2f)
                }
            }
        }
    }

    private fun yuvFrame(width: Int, height: Int, yuv: List<Int>, pixelStride: Int) = YuvFrame().also { frame ->
        fun plane(columns: Int, rows: Int, step: Int, value: Int): Pair<ByteBuffer, Int> {
            val rowStride = columns * step + 5
            val bytes = ByteBuffer.allocateDirect(rowStride * rows)
            for (row in 0 until rows) {
                for (column in 0 until columns) bytes.put(row * rowStride + column * step, value.toByte())
            }
            return bytes to rowStride
        }
        plane(width, height, 1, yuv[0]).let { frame.y.set(it.first, it.second, 1) }
        plane(width / 2, height / 2, pixelStride, yuv[1]).let { frame.u.set(it.first, it.second, pixelStride) }
        plane(width / 2, height / 2, pixelStride, yuv[2]).let { frame.v.set(it.first, it.second, pixelStride) }
        frame.set(width, height, 90, 1)
    }

    private fun draw(): Bitmap {
        val manifest = Fixtures.manifest
        val result = FrameResult(manifest, 1)
        for ((joint, name) in manifest.poseJoints.withIndex()) STANDING.getValue(name).copyInto(result.pose, joint * 3)
        result.seen.fill(true)
        result.seen[manifest.poseJoints.indexOf("left_wrist")] = false
        result.state = PersonState.TRACKED
        result.hasPose = true
        val view = PoseTurnView(RuntimeEnvironment.getApplication(), null)
        view.setManifest(manifest)
        view.show(orbit)
        view.setResult(result)
        view.measure(exactly(SIZE), exactly(SIZE))
        view.layout(0, 0, SIZE, SIZE)
        return Bitmap.createBitmap(SIZE, SIZE, Bitmap.Config.ARGB_8888).also {
            it.eraseColor(RuntimeEnvironment.getApplication().getColor(R.color.card))
            view.draw(Canvas(it))
        }
    }

    private fun exactly(size: Int) = View.MeasureSpec.makeMeasureSpec(size, View.MeasureSpec.EXACTLY)

    private fun compareWithGolden(name: String, drawn: Bitmap) {
        System.getProperty("vvipe.new_golden")?.let { folder ->
            File(folder, "$name.png").outputStream().use { drawn.compress(Bitmap.CompressFormat.PNG, 100, it) }
        }
        assertTrue("$name: ${difference(drawn, golden(name))}", difference(drawn, golden(name)) < TOLERANCE)
    }

    private fun golden(name: String): Bitmap =
        checkNotNull(javaClass.getResourceAsStream("/golden/$name.png")).use {
            BitmapFactory.decodeStream(it, null, BitmapFactory.Options().apply { inScaled = false })
        }.let(::checkNotNull)

    /** Mean difference of red, green and blue, of 255. */
    private fun difference(first: Bitmap, second: Bitmap): Float {
        assertEquals(first.width to first.height, second.width to second.height)
        var sum = 0
        for (y in 0 until first.height) {
            for (x in 0 until first.width) {
                val (a, b) = first.getPixel(x, y) to second.getPixel(x, y)
                for (shift in listOf(0, 8, 16)) sum += abs((a shr shift and 0xFF) - (b shr shift and 0xFF))
            }
        }
        return sum / 3f / first.width / first.height
    }

    private companion object {
        const val SIZE = 192
        const val TOLERANCE = 0.5f
        val STANDING = mapOf(
            "nose" to floatArrayOf(-0.12f, 0f, 1.35f),
            "left_shoulder" to floatArrayOf(0f, -0.35f, 1f), "right_shoulder" to floatArrayOf(0f, 0.35f, 1f),
            "left_elbow" to floatArrayOf(0f, -0.85f, 1.05f), "right_elbow" to floatArrayOf(0f, 0.45f, 0.5f),
            "left_wrist" to floatArrayOf(-0.1f, -1.1f, 1.45f), "right_wrist" to floatArrayOf(-0.25f, 0.5f, 0.1f),
            "left_hip" to floatArrayOf(0f, -0.25f, 0f), "right_hip" to floatArrayOf(0f, 0.25f, 0f),
            "left_knee" to floatArrayOf(-0.1f, -0.3f, -0.8f), "right_knee" to floatArrayOf(-0.4f, 0.3f, -0.6f),
            "left_ankle" to floatArrayOf(0.05f, -0.3f, -1.6f), "right_ankle" to floatArrayOf(0.1f, 0.3f, -1.2f),
        )
    }
}
