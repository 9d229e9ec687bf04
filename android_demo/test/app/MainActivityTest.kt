package org.vvipe.demo

import android.Manifest
import android.content.pm.PackageManager
import android.graphics.Bitmap
import android.graphics.Canvas
import android.os.Looper
import android.provider.Settings
import android.view.KeyEvent
import android.view.MotionEvent
import android.view.View
import android.view.ViewGroup
import android.widget.Button
import android.widget.ProgressBar
import android.widget.TextView
import java.io.File
import java.time.Duration
import org.junit.After
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertNotEquals
import org.junit.Assert.assertNotSame
import org.junit.Assert.assertSame
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.Robolectric
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.Shadows.shadowOf
import org.robolectric.android.controller.ActivityController
import org.robolectric.annotation.Config
import org.robolectric.annotation.GraphicsMode

@RunWith(RobolectricTestRunner::class)
@GraphicsMode(GraphicsMode.Mode.NATIVE)
@Config(sdk = [35], application = TestApplication::class, qualifiers = "w393dp-h852dp-xhdpi")
class MainActivityTest {
    private val application get() = RuntimeEnvironment.getApplication() as TestApplication
    private val controllers = mutableListOf<ActivityController<MainActivity>>()

    @After
    fun closeActivities() = controllers.forEach { it.close() }

    @Test
    fun `with a camera the screen shows a pose and its nearest ones`() {
        val activity = start(isAllowed = true)
        assertEquals(Facing.BACK, application.cameras.opened.single().facing)
        assertEquals("Pose found", text(activity, R.id.state))
        assertEquals(View.GONE, activity.findViewById<View>(R.id.notice).visibility)
        assertTrue(activity.findViewById<View>(R.id.save).isEnabled)
        assertEquals(listOf(1, 2, 3), cards(activity).map { it.contentDescription[7].digitToInt() })
        assertEquals(3, cards(activity).map { it.row }.filter { it != NeighbourCard.NONE }.toSet().size)
        assertTrue("0 of the picture's view is drawn", colours(activity.findViewById(R.id.picture)) > 500)
        assertTrue("0 of the pose's view is drawn", colours(activity.findViewById(R.id.pose)) > 20)
    }

    @Test
    @Config(qualifiers = "+night")
    fun `at night the screen is dark`() {
        val activity = start(isAllowed = true)
        val corner = screenshot(activity).getPixel(3, 900)
        assertEquals(0xFF0E141B.toInt(), corner)
        save(activity, "night")
    }

    @Test
    fun `without a permission the user is asked once and sees a clip`() {
        val activity = start(isAllowed = false)
        val request = shadowOf(activity).lastRequestedPermission
        assertEquals(listOf(Manifest.permission.CAMERA), request.requestedPermissions.asList())
        assertTrue(application.cameras.opened.isEmpty())
        assertEquals(activity.getString(R.string.notice_refused), text(activity, R.id.notice_text))
        assertEquals("Pose found", text(activity, R.id.state))
        save(activity, "refused")
    }

    @Test
    fun `a refused permission is explained and leads to the settings`() {
        val activity = start(isAllowed = false)
        answer(activity, PackageManager.PERMISSION_DENIED)
        val button = activity.findViewById<Button>(R.id.notice_action)
        assertEquals(activity.getString(R.string.settings), button.text)
        button.performClick()
        val intent = shadowOf(activity).nextStartedActivity
        assertEquals(Settings.ACTION_APPLICATION_DETAILS_SETTINGS, intent.action)
        assertEquals("package:org.vvipe.demo", intent.dataString)
    }

