package org.vvipe.core

import org.junit.jupiter.api.Assertions.assertArrayEquals
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Test

/** Smoothing over time. */
class PoseSmootherTest {
    private val start = floatArrayOf(0.1f, 0.2f, 0.3f)
    private val next = floatArrayOf(0.5f, 0.6f, 0.7f)

    @Test
    fun `it smooths as the Python code does`() {
        val seconds = Fixtures.fromPython("one_euro", "seconds")
        val motion = Fixtures.fromPython("one_euro", "motion")
        val expected = Fixtures.fromPython("one_euro", "smoothed")
        val smoother = PoseSmoother(13)
        for (frame in seconds.indices) {
            val pose = motion.copyOfRange(frame * 39, frame * 39 + 39)
            smoother.smooth(pose, 7_000_000_000L + Math.round(seconds[frame].toDouble() * 1e9))
            assertArrayEquals(expected.copyOfRange(frame * 39, frame * 39 + 39), pose, 1e-5f, "frame $frame")
        }
    }

    @Test
    fun `after a pause, a step back in time or a reset it begins anew`() {
        val disturbances = listOf<(PoseSmoother) -> Long>(
            { 1_600_000_001L },
            { 900_000_000L },
            { 1_000_000_000L },
            { it.reset(); 1_040_000_000L },
        )
        for (disturb in disturbances) {
            val smoother = PoseSmoother(1)
            smoother.smooth(start.copyOf(), 1_000_000_000L)
            val pose = next.copyOf()
            smoother.smooth(pose, disturb(smoother))
            assertArrayEquals(next, pose)
        }
    }

    @Test
    fun `a pose at rest stays where it is`() {
        val smoother = PoseSmoother(1)
        repeat(20) { frame ->
            val pose = start.copyOf()
            smoother.smooth(pose, frame * 33_000_000L)
            assertArrayEquals(start, pose, 1e-6f)
        }
    }

    @Test
    fun `settings that make no filter are refused`() {
        val error = assertThrows(IllegalArgumentException::class.java) { PoseSmoother(1, minCutoff = 0.0) }
        assertEquals("Expected minCutoff above 0 and beta of at least 0. Received: 0.0 and 3.0", error.message)
    }
}
