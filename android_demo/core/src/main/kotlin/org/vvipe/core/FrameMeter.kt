package org.vvipe.core

/**
 * Frame rate and latency over the last frames.
 *
 * @param window frames that count.
 */
class FrameMeter(private val window: Int = 30) {
    private val times = LongArray(window)
    private val latencies = LongArray(window)
    private val sorted = LongArray(window)
    private var count = 0L

    init {
        require(window >= 2) { "Expected a window of at least 2 frames. Received: $window" }
    }

    /** Forgets all frames, as after a pause. */
    fun reset() {
        count = 0
    }

    /** Takes a frame in: when it was done, in nanoseconds, and how long it took. */
    fun add(timeNanos: Long, latencyNanos: Long) {
        times[(count % window).toInt()] = timeNanos
        latencies[(count % window).toInt()] = latencyNanos
        count++
    }

    /** Frames per second; 0 before the second frame. */
    fun framesPerSecond(): Float {
        val kept = minOf(count, window.toLong())
        if (kept < 2) return 0f
        val elapsed = times[((count - 1) % window).toInt()] - times[((count - kept) % window).toInt()]
        return if (elapsed > 0) (kept - 1) * 1e9f / elapsed else 0f
    }

    /** Median latency in milliseconds; 0 before the first frame. */
    fun medianMillis(): Float {
        val kept = minOf(count, window.toLong()).toInt()
        if (kept == 0) return 0f
        latencies.copyInto(sorted, 0, 0, kept)
        sorted.sort(0, kept)
        return (sorted[(kept - 1) / 2] + sorted[kept / 2]) / 2e6f
    }
}
