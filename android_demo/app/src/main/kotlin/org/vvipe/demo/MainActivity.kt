package org.vvipe.demo

import android.Manifest
import android.app.Activity
import android.content.Intent
import android.content.pm.PackageManager
import android.net.Uri
import android.os.Bundle
import android.os.SystemClock
import android.provider.Settings
import android.view.View
import android.view.ViewGroup
import android.widget.Button
import android.widget.ProgressBar
import android.widget.TextView
import android.widget.Toast
import org.vvipe.core.FrameResult
import org.vvipe.core.FrameSource
import org.vvipe.core.PersonState
import org.vvipe.core.PoseSimilarity
import org.vvipe.core.SavedPose

/** The one screen: the camera's picture beside the pose, the nearest poses, and the likeness to a saved pose. */
class MainActivity : Activity(), PoseSession.Listener {
    internal lateinit var session: PoseSession
        private set
    private lateinit var cameras: Cameras
    private lateinit var picture: PictureView
    private lateinit var pose: PoseTurnView
    private lateinit var state: TextView
    private lateinit var rate: TextView
    private lateinit var similarity: ProgressBar
    private lateinit var similarityText: TextView
    private lateinit var flip: Button
    private lateinit var save: Button
    private lateinit var cards: List<NeighbourCard>
    private val stateText = StateText()
    private var result: FrameResult? = null
    private var isResumed = false
    private var percent = UNKNOWN
    private var shownPercent = UNKNOWN
    private var textMillis = 0L
    private var secondsLeft = 0
    private val countdown = Runnable { countDown() }

    override fun onCreate(savedInstanceState: Bundle?) {
        super.onCreate(savedInstanceState)
        val application = application as DemoApplication
        @Suppress("DEPRECATION") // Deprecated for the ViewModel of androidx, which this app does without.
        session = lastNonConfigurationInstance as PoseSession? ?: PoseSession(application)
        cameras = application.openCameras()
        setContentView(R.layout.activity_main)
        picture = findViewById(R.id.picture)
        pose = findViewById(R.id.pose)
        state = findViewById(R.id.state)
        rate = findViewById(R.id.rate)
        similarity = findViewById(R.id.similarity)
        similarityText = findViewById(R.id.similarity_text)
        flip = findViewById(R.id.flip)
        save = findViewById(R.id.save)
        val row = findViewById<ViewGroup>(R.id.neighbours)
        cards = (0 until row.childCount).map { row.getChildAt(it) as NeighbourCard }
        picture.show(session)
        pose.show(session.orbit)
        flip.setOnClickListener { flipCamera() }
        save.setOnClickListener { if (secondsLeft == 0) startCountdown() else stopCountdown() }
        session.listener = this
    }

    override fun onResume() {
        super.onResume()
        isResumed = true
        startFrames()
    }

    override fun onPause() {
        isResumed = false
        stopCountdown()
        session.stop()
        super.onPause()
    }

    override fun onDestroy() {
        session.listener = null
        if (!isChangingConfigurations) session.close()
        super.onDestroy()
    }

    @Deprecated("For the ViewModel of androidx, which this app does without.")
    override fun onRetainNonConfigurationInstance(): Any = session

    override fun onRequestPermissionsResult(requestCode: Int, permissions: Array<String>, grantResults: IntArray) {
        if (isResumed) startFrames()
    }

    override fun onModelsOpened(models: Models) {
        val manifest = models.lifter.manifest
        result = FrameResult(manifest, PoseSession.NEIGHBOURS)
        picture.setManifest(manifest)
        pose.setManifest(manifest)
        cards.forEach { it.setGallery(models.gallery, manifest) }
    }

    override fun onModelsRefused(reason: String) {
        state.text = getString(R.string.state_model_refused, reason)
    }

    override fun onFrame() {
        picture.invalidate()
        val result = result ?: return
        if (!session.read(result) {}) return
        pose.setResult(result)
        save.isEnabled = result.hasPose || secondsLeft > 0
        stateText.update(result.state, result.timeNanos).let { if (it != 0) state.setText(it) }
        for (place in cards.indices) {
            val row = if (place < result.neighbours.size) result.neighbours.rows[place] else NeighbourCard.NONE
            cards[place].show(row, place + 1)
        }
        compare(result)
        showTexts()
    }

    override fun onPoseSaved() {
        shownPercent = UNKNOWN
        similarityText.setText(R.string.saved)
        textMillis = SystemClock.uptimeMillis() + SAVED_MILLIS
    }

    override fun onSaveFailed(reason: String) {
        Toast.makeText(this, getString(R.string.save_failed, reason), Toast.LENGTH_LONG).show()
    }

