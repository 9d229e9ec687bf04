package org.vvipe.core

import kotlin.math.PI
import kotlin.math.cos
import kotlin.math.sin

/**
 * A camera that circles around the pelvis of a canonical pose under a finger; conventions of
 * `vvipe_tf/geometry/camera.py` (`view_rotation`, `project_view`). It begins in front of the person, a little to their
 * right and above.
 */
class OrbitCamera {
    private val rotation = FloatArray(9)

    /** Direction of the camera around the spine, in radians from +x (the person's back) towards +y (their right). */
    var azimuth = 0f
        private set

    /** Height of the camera, in radians above the horizon. */
    var elevation = 0f
        private set

    /** Magnification. */
    var zoom = 1f
        private set

    init {
        reset()
    }

    /** Back to the first view. */
    fun reset() {
        zoom = 1f
        turnTo(FIRST_AZIMUTH, FIRST_ELEVATION)
    }

    /** Looks from [azimuth] and [elevation] (radians); the elevation stays short of the poles. */
    fun turnTo(azimuth: Float, elevation: Float) {
        this.azimuth = azimuth.mod(2 * PI.toFloat())
        this.elevation = elevation.coerceIn(-MAX_ELEVATION, MAX_ELEVATION)
        val cosAz = cos(this.azimuth)
        val sinAz = sin(this.azimuth)
        val cosEl = cos(this.elevation)
        val sinEl = sin(this.elevation)
        setRow(0, -sinAz, cosAz, 0f)
        setRow(1, sinEl * cosAz, sinEl * sinAz, -cosEl)
        setRow(2, -cosEl * cosAz, -cosEl * sinAz, -sinEl)
    }

    /** Turns the person as if the finger had hold of them: [dx], [dy] in shares of the view's shorter side. */
    fun drag(dx: Float, dy: Float) = turnTo(azimuth - dx * PI.toFloat(), elevation + dy * PI.toFloat())

    /** Magnifies by [factor], as two fingers do. */
    fun pinch(factor: Float) {
        zoom = (zoom * factor).coerceIn(MIN_ZOOM, MAX_ZOOM)
    }

    /**
     * Projects one point: [into] receives x and y in the plane (a point at the pelvis' depth keeps its size in torso
     * units; y down) and the distance from the camera in torso units.
     */
    fun project(x: Float, y: Float, z: Float, into: FloatArray) {
        val depth = maxOf(axis(2, x, y, z) + DISTANCE, MIN_RELATIVE_DEPTH * DISTANCE)
        val scale = zoom * DISTANCE / depth
        into[0] = axis(0, x, y, z) * scale
        into[1] = axis(1, x, y, z) * scale
        into[2] = depth
    }

    private fun axis(row: Int, x: Float, y: Float, z: Float) =
        rotation[row * 3] * x + rotation[row * 3 + 1] * y + rotation[row * 3 + 2] * z

    private fun setRow(row: Int, x: Float, y: Float, z: Float) {
        rotation[row * 3] = x
        rotation[row * 3 + 1] = y
        rotation[row * 3 + 2] = z
    }

    companion object {
        /** Distance of the camera from the pelvis, torso units. */
        const val DISTANCE = 7f
        private const val FIRST_AZIMUTH = (150 * PI / 180).toFloat()
        private const val FIRST_ELEVATION = (14 * PI / 180).toFloat()
        private const val MAX_ELEVATION = (85 * PI / 180).toFloat()
        private const val MIN_RELATIVE_DEPTH = 0.01f
        private const val MIN_ZOOM = 0.5f
        private const val MAX_ZOOM = 4f
    }
}
