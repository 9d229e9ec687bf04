package org.vvipe.core

import kotlin.math.PI
import kotlin.math.cos
import kotlin.math.sin

/**
 * Draws a canonical pose, standing on a floor at its lowest joint, into a [DisplayList].
 *
 * @param skeleton bones of the pose.
 * @param numJoints its joints.
 */
class PoseView(private val skeleton: Skeleton, private val numJoints: Int) {
    private val projected = FloatArray(numJoints * 3)
    private val point = FloatArray(3)
    private var centreX = 0f
    private var centreY = 0f
    private var unit = 0f

    constructor(manifest: LiteManifest) : this(Skeleton.ofPose(manifest), manifest.poseJoints.size)

    /**
     * Fills [into] with a view of a pose.
     *
     * @param pose x, y and z of each joint, torso units.
     * @param seen joints that were seen; what is guessed is drawn paler. Null draws all alike.
     * @param camera where it is seen from.
     * @param left left edge of the view in pixels; [top], [width] and [height] likewise.
     */
    fun draw(
        pose: FloatArray, seen: BooleanArray?, camera: OrbitCamera,
        left: Float, top: Float, width: Float, height: Float, into: DisplayList,
    ) {
        // From overhead hands to feet a person measures about 4 torso units, of which the pelvis is in the middle.
        unit = minOf(width, height) / VIEW_UNITS
        centreX = left + width / 2
        centreY = top + height / 2
        into.clear()
        drawFloor(pose, camera, into)
        for (joint in 0 until numJoints) {
            project(camera, pose[joint * 3], pose[joint * 3 + 1], pose[joint * 3 + 2])
            point.copyInto(projected, joint * 3)
        }
        drawBody(seen, camera, into)
    }

    private fun drawBody(seen: BooleanArray?, camera: OrbitCamera, into: DisplayList) {
        for (bone in 0 until skeleton.size) {
            val isSeen = seen == null || skeleton.isVisible(bone, seen)
            val colour = if (isSeen) skeleton.colour(bone) else BodyColours.paler(skeleton.colour(bone))
            into.addLine(
                end(bone, 0, 0), end(bone, 0, 1), end(bone, 1, 0), end(bone, 1, 1),
                BONE_WIDTH * unit * camera.zoom, colour, (end(bone, 0, 2) + end(bone, 1, 2)) / 2,
            )
        }
        if (skeleton.nose >= 0) {
            val at = skeleton.nose * 3
            val isSeen = seen == null || seen[skeleton.nose]
            val colour = if (isSeen) BodyColours.TRUNK else BodyColours.paler(BodyColours.TRUNK)
            into.addDisc(projected[at], projected[at + 1], HEAD_RADIUS * unit * camera.zoom, colour, projected[at + 2])
        }
    }

    private fun drawFloor(pose: FloatArray, camera: OrbitCamera, into: DisplayList) {
        var level = Float.MAX_VALUE
        for (joint in 0 until numJoints) level = minOf(level, pose[joint * 3 + 2])
        project(camera, FLOOR_RADIUS, 0f, level)
        for (corner in 1..FLOOR_CORNERS) {
            val x = point[0]
            val y = point[1]
            val turn = corner * (2 * PI / FLOOR_CORNERS).toFloat()
            project(camera, FLOOR_RADIUS * cos(turn), FLOOR_RADIUS * sin(turn), level)
            into.addLine(x, y, point[0], point[1], FLOOR_WIDTH * unit, FLOOR_COLOUR, Float.MAX_VALUE)
        }
    }

    private fun project(camera: OrbitCamera, x: Float, y: Float, z: Float) {
        camera.project(x, y, z, point)
        point[0] = centreX + point[0] * unit
        point[1] = centreY + point[1] * unit
    }

    private fun end(bone: Int, end: Int, axis: Int) = skeleton.end(projected, 3, axis, bone, end)

    private companion object {
        const val VIEW_UNITS = 4.4f
        const val BONE_WIDTH = 0.09f
        const val HEAD_RADIUS = 0.15f
        const val FLOOR_RADIUS = 0.8f
        const val FLOOR_WIDTH = 0.02f
        const val FLOOR_CORNERS = 24
        const val FLOOR_COLOUR = 0x804D4D4D.toInt()
    }
}
