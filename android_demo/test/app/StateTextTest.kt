package org.vvipe.demo

import org.junit.Assert.assertEquals
import org.junit.Test
import org.vvipe.core.PersonState

class StateTextTest {
    @Test
    fun `a state is shown once it has lasted`() {
        val text = StateText(settleNanos = 100)
        assertEquals(R.string.state_nobody, text.update(PersonState.NOBODY, 10))
        assertEquals(0, text.update(PersonState.TRACKED, 20))
        assertEquals(0, text.update(PersonState.NOBODY, 70))
        assertEquals(0, text.update(PersonState.TRACKED, 130))
        assertEquals(0, text.update(PersonState.TRACKED, 229))
        assertEquals(R.string.state_tracked, text.update(PersonState.TRACKED, 230))
        assertEquals(0, text.update(PersonState.TRACKED, 900))
    }
}
