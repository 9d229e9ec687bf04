package org.vvipe.core

import kotlin.math.sqrt

/**
 * How alike two poses are, whichever side they were filmed from and however large the people are.
 *
 * The measure is that of the project's evaluation (NP-MPJPE): the first pose is turned, scaled and moved onto the
 * second as well as possible (Horn, Journal of the Optical Society of America A 4, 1987; never mirrored), and the mean
 * distance of their joints is taken.
 */
object PoseSimilarity {
    /** Mean distance of the joints, in torso units, at which the similarity is 0: half a torso. */
    const val ZERO_DISTANCE = 0.5f

    /** Fewer common joints than this cannot be compared. */
    const val MIN_JOINTS = 6

    private val means = DoubleArray(6)
    private val products = DoubleArray(9)
    private val rotation = DoubleArray(9)
    private val horn = LargestEigenvector(4)
    private var extent = 0.0

    /**
     * Similarity of [pose] to [saved] from 0 to 100: `100 * (1 - distance / 0.5)`, of the joints seen in both.
     *
     * 100 is the same pose; at 80 the joints are 0.1 torso units (5 cm on an adult) apart, which the evaluation counts
     * as the same pose; 0 is half a torso or more. It does not allocate, and any thread may call it.
     *
     * @return the similarity, or NaN where fewer than 6 joints were seen in both.
     */
    @Synchronized
    fun measure(pose: FloatArray, seen: BooleanArray, saved: FloatArray, savedSeen: BooleanArray): Float {
        require(pose.size == saved.size && seen.size * 3 == pose.size && savedSeen.size == seen.size) {
            "Expected two poses of the same joints. Received: ${pose.size} and ${saved.size} numbers"
        }
        val count = takeMeans(pose, seen, saved, savedSeen)
        if (count < MIN_JOINTS) return Float.NaN
        takeProducts(pose, seen, saved, savedSeen)
        val reached = turn()
        val scale = if (extent > 0) reached / extent else 1.0
        val distance = sumDistances(pose, seen, saved, savedSeen, scale) / count
        return (100 * maxOf(0.0, 1 - distance / ZERO_DISTANCE)).toFloat()
    }

    private fun takeMeans(pose: FloatArray, seen: BooleanArray, saved: FloatArray, savedSeen: BooleanArray): Int {
        var count = 0
        means.fill(0.0)
        for (joint in seen.indices) {
            if (!seen[joint] || !savedSeen[joint]) continue
            count++
            for (axis in 0..2) {
                means[axis] += pose[joint * 3 + axis].toDouble()
                means[3 + axis] += saved[joint * 3 + axis].toDouble()
            }
        }
        for (index in means.indices) means[index] /= maxOf(count, 1).toDouble()
        return count
    }

    private fun takeProducts(pose: FloatArray, seen: BooleanArray, saved: FloatArray, savedSeen: BooleanArray) {
        extent = 0.0
        products.fill(0.0)
        for (joint in seen.indices) {
            if (!seen[joint] || !savedSeen[joint]) continue
            for (i in 0..2) {
                val from = pose[joint * 3 + i] - means[i]
                extent += from * from
                for (j in 0..2) products[i * 3 + j] += from * (saved[joint * 3 + j] - means[3 + j])
            }
        }
    }

    /** Finds the best [rotation]; returns the sum of products that it reaches. */
    private fun turn(): Double {
        val s = products
        val n = horn.matrix
        n[0] = s[0] + s[4] + s[8]
        n[5] = s[0] - s[4] - s[8]
        n[10] = -s[0] + s[4] - s[8]
        n[15] = -s[0] - s[4] + s[8]
        setBoth(0, 1, s[5] - s[7])
        setBoth(0, 2, s[6] - s[2])
        setBoth(0, 3, s[1] - s[3])
        setBoth(1, 2, s[1] + s[3])
        setBoth(1, 3, s[6] + s[2])
        setBoth(2, 3, s[5] + s[7])
        val reached = horn.solve()
        val w = horn.vector[0]
        val x = horn.vector[1]
        val y = horn.vector[2]
        val z = horn.vector[3]
        setRow(0, w * w + x * x - y * y - z * z, 2 * (x * y - w * z), 2 * (x * z + w * y))
        setRow(1, 2 * (x * y + w * z), w * w - x * x + y * y - z * z, 2 * (y * z - w * x))
        setRow(2, 2 * (x * z - w * y), 2 * (y * z + w * x), w * w - x * x - y * y + z * z)
        return reached
    }

    private fun setBoth(row: Int, column: Int, value: Double) {
        horn.matrix[row * 4 + column] = value
        horn.matrix[column * 4 + row] = value
    }

    private fun setRow(row: Int, x: Double, y: Double, z: Double) {
        rotation[row * 3] = x
        rotation[row * 3 + 1] = y
        rotation[row * 3 + 2] = z
    }

    private fun sumDistances(
        pose: FloatArray, seen: BooleanArray, saved: FloatArray, savedSeen: BooleanArray, scale: Double,
    ): Double {
        var sum = 0.0
        for (joint in seen.indices) {
            if (!seen[joint] || !savedSeen[joint]) continue
            var squares = 0.0
            for (axis in 0..2) {
                var turned = 0.0
                for (i in 0..2) turned += rotation[axis * 3 + i] * (pose[joint * 3 + i] - means[i])
                val difference = scale * turned - (saved[joint * 3 + axis] - means[3 + axis])
                squares += difference * difference
            }
            sum += sqrt(squares)
        }
        return sum
    }
}