    @Test
    fun `a refusal that can be taken back is asked about again on request`() {
        shadowOf(application.packageManager)
            .setShouldShowRequestPermissionRationale(Manifest.permission.CAMERA, true)
        val activity = start(isAllowed = false)
        answer(activity, PackageManager.PERMISSION_DENIED)
        val button = activity.findViewById<Button>(R.id.notice_action)
        assertEquals(activity.getString(R.string.allow), button.text)
        assertEquals(null, shadowOf(activity).lastRequestedPermission)
        button.performClick()
        val request = shadowOf(activity).lastRequestedPermission
        assertEquals(listOf(Manifest.permission.CAMERA), request.requestedPermissions.asList())
    }

    @Test
    fun `a permission that is given starts the camera`() {
        val activity = start(isAllowed = false)
        shadowOf(application).grantPermissions(Manifest.permission.CAMERA)
        answer(activity, PackageManager.PERMISSION_GRANTED)
        assertTrue(application.cameras.opened.single().isRunning)
        assertEquals(View.GONE, activity.findViewById<View>(R.id.notice).visibility)
    }

    @Test
    fun `a device without a camera shows a clip and asks for nothing`() {
        application.cameras.facings = emptySet()
        val activity = start(isAllowed = false)
        assertEquals(null, shadowOf(activity).lastRequestedPermission)
        assertEquals(View.GONE, activity.findViewById<View>(R.id.notice_action).visibility)
        assertEquals("Pose found", text(activity, R.id.state))
    }

    @Test
    fun `a turned device keeps models, pose and view`() {
        val activity = start(isAllowed = true)
        activity.session.orbit.turnTo(1f, 0.2f)
        val session = activity.session
        RuntimeEnvironment.setQualifiers("w852dp-h393dp-land-xhdpi")
        controllers.single().configurationChange(application.resources.configuration)
        val turned = controllers.single().visible().get()
        settle(turned)
        assertNotSame(activity, turned)
        assertSame(session, turned.session)
        assertEquals(1f, turned.session.orbit.azimuth, 1e-6f)
        assertEquals(1, application.timesOpened)
        assertEquals(0, application.timesClosed)
        assertEquals(listOf(false, true), application.cameras.opened.map { it.isRunning })
        val (picture, pose) = listOf(R.id.picture, R.id.pose).map { turned.findViewById<View>(it) }
        assertTrue("side by side", picture.right <= pose.left && picture.top == pose.top)
        assertTrue(colours(pose) > 20)
        save(turned, "landscape")
    }

    @Test
    fun `a pause stops the camera and resuming starts it`() {
        val activity = start(isAllowed = true)
        val controller = controllers.single()
        controller.pause()
        val first = application.cameras.opened.single()
        assertFalse(first.isRunning)
        val delivered = first.delivered
        shadowOf(activity.session.handler.looper).idleFor(Duration.ofSeconds(1))
        assertEquals(delivered, first.delivered)
        controller.resume()
        settle(activity)
        assertTrue(application.cameras.opened.last().isRunning)
        assertEquals(1, application.timesOpened)
    }

    @Test
    fun `leaving closes the models and ends the thread`() {
        val activity = start(isAllowed = true)
        val thread = activity.session.handler.looper.thread
        controllers.removeAt(0).close()
        thread.join(10_000)
        assertFalse(thread.isAlive)
        assertEquals(1, application.timesClosed)
    }

    @Test
    fun `a camera that is taken away gives way to the clip and can be tried again`() {
        val activity = start(isAllowed = true)
        application.cameras.opened.single().let { activity.session.handler.post { it.onLost("taken") } }
        settle(activity)
        assertEquals(activity.getString(R.string.notice_camera_lost), text(activity, R.id.notice_text))
        assertFalse(application.cameras.opened.single().isRunning)
        activity.findViewById<View>(R.id.notice_action).performClick()
        assertTrue(application.cameras.opened.last().isRunning)
        assertEquals(2, application.cameras.opened.size)
    }

    @Test
    fun `the other camera is shown as in a mirror`() {
        val activity = start(isAllowed = true)
        activity.findViewById<View>(R.id.flip).performClick()
        settle(activity)
        assertEquals(listOf(Facing.BACK, Facing.FRONT), application.cameras.opened.map { it.facing })
        assertTrue(activity.findViewById<PictureView>(R.id.picture).isMirrored)
    }

