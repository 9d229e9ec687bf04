package org.vvipe.demo

import android.content.res.AssetManager
import java.io.FileNotFoundException
import java.io.IOException
import java.nio.ByteBuffer
import java.nio.channels.FileChannel
import org.vvipe.core.DetectorManifest
import org.vvipe.core.Gallery
import org.vvipe.core.LiteManifest
import org.vvipe.core.ModelRefusal
import org.vvipe.core.ModelRefusedException
import org.vvipe.core.checkHash

/** Opens the models that lie in the app's assets, after their hashes have been compared. */
class AssetModels(private val assets: AssetManager) {
    /**
     * Opens detector, lifter and gallery.
     *
     * @throws ModelRefusedException if one is missing, damaged, or not what the document beside it describes.
     */
    fun open(): Models {
        val detectorManifest = DetectorManifest.parse(readText(DetectorManifest.FILE))
        val manifest = LiteManifest.parse(readText(LiteManifest.FILE))
        val present = assets.list("").orEmpty()
        val file = manifest.hashes.keys.firstOrNull { it in present }
            ?: throw ModelRefusedException(
                ModelRefusal.MISSING,
                "Expected one of ${manifest.hashes.keys.sorted()} in the assets. Received: none",
            )
        val sha256 = manifest.hashOf(file)
        val gallery = Gallery.parse(readText(Gallery.FILE), manifest, sha256)
        val detectorModel = map(detectorManifest.file).also { checkHash(it, detectorManifest.sha256) }
        val liftModel = map(file).also { checkHash(it, sha256) }
        val lifter = TfliteLifter(manifest, liftModel)
        val detector = try {
            TfliteDetector.open(detectorManifest, detectorModel)
        } catch (error: RuntimeException) {
            lifter.close()
            throw error
        }
        return Models(detector, lifter, gallery, sha256) { detector.isOnGpu }
    }

    private fun readText(name: String) = orMissing(name) {
        assets.open(name).use { it.readBytes().decodeToString() }
    }

    private fun map(name: String): ByteBuffer = orMissing(name) {
        // Models are stored in the APK without compression, so that they are mapped rather than copied.
        assets.openFd(name).use { entry ->
            entry.createInputStream().use {
                it.channel.map(FileChannel.MapMode.READ_ONLY, entry.startOffset, entry.declaredLength)
            }
        }
    }

    private inline fun <T> orMissing(name: String, read: () -> T): T = try {
        read()
    } catch (error: FileNotFoundException) {
        throw ModelRefusedException(ModelRefusal.MISSING, "Expected $name in the assets. Received: none", error)
    } catch (error: IOException) {
        throw ModelRefusedException(ModelRefusal.MISSING, "Expected to read $name. Received: ${error.message}", error)
    }
}
