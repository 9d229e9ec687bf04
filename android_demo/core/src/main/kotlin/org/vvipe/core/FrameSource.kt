package org.vvipe.core

/** Where frames come from: a camera, or pictures in a test. */
interface FrameSource {
    /**
     * Begins to deliver frames, one at a time and always on the same thread. A frame that arrives while the last one is
     * still being worked on is dropped by the source, so that the delay never grows.
     */
    fun start(listener: FrameListener)

    /** Ends the delivery; when it returns, no callback is running and none will come. Calling it twice is harmless. */
    fun stop()
}

/** Receives frames. */
fun interface FrameListener {
    /** Works on [frame], which is valid until this returns. */
    fun onFrame(frame: Frame)
}
