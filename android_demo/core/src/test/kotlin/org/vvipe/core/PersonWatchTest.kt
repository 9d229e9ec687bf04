package org.vvipe.core

import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Test
import org.vvipe.core.TestPeople.score

/** What is said about the person. */
class PersonWatchTest {
    private val watch = PersonWatch(TestPeople.joints)
    private var now = 1_000_000_000_000L

    private fun see(keypoints: FloatArray, liftable: Boolean, after: Double = 0.04): PersonState {
        now += (after * 1e9).toLong()
        return watch.update(keypoints, TestPeople.visible(keypoints), liftable, 640, 480, now)
    }

    @Test
    fun `nobody shows fewer than three joints`() {
        assertEquals(PersonState.NOBODY, see(TestPeople.standing().score(0.1f, ""), false))
        val two = TestPeople.standing().score(0.1f, "").score(0.9f, "wrist")
        assertEquals(PersonState.NOBODY, see(two, false))
        assertEquals(PersonState.HALF_BODY, see(two.score(0.9f, "nose"), false))
    }

    @Test
    fun `half a body cannot be lifted`() {
        val upper = TestPeople.standing(y = 470f).score(0.05f, "hip", "knee", "ankle")
        assertEquals(PersonState.HALF_BODY, see(upper, false))
        assertEquals(PersonState.HALF_BODY, see(upper, false))
        // Hips, but no legs: the lifter would invent them.
        assertEquals(PersonState.HALF_BODY, see(upper.score(0.9f, "hip"), true))
    }

    @Test
    fun `a whole body inside is tracked`() = assertEquals(PersonState.TRACKED, see(TestPeople.standing(), true))

    @Test
    fun `who walks out is leaving, then nobody`() {
        assertEquals(PersonState.TRACKED, see(TestPeople.standing(x = 500f), true))
        assertEquals(PersonState.LEAVING, see(TestPeople.standing(x = 580f), true))
        val cut = TestPeople.standing(x = 620f)
        for (joint in TestPeople.joints.indices) if (cut[joint * 3] > 640f) cut[joint * 3 + 2] = 0.05f
        assertEquals(PersonState.LEAVING, see(cut, false))
        assertEquals(PersonState.NOBODY, see(TestPeople.standing(x = 800f).score(0.05f, ""), false))
    }

    @Test
    fun `who comes back in is tracked again`() {
        see(TestPeople.standing(x = 580f), true)
        assertEquals(PersonState.TRACKED, see(TestPeople.standing(x = 500f), true))
    }

    @Test
    fun `feet that stay cut off are forgotten after a second`() {
        see(TestPeople.standing(y = 318f), true)
        val cut = TestPeople.standing(y = 330f).score(0.05f, "ankle")
        assertEquals(PersonState.LEAVING, see(cut, true))
        assertEquals(PersonState.LEAVING, see(cut, true, after = 0.9))
        assertEquals(PersonState.TRACKED, see(cut, true, after = 0.2))
    }
}
