package org.vvipe.core

/** Colours of the sides of a body, `0xAARRGGBB`: three of Okabe and Ito's palette, as in `skeleton_view.py`. */
object BodyColours {
    const val LEFT = 0xFF0072B2.toInt()
    const val RIGHT = 0xFFD55E00.toInt()
    const val TRUNK = 0xFF4D4D4D.toInt()

    /** The colour of a bone between two joints: of its side, or of the trunk. */
    fun of(first: String, second: String): Int {
        val parts = setOf(first.substringAfter('_'), second.substringAfter('_'))
        return when {
            parts == setOf("shoulder", "hip") -> TRUNK
            first.startsWith("left_") && second.startsWith("left_") -> LEFT
            first.startsWith("right_") && second.startsWith("right_") -> RIGHT
            else -> TRUNK
        }
    }

    /** [colour] for what is guessed rather than seen: the same, but paler. */
    fun paler(colour: Int) = colour and 0xFFFFFF or (0x59 shl 24)
}

/**
 * The bones of a body in one joint order, with the colours of their sides; a neck leads from the middle of the
 * shoulders to the nose.
 *
 * @param joints names of the joints of the points that are to be drawn.
 * @param bones joint names at the two ends of each bone.
 */
class Skeleton(joints: List<String>, bones: List<Pair<String, String>>) {
    private val sources: IntArray
    private val colours: IntArray

    init {
        val ends = bones.map { (first, second) -> listOf(first, first, second, second) } +
            listOf(listOf("left_shoulder", "right_shoulder", "nose", "nose"))
        sources = ends.flatten().map { joints.indexOf(it) }.toIntArray()
        colours = ends.map { BodyColours.of(it[1], it[2]) }.toIntArray()
        require(sources.all { it >= 0 }) { "Expected joints ${ends.flatten().toSet()}. Received: $joints" }
    }

    /** Joint of the nose, where the head is. */
    val nose = joints.indexOf("nose")

    /** Number of bones. */
    val size get() = colours.size

    fun colour(bone: Int) = colours[bone]

    /** Coordinate [axis] of one end (0 or 1) of [bone]; each point of [points] has [stride] values. */
    fun end(points: FloatArray, stride: Int, axis: Int, bone: Int, end: Int): Float {
        val at = bone * 4 + end * 2
        return (points[sources[at] * stride + axis] + points[sources[at + 1] * stride + axis]) / 2
    }

    /** Whether all joints of [bone] are marked in [visible]. */
    fun isVisible(bone: Int, visible: BooleanArray): Boolean {
        val at = bone * 4
        return visible[sources[at]] && visible[sources[at + 1]] && visible[sources[at + 2]] && visible[sources[at + 3]]
    }

    companion object {
        /** The skeleton of the poses of a model. */
        fun ofPose(manifest: LiteManifest) = Skeleton(manifest.poseJoints, manifest.bones)

        /** The same bones between the keypoints that the model takes. */
        fun ofKeypoints(manifest: LiteManifest) = Skeleton(manifest.inputJoints, manifest.bones)
    }
}