    private fun startFrames() {
        val facings = cameras.facings
        val isAllowed = checkSelfPermission(Manifest.permission.CAMERA) == PackageManager.PERMISSION_GRANTED
        when {
            facings.isEmpty() -> startClip(R.string.notice_no_camera)
            isAllowed -> startCamera(facings)
            else -> {
                // Refused once, in an earlier session perhaps: asked again only on request.
                val wasRefused = shouldShowRequestPermissionRationale(Manifest.permission.CAMERA)
                val canAsk = !session.wasAsked || wasRefused
                startClip(
                    R.string.notice_refused,
                    if (canAsk) R.string.allow else R.string.settings,
                    if (canAsk) ::askForCamera else ::openSettings,
                )
                if (!session.wasAsked && !wasRefused) askForCamera()
            }
        }
    }

    private fun startCamera(facings: Set<Facing>) {
        val facing = session.facing.takeIf { it in facings } ?: facings.first()
        session.facing = facing
        findViewById<View>(R.id.notice).visibility = View.GONE
        flip.visibility = if (facings.size > 1) View.VISIBLE else View.GONE
        picture.isMirrored = facing == Facing.FRONT
        lateinit var source: FrameSource
        source = cameras.open(facing, session.handler) { runOnUiThread { loseCamera(source) } }
        session.start(source)
    }

    private fun loseCamera(source: FrameSource) {
        // Word of a camera that has been left meanwhile is no news.
        if (isResumed && session.isShowing(source)) startClip(R.string.notice_camera_lost, R.string.retry, ::startFrames)
    }

    private fun startClip(notice: Int, actionLabel: Int = 0, action: () -> Unit = {}) {
        findViewById<View>(R.id.notice).visibility = View.VISIBLE
        findViewById<TextView>(R.id.notice_text).setText(notice)
        val button = findViewById<Button>(R.id.notice_action)
        button.visibility = if (actionLabel == 0) View.GONE else View.VISIBLE
        if (actionLabel != 0) button.setText(actionLabel)
        button.setOnClickListener { action() }
        flip.visibility = View.GONE
        picture.isMirrored = false
        session.start((application as DemoApplication).openClip(session.handler))
    }

    private fun askForCamera() {
        session.wasAsked = true
        requestPermissions(arrayOf(Manifest.permission.CAMERA), CAMERA_REQUEST)
    }

    private fun openSettings() {
        startActivity(Intent(Settings.ACTION_APPLICATION_DETAILS_SETTINGS, Uri.fromParts("package", packageName, null)))
    }

    private fun flipCamera() {
        session.facing = session.facing.other
        startFrames()
    }

    // Who is seen whole stands too far away to touch the screen at that moment.
    private fun startCountdown() {
        secondsLeft = COUNTDOWN_SECONDS
        countDown()
    }

    private fun countDown() {
        if (secondsLeft == 0) {
            save.setText(R.string.save)
            return savePose()
        }
        save.text = getString(R.string.save_in, secondsLeft--)
        save.postDelayed(countdown, SECOND_MILLIS)
    }

    private fun stopCountdown() {
        save.removeCallbacks(countdown)
        save.setText(R.string.save)
        secondsLeft = 0
    }

    private fun savePose() {
        val models = session.models ?: return
        val result = result?.takeIf { it.hasPose }
            ?: return Toast.makeText(this, R.string.save_nobody, Toast.LENGTH_LONG).show()
        session.save(
            SavedPose(
                getString(R.string.saved_name), System.currentTimeMillis(), models.modelSha256,
                models.lifter.manifest.poseJoints, result.pose.copyOf(), result.seen.copyOf(),
            ),
        )
    }

    private fun compare(result: FrameResult) {
        val reference = session.reference ?: return
        val likeness = if (result.hasPose && result.state != PersonState.NOBODY) {
            PoseSimilarity.measure(result.pose, result.seen, reference.pose, reference.seen)
        } else {
            Float.NaN
        }
        percent = if (likeness.isNaN()) HIDDEN else Math.round(likeness)
        similarity.progress = maxOf(percent, 0)
    }

    // Texts make garbage and tire the eye: a few times in a second is enough.
    private fun showTexts() {
        val now = SystemClock.uptimeMillis()
        if (now < textMillis) return
        textMillis = now + TEXT_MILLIS
        val models = session.models ?: return
        val where = getString(if (models.isOnGpu) R.string.on_gpu else R.string.on_cpu)
        rate.text = getString(R.string.rate, session.framesPerSecond(), session.medianMillis(), where)
        if (percent == shownPercent) return
        shownPercent = percent
        similarityText.text =
            if (percent == HIDDEN) getString(R.string.similarity_hidden) else getString(R.string.similarity, percent)
    }

    private companion object {
        const val CAMERA_REQUEST = 1
        const val UNKNOWN = -1
        const val HIDDEN = -2
        const val TEXT_MILLIS = 250L
        const val SECOND_MILLIS = 1000L
        const val COUNTDOWN_SECONDS = 3
        const val SAVED_MILLIS = 2000L
    }
}
