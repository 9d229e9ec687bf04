package org.vvipe.core

import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Test
import org.vvipe.core.TestPeople.score

/** Where the detector looks next. */
class CropTrackerTest {
    private val tracker = CropTracker(TestPeople.joints).also { it.prepare(1000, 800) }

    private fun assertRegion(left: Float, top: Float, side: Float) {
        assertEquals(listOf(left, top, side), listOf(tracker.region.left, tracker.region.top, tracker.region.side))
    }

    @Test
    fun `it begins with the smallest square around the picture`() = assertRegion(0f, -100f, 1000f)

    @Test
    fun `it looks around the hips, 1_2 times as far as the farthest joint`() {
        // The ankles are 160 pixels below the hips (times 1.2 is 192), the shoulders 100 above (times 1.9 is 190).
        tracker.update(TestPeople.standing(500f, 400f))
        assertRegion(500f - 192f, 400f - 192f, 384f)
    }

    @Test
    fun `without legs the trunk decides`() {
        // The head is 140 pixels above the hips: 168 is less than 190.
        tracker.update(TestPeople.standing(500f, 400f).score(0.1f, "knee", "ankle"))
        assertRegion(500f - 190f, 400f - 190f, 380f)
    }

    @Test
    fun `it looks at everything again when the trunk is lost`() {
        for (lost in listOf("hip", "shoulder")) {
            tracker.update(TestPeople.standing(500f, 400f))
            tracker.update(TestPeople.standing(500f, 400f).score(0.1f, lost))
            assertRegion(0f, -100f, 1000f)
        }
    }

    @Test
    fun `it looks at everything when the person fills the picture or is a point`() {
        tracker.update(TestPeople.standing(500f, 400f, scale = 3f))
        assertRegion(0f, -100f, 1000f)
        tracker.update(TestPeople.standing(500f, 400f, scale = 0f))
        assertRegion(0f, -100f, 1000f)
    }

    @Test
    fun `it forgets the person when the picture turns`() {
        tracker.update(TestPeople.standing(500f, 400f))
        tracker.prepare(1000, 800)
        assertRegion(308f, 208f, 384f)
        tracker.prepare(800, 1000)
        assertRegion(-100f, 0f, 1000f)
    }
}
