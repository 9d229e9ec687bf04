package org.vvipe.core

/**
 * Where the samples of one axis of a square lie in a stored picture: between which two of its pixels, and how near to
 * each.
 *
 * @param size number of samples.
 */
internal class AxisSamples(size: Int) {
    val low = IntArray(size)
    val high = IntArray(size)
    private val nearest = IntArray(size)

    /** Share of [high]; the rest is that of [low]. */
    val share = FloatArray(size)
    private val inside = BooleanArray(size)

    fun isInside(sample: Int) = inside[sample]

    fun nearest(sample: Int) = nearest[sample]

    /**
     * Spreads the samples over [side] pixels from [start] on.
     *
     * @param length pixels of the picture along this axis.
     * @param isReversed whether the picture is stored with its end first.
     */
    fun set(start: Float, side: Float, length: Int, isReversed: Boolean) {
        val step = side / low.size
        for (sample in low.indices) {
            val upright = start + (sample + 0.5f) * step - 0.5f
            val place = if (isReversed) length - 1 - upright else upright
            inside[sample] = upright >= -0.5f && upright < length - 0.5f
            val kept = place.coerceIn(0f, (length - 1).toFloat())
            low[sample] = kept.toInt()
            high[sample] = minOf(low[sample] + 1, length - 1)
            share[sample] = kept - low[sample]
            nearest[sample] = if (share[sample] < 0.5f) low[sample] else high[sample]
        }
    }
}
