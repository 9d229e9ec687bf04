package org.vvipe.core

/**
 * Draws the keypoints of a frame over its picture into a [DisplayList]; bones with a missing joint are left out.
 *
 * @param skeleton bones between the keypoints.
 */
class KeypointView(private val skeleton: Skeleton) {
    constructor(manifest: LiteManifest) : this(Skeleton.ofKeypoints(manifest))

    /**
     * Fills [into] with the keypoints of [result].
     *
     * @param fit where the picture is in the view.
     * @param width width in pixels of a bone.
     */
    fun draw(result: FrameResult, fit: PictureFit, width: Float, into: DisplayList) {
        into.clear()
        for (bone in 0 until skeleton.size) {
            if (!skeleton.isVisible(bone, result.visible)) continue
            val x0 = fit.viewX(end(result, bone, 0, 0))
            val y0 = fit.viewY(end(result, bone, 0, 1))
            val x1 = fit.viewX(end(result, bone, 1, 0))
            val y1 = fit.viewY(end(result, bone, 1, 1))
            // A light edge keeps the colours apart from any picture.
            into.addLine(x0, y0, x1, y1, width * 1.6f, HALO, 1f)
            into.addLine(x0, y0, x1, y1, width, skeleton.colour(bone), 0f)
        }
        for (joint in result.visible.indices) {
            if (!result.visible[joint]) continue
            val x = fit.viewX(result.keypoints[joint * 3])
            into.addDisc(x, fit.viewY(result.keypoints[joint * 3 + 1]), width * 0.8f, HALO, -1f)
        }
    }

    private fun end(result: FrameResult, bone: Int, end: Int, axis: Int) =
        skeleton.end(result.keypoints, 3, axis, bone, end)

    private companion object {
        const val HALO = 0xE6FFFFFF.toInt()
    }
}
