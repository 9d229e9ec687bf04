package org.vvipe.core

import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Test

/** Frame rate and latency. */
class FrameMeterTest {
    private val meter = FrameMeter(5)

    @Test
    fun `it says nothing before it knows something`() {
        assertEquals(listOf(0f, 0f), listOf(meter.framesPerSecond(), meter.medianMillis()))
        meter.add(1_000_000_000, 8_000_000)
        assertEquals(listOf(0f, 8f), listOf(meter.framesPerSecond(), meter.medianMillis()))
    }

    @Test
    fun `only the last frames count`() {
        repeat(9) { meter.add(it * 1_000_000_000L, 900_000_000L) }
        for ((frame, latency) in listOf(7L, 3L, 40L, 5L, 6L).withIndex()) {
            meter.add(9_000_000_000L + frame * 20_000_000L, latency * 1_000_000)
        }
        assertEquals(50f, meter.framesPerSecond(), 1e-3f)
        assertEquals(6f, meter.medianMillis())
    }

    @Test
    fun `of an even number the median lies between the middle two, and a reset forgets`() {
        for (latency in listOf(10L, 1L, 4L, 2L)) meter.add(5, latency * 1_000_000)
        assertEquals(3f, meter.medianMillis())
        assertEquals(0f, meter.framesPerSecond())
        meter.reset()
        assertEquals(0f, meter.medianMillis())
    }
}
