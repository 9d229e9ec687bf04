package org.vvipe.core

/** Hands results from the inference thread to the thread that draws, without allocating. */
class LatestResult(manifest: LiteManifest, maxNeighbours: Int) {
    private val latest = FrameResult(manifest, maxNeighbours)
    private var count = 0L

    /** Keeps a copy of [result]; called by the inference thread. */
    @Synchronized
    fun publish(result: FrameResult) {
        latest.copyFrom(result)
        count++
    }

    /** Copies the latest result into [into] and returns how many were published; 0 while there is none. */
    @Synchronized
    fun read(into: FrameResult): Long {
        if (count > 0) into.copyFrom(latest)
        return count
    }
}
