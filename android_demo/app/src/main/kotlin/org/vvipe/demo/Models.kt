package org.vvipe.demo

import org.vvipe.core.Gallery
import org.vvipe.core.PoseDetector
import org.vvipe.core.PoseLifter

/**
 * The models that are open, and the poses that fit them.
 *
 * @property detector finds keypoints.
 * @property lifter makes a pose of them.
 * @property gallery poses to find the nearest of.
 * @property modelSha256 hash of the lifter's file.
 * @param onGpu whether the detector runs on the GPU now; one that fails there goes on without it.
 */
class Models(
    val detector: PoseDetector,
    val lifter: PoseLifter,
    val gallery: Gallery,
    val modelSha256: String,
    private val onGpu: () -> Boolean,
) : AutoCloseable {
    /** Whether the detector runs on the GPU. */
    val isOnGpu get() = onGpu()

    override fun close() {
        detector.close()
        lifter.close()
    }
}
