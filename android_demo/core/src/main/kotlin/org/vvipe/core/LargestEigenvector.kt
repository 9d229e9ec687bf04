package org.vvipe.core

import kotlin.math.abs
import kotlin.math.sqrt

/**
 * Largest eigenvalue of symmetric matrices and its eigenvector, by Jacobi's rotations; without allocating.
 *
 * @param size rows of the matrices.
 */
internal class LargestEigenvector(private val size: Int) {
    private val turns = DoubleArray(size * size)

    /** The matrix, row by row; destroyed by [solve]. */
    val matrix = DoubleArray(size * size)

    /** The eigenvector of length 1. */
    val vector = DoubleArray(size)

    /** Solves [matrix] into [vector]; returns the eigenvalue. */
    fun solve(): Double {
        for (index in turns.indices) turns[index] = if (index % (size + 1) == 0) 1.0 else 0.0
        repeat(MAX_SWEEPS) {
            var changed = false
            for (p in 0 until size - 1) {
                for (q in p + 1 until size) changed = rotate(p, q) || changed
            }
            if (!changed) return pick()
        }
        return pick()
    }

    /** Turns the plane of axes [p] and [q] so that their common element vanishes; false where it is nothing already. */
    private fun rotate(p: Int, q: Int): Boolean {
        val common = matrix[p * size + q]
        if (abs(common) <= TOLERANCE * (abs(matrix[p * size + p]) + abs(matrix[q * size + q]))) return false
        val theta = (matrix[q * size + q] - matrix[p * size + p]) / (2 * common)
        val tangent = (if (theta < 0) -1 else 1) / (abs(theta) + sqrt(theta * theta + 1))
        val cosine = 1 / sqrt(tangent * tangent + 1)
        val sine = tangent * cosine
        for (k in 0 until size) mix(matrix, k * size + p, k * size + q, cosine, sine)
        for (k in 0 until size) mix(matrix, p * size + k, q * size + k, cosine, sine)
        for (k in 0 until size) mix(turns, k * size + p, k * size + q, cosine, sine)
        return true
    }

    private fun mix(values: DoubleArray, first: Int, second: Int, cosine: Double, sine: Double) {
        val a = values[first]
        val b = values[second]
        values[first] = cosine * a - sine * b
        values[second] = sine * a + cosine * b
    }

    private fun pick(): Double {
        var best = 0
        for (k in 1 until size) if (matrix[k * size + k] > matrix[best * size + best]) best = k
        for (k in 0 until size) vector[k] = turns[k * size + best]
        return matrix[best * size + best]
    }

    private companion object {
        const val MAX_SWEEPS = 30
        const val TOLERANCE = 1e-15
    }
}
