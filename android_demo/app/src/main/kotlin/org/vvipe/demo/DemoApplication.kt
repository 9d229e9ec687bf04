package org.vvipe.demo

import android.app.Application
import android.os.Handler
import java.io.File
import org.vvipe.core.FrameSource
import org.vvipe.core.PoseStore

/** Says what the app is made of; a test overrides what a computer does not have. */
open class DemoApplication : Application() {
    /** Opens the models of the app's assets; takes a while. Called on the thread that runs them. */
    open fun openModels(): Models = AssetModels(assets).open()

    /** The clip of the app's assets, played on the thread of [handler]. */
    open fun openClip(handler: Handler): FrameSource = ClipFrames(assets, handler)

    /** The cameras of the device. */
    open fun openCameras(): Cameras = DeviceCameras(this)

    /** The poses that the user has saved. */
    val poses by lazy { PoseStore(File(filesDir, "poses")) }
}
