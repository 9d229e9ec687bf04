package org.vvipe.demo

import android.os.Handler
import org.vvipe.core.FrameSource

/** The side of the device that a camera looks to. */
enum class Facing {
    FRONT,
    BACK;

    val other get() = if (this == FRONT) BACK else FRONT
}

/** The cameras that there are. */
interface Cameras {
    /** The sides that a camera looks to; empty where there is none. */
    val facings: Set<Facing>

    /**
     * Frames of a camera; the permission must have been given.
     *
     * @param facing one of [facings].
     * @param handler of the thread on which frames are delivered.
     * @param onLost called on that thread when the camera fails or another app takes it.
     */
    fun open(facing: Facing, handler: Handler, onLost: (String) -> Unit): FrameSource
}
