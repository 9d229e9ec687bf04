package org.vvipe.demo

import org.vvipe.core.PersonState

/**
 * The state that is shown and read out: one that has lasted, so that a joint on the verge of being seen makes no
 * flicker and no chatter.
 *
 * @param settleNanos how long a new state must last.
 */
class StateText(private val settleNanos: Long = 300_000_000L) {
    private var shown: PersonState? = null
    private var next: PersonState? = null
    private var since = 0L

    /** Takes the state of a frame in; returns the string to show, or 0 if nothing changes. */
    fun update(state: PersonState, timeNanos: Long): Int {
        if (state != next) {
            next = state
            since = timeNanos
        }
        if (state == shown || (shown != null && timeNanos - since < settleNanos)) return 0
        shown = state
        return when (state) {
            PersonState.NOBODY -> R.string.state_nobody
            PersonState.HALF_BODY -> R.string.state_half_body
            PersonState.LEAVING -> R.string.state_leaving
            PersonState.TRACKED -> R.string.state_tracked
        }
    }
}
