package org.vvipe.core

import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.params.ParameterizedTest
import org.junit.jupiter.params.provider.EnumSource
import org.junit.jupiter.params.provider.ValueSource

/** What the detector is shown. */
class CropSamplerTest {
    private val region = CropRegion()

    @ParameterizedTest
    @ValueSource(ints = [0, 90, 180, 270])
    fun `a slope is sampled exactly, whichever way the camera lies`(rotation: Int) {
        val frame = slope(70, 50, rotation)
        val sampler = CropSampler(12, PixelType.FLOAT32)
        region.set(7f, 9f, 24f)
        sampler.sample(frame, region)
        for (row in 0 until 12) {
            for (column in 0 until 12) {
                val at = (row * 12 + column) * 12
                // Pixel n of the picture covers n to n + 1 and has the value 3 n.
                assertEquals(3 * (7 + (column + 0.5f) * 2 - 0.5f), sampler.picture.getFloat(at), 1e-3f)
                assertEquals(3 * (9 + (row + 0.5f) * 2 - 0.5f), sampler.picture.getFloat(at + 4), 1e-3f)
            }
        }
    }

    @ParameterizedTest
    @EnumSource(PixelType::class)
    fun `every type of value says the same`(type: PixelType) {
        val sampler = CropSampler(8, type)
        region.setWhole(70, 50)
        sampler.sample(slope(70, 50, 0), region)
        val expected = CropSampler(8, PixelType.FLOAT32).also { it.sample(slope(70, 50, 0), region) }
        for (at in 0 until 8 * 8 * 3) {
            val value = when (type) {
                PixelType.UINT8 -> (sampler.picture.get(at).toInt() and 0xFF).toFloat()
                PixelType.INT32 -> sampler.picture.getInt(at * 4).toFloat()
                PixelType.FLOAT32 -> sampler.picture.getFloat(at * 4)
            }
            assertEquals(expected.picture.getFloat(at * 4), value, 0.5f)
        }
    }

    @Test
    fun `a whole wide picture has black above and below`() {
        region.setWhole(64, 32)
        val sampler = CropSampler(16, PixelType.INT32)
        sampler.sample(TestPeople.greyFrame(64, 32), region)
        for (row in 0 until 16) {
            assertEquals(if (row in 4 until 12) 0x7F else 0, sampler.picture.getInt((row * 16 + 5) * 12), "row $row")
        }
    }

    @Test
    fun `the planes of a camera give the colours of the picture`() {
        val pixels = IntArray(40 * 28) { if (it % 40 < 20) 0xC83232 else 0x2850B4 }
        val rgb = RgbFrame().also { it.set(pixels, 40, 28, 0, 1) }
        // No sample lies on the border between the colours, which the planes have at half the resolution.
        region.set(0f, 2f, 24f)
        val fromRgb = CropSampler(6, PixelType.INT32).also { it.sample(rgb, region) }
        val fromYuv = CropSampler(6, PixelType.INT32).also { it.sample(yuvFrame(rgb), region) }
        for (at in 0 until 6 * 6 * 3) {
            val (expected, found) = fromRgb.picture.getInt(at * 4) to fromYuv.picture.getInt(at * 4)
            assertTrue(kotlin.math.abs(expected - found) <= 2) { "value $at: $expected and $found" }
        }
    }

    @Test
    fun `a photo is sampled as NumPy does it, and MoveNet finds the same joints in it`() {
        val python = parseJson(Fixtures.downloaded("detected.json").readText()) as Map<*, *>
        val photo = Fixtures.photo(python["photo"] as String)
        LiteRtDetector(Fixtures.downloaded("movenet")).use { detector ->
            val sampler = CropSampler(detector.manifest)
            region.setWhole(photo.width, photo.height)
            sampler.sample(photo, region)
            Fixtures.numbers(python["picture"]).forEachIndexed { at, value ->
                assertEquals(value, sampler.picture.getInt(at * 4).toFloat(), 1f)
            }
            val found = FloatArray(17 * 3)
            detector.detect(sampler.picture, found)
            Fixtures.numbers(python["keypoints"]).forEachIndexed { at, value -> assertEquals(value, found[at], 0.01f) }
        }
    }

    /** A picture whose red is 3 x and green is 3 y of the upright picture of [width] x [height], stored turned. */
    private fun slope(width: Int, height: Int, rotation: Int): RgbFrame {
        val lies = rotation % 180 != 0
        val (storedWidth, storedHeight) = if (lies) height to width else width to height
        val pixels = IntArray(width * height) { place ->
            val (x, y) = place % storedWidth to place / storedWidth
            val (uprightX, uprightY) = when (rotation) {
                90 -> storedHeight - 1 - y to x
                180 -> width - 1 - x to height - 1 - y
                270 -> y to storedWidth - 1 - x
                else -> x to y
            }
            (3 * uprightX shl 16) or (3 * uprightY shl 8)
        }
        return RgbFrame().also { it.set(pixels, storedWidth, storedHeight, rotation, 1) }
    }
}
