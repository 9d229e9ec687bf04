package org.vvipe.core

import kotlin.math.PI
import kotlin.math.sqrt

/**
 * One-Euro filter (Casiez, Roussel and Vogel, CHI 2012) over poses: slow motion is smoothed, fast motion let through.
 * Equal to `one_euro` of `vvipe_tf/apps/smoothing.py`: the speed that opens the filter is that of a whole joint.
 *
 * @param numJoints joints of a pose.
 * @param minCutoff cutoff frequency at rest, in Hz; lower is smoother and later.
 * @param beta Hz of cutoff for each torso unit per second; higher is less lag in motion.
 * @param maxGapNanos after a longer pause the filter begins anew.
 */
class PoseSmoother(
    private val numJoints: Int,
    private val minCutoff: Double = 1.0,
    private val beta: Double = 3.0,
    private val maxGapNanos: Long = 500_000_000L,
) {
    private val smoothed = DoubleArray(numJoints * 3)
    private val velocity = DoubleArray(numJoints * 3)
    private var lastNanos = 0L
    private var isRunning = false

    init {
        require(minCutoff > 0 && beta >= 0) {
            "Expected minCutoff above 0 and beta of at least 0. Received: $minCutoff and $beta"
        }
    }

    /** Forgets the motion so far. */
    fun reset() {
        isRunning = false
    }

    /** Smooths [pose] (x, y, z of each joint) in place. */
    fun smooth(pose: FloatArray, timeNanos: Long) {
        val elapsedNanos = timeNanos - lastNanos
        lastNanos = timeNanos
        if (!isRunning || elapsedNanos <= 0 || elapsedNanos > maxGapNanos) {
            for (index in smoothed.indices) smoothed[index] = pose[index].toDouble()
            velocity.fill(0.0)
            isRunning = true
            return
        }
        val elapsed = elapsedNanos * 1e-9
        val trust = weight(DERIVATIVE_CUTOFF, elapsed)
        for (joint in 0 until numJoints) {
            var speedSquared = 0.0
            for (index in joint * 3 until joint * 3 + 3) {
                val slope = (pose[index] - smoothed[index]) / elapsed
                velocity[index] += trust * (slope - velocity[index])
                speedSquared += velocity[index] * velocity[index]
            }
            val share = weight(minCutoff + beta * sqrt(speedSquared), elapsed)
            for (index in joint * 3 until joint * 3 + 3) {
                smoothed[index] += share * (pose[index] - smoothed[index])
                pose[index] = smoothed[index].toFloat()
            }
        }
    }

    private companion object {
        const val DERIVATIVE_CUTOFF = 1.0

        fun weight(cutoff: Double, elapsed: Double): Double {
            val rate = 2 * PI * cutoff * elapsed
            return rate / (rate + 1)
        }
    }
}