    @Test
    fun `a saved pose is compared with, also after a new start`() {
        val activity = start(isAllowed = true)
        assertEquals(activity.getString(R.string.similarity_none), text(activity, R.id.similarity_text))
        val button = activity.findViewById<Button>(R.id.save)
        button.performClick()
        settle(activity, 40)
        assertEquals("Saving in 2…", button.text)
        assertEquals(0, application.poses.load().poses.size)
        settle(activity, 60)
        assertEquals(1, application.poses.load().poses.size)
        assertEquals(activity.getString(R.string.saved), text(activity, R.id.similarity_text))
        settle(activity, 80)
        // The pose is still being smoothed when it is saved.
        val likeness = text(activity, R.id.similarity_text)
        assertTrue(likeness, Regex("(9[5-9]|100) % like your saved pose").matches(likeness))
        save(activity, "portrait")
        controllers.removeAt(0).close()
        application.cameras.photo = "spread_arms_from_in_front.png"
        val again = start(isAllowed = true)
        assertTrue(text(again, R.id.similarity_text).endsWith("like your saved pose"))
        settle(again, 80)
        assertTrue(again.findViewById<ProgressBar>(R.id.similarity).progress in 1..90)
    }

    @Test
    fun `a countdown ends with a second touch and with a pause`() {
        val activity = start(isAllowed = true)
        val button = activity.findViewById<Button>(R.id.save)
        repeat(2) { button.performClick() }
        button.performClick()
        controllers.single().pause()
        settle(activity, 160)
        assertEquals(activity.getString(R.string.save), button.text)
        assertEquals(0, application.poses.load().poses.size)
    }

    @Test
    fun `a model that breaks down while it runs leaves the picture`() {
        val activity = start(isAllowed = true)
        application.isBroken = true
        settle(activity)
        assertEquals("No poses: broken", text(activity, R.id.state))
        assertTrue(application.cameras.opened.single().isRunning)
    }

    @Test
    fun `word of a camera that was left is no news`() {
        val activity = start(isAllowed = true)
        activity.findViewById<View>(R.id.flip).performClick()
        application.cameras.opened.first().let { activity.session.handler.post { it.onLost("late") } }
        settle(activity)
        assertTrue(application.cameras.opened.last().isRunning)
        assertEquals(View.GONE, activity.findViewById<View>(R.id.notice).visibility)
    }

    @Test
    fun `half a person and nobody are said in words`() {
        application.cameras.photo = "astronaut.png"
        val half = start(isAllowed = true)
        assertEquals(half.getString(R.string.state_half_body), text(half, R.id.state))
        assertFalse(half.findViewById<View>(R.id.save).isEnabled)
        controllers.removeAt(0).close()
        application.cameras.photo = PhotoCamera.NOTHING
        val nobody = start(isAllowed = true)
        assertEquals(nobody.getString(R.string.state_nobody), text(nobody, R.id.state))
        assertTrue(cards(nobody).all { it.row == NeighbourCard.NONE })
    }

    @Test
    fun `without models the reason and the picture are shown`() {
        application.hasModels = false
        val activity = start(isAllowed = true)
        assertEquals(
            "No poses: Expected detector.json in the assets. Received: none", text(activity, R.id.state),
        )
        assertTrue(colours(activity.findViewById(R.id.picture)) > 500)
    }

