package org.vvipe.core

/**
 * Where each joint of one order stands in another; by name, because orders differ between models.
 *
 * @throws ModelRefusedException if [from] lacks a joint of [to].
 */
internal class JointMapping(from: List<String>, to: List<String>) {
    private val sources = IntArray(to.size) { from.indexOf(to[it]) }

    init {
        val missing = to.filter { it !in from }
        if (missing.isNotEmpty()) {
            throw ModelRefusedException(
                ModelRefusal.METADATA_DIFFERS,
                "Expected joints $missing. Received: only $from",
            )
        }
    }

    val size get() = sources.size

    operator fun get(joint: Int) = sources[joint]
}