    @Test
    fun `the pose turns under a finger, a key and an action of a screen reader`() {
        val activity = start(isAllowed = true)
        val pose = activity.findViewById<PoseTurnView>(R.id.pose)
        val orbit = activity.session.orbit
        val before = picture(pose)
        var azimuth = orbit.azimuth
        for ((time, x) in listOf(0L to 40f, 20L to 90f, 40L to 160f)) {
            val action = if (time == 0L) MotionEvent.ACTION_DOWN else MotionEvent.ACTION_MOVE
            pose.dispatchTouchEvent(MotionEvent.obtain(0, time, action, x, 100f, 0))
        }
        assertNotEquals(azimuth, orbit.azimuth)
        assertFalse(before.sameAs(picture(pose)))
        azimuth = orbit.azimuth
        val key = KeyEvent(KeyEvent.ACTION_DOWN, KeyEvent.KEYCODE_DPAD_LEFT)
        assertTrue(pose.onKeyDown(key.keyCode, key))
        assertNotEquals(azimuth, orbit.azimuth)
        assertTrue(pose.performAccessibilityAction(R.id.turn_right, null))
        assertEquals(azimuth, orbit.azimuth, 1e-5f)
    }

    @Test
    fun `everything on the screen has a label and everything to be touched is large enough`() {
        val activity = start(isAllowed = false)
        val leaves = views(activity.window.decorView).filter { it !is ViewGroup && it.isShown }
        for (view in leaves.filter { it.isImportantForAccessibility && it.javaClass.name.startsWith("org.vvipe") }) {
            assertFalse("$view", view.contentDescription.isNullOrBlank())
        }
        val touched = leaves.filter { it.isClickable }
        assertTrue(touched.size >= 2)
        val least = 48 * activity.resources.displayMetrics.density
        for (view in touched) assertTrue("$view", view.height >= least && view.width >= least)
        val state = activity.findViewById<View>(R.id.state)
        assertEquals(View.ACCESSIBILITY_LIVE_REGION_POLITE, state.accessibilityLiveRegion)
    }

    private fun start(isAllowed: Boolean): MainActivity {
        if (isAllowed) {
            shadowOf(application).grantPermissions(Manifest.permission.CAMERA)
        } else {
            shadowOf(application).denyPermissions(Manifest.permission.CAMERA)
        }
        val controller = Robolectric.buildActivity(MainActivity::class.java).setup()
        controllers += controller
        return controller.get().also { settle(it) }
    }

    private fun settle(activity: MainActivity, frames: Int = 20) {
        repeat(frames) {
            shadowOf(activity.session.handler.looper).idle()
            shadowOf(Looper.getMainLooper()).idleFor(Duration.ofMillis(34))
        }
    }

    private fun answer(activity: MainActivity, result: Int) {
        activity.onRequestPermissionsResult(1, arrayOf(Manifest.permission.CAMERA), intArrayOf(result))
        settle(activity)
    }

    private fun text(activity: MainActivity, id: Int) = activity.findViewById<TextView>(id).text.toString()

    private fun cards(activity: MainActivity): List<NeighbourCard> =
        views(activity.findViewById(R.id.neighbours)).filterIsInstance<NeighbourCard>()

    private fun views(view: View): List<View> {
        val children = if (view is ViewGroup) (0 until view.childCount).map(view::getChildAt) else emptyList()
        return listOf(view) + children.flatMap(::views)
    }

    private fun colours(view: View): Int {
        val picture = picture(view)
        val pixels = IntArray(picture.width * picture.height)
        picture.getPixels(pixels, 0, picture.width, 0, 0, picture.width, picture.height)
        return pixels.toSet().size
    }

    private fun picture(view: View): Bitmap =
        Bitmap.createBitmap(view.width, view.height, Bitmap.Config.ARGB_8888).also { view.draw(Canvas(it)) }

    private fun screenshot(activity: MainActivity) = picture(activity.window.decorView)

    private fun save(activity: MainActivity, name: String) {
        val folder = File(System.getProperty("vvipe.screenshots") ?: return)
        folder.mkdirs()
        File(folder, "$name.png").outputStream().use {
            screenshot(activity).compress(Bitmap.CompressFormat.PNG, 100, it)
        }
    }
}
