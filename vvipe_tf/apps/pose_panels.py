"""One moment of a scene, in panels beside each other: keypoints, the pose on the picture, the pose in space."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes

from vvipe_tf.apps.frame_images import FrameImages
from vvipe_tf.apps.pose_overlay import draw_keypoints, draw_photo, draw_reprojection
from vvipe_tf.apps.pose_scene import PoseScene
from vvipe_tf.apps.pose_staging import stage_poses, view_from
from vvipe_tf.apps.skeleton_plot import draw_skeleton
from vvipe_tf.apps.skeleton_view import SkeletonView, view_pose

PANELS = {"keypoints": "keypoints", "overlay": "lifted, back on the picture", "pose": "3D pose"}
_MARGIN_2D, _MARGIN_3D = 0.14, 0.02
# Width of a panel in heights.
_LEAST_ASPECT, _GREATEST_ASPECT = 0.5, 2.2
_NOTE_COLOUR = "#6B6B6B"


class ScenePanels:
    """Paints moments of a scene. All moments have one scale.

    Args:
        scene: What to show.
        frames: The moments that will be asked for.
        panels: Which of `PANELS`.
        images: Pictures below keypoints and overlay, or None for white paper.
        azimuths: Camera angle at each moment, degrees as in `view_from`.
        elevation: Camera angle, degrees.
        still: Whether the windows stay where they are from moment to moment, for videos, instead of following.
        whole_image: Whether to show whole pictures rather than the part with the people.
    """

    def __init__(
        self,
        scene: PoseScene,
        frames: Sequence[int],
        panels: Sequence[str],
        images: FrameImages | None,
        azimuths: Mapping[int, float],
        elevation: float,
        still: bool = False,
        whole_image: bool = False,
    ):
        self.scene, self.panels, self.still, self._images = scene, tuple(panels), still, images
        self._azimuths, self._elevation = azimuths, elevation
        self._staged = stage_poses(scene)
        self._limit = None if images is None else np.array(images.size, np.float64)
        self._flat = _boxes({frame: self._bounds_2d(frame) for frame in frames}, still, self._limit)
        self.space_boxes = _boxes({frame: self._bounds_3d(frame) for frame in frames}, still, None)
        if whole_image and self._limit is not None:
            self._flat = dict.fromkeys(frames, np.stack([np.zeros(2), self._limit]))
        self.flat_size = _window_size(self._flat, 0.0 if whole_image else _MARGIN_2D)
        self.space_size = _window_size(self.space_boxes, _MARGIN_3D)

    def aspects(self) -> list[float]:
        """Widths of the panels, in heights."""
        sizes = [self.space_size if panel == "pose" else self.flat_size for panel in self.panels]
        return [float(width / height) for width, height in sizes]

    def draw(self, axes: Sequence[Axes], frame: int, line_width: float = 2.4) -> None:
        """Paints a moment, one axes a panel; what they held is cleared.

        Args:
            axes: Axes of the panels.
            frame: The moment.
            line_width: Width of a bone in points.
        """
        paint = {"keypoints": self._draw_keypoints, "overlay": self._draw_overlay, "pose": self._draw_poses}
        image = None
        if self._images is not None and set(self.panels) != {"pose"}:
            image = self._images.read(frame)
        for panel, each in zip(self.panels, axes, strict=True):
            each.clear()
            each.set_axis_off()
            (left, top), (right, bottom) = self._window(panel, frame)
            each.set(xlim=(left, right), ylim=(bottom, top), aspect="equal")
            if panel != "pose" and self._images is not None:
                if image is None:
                    _write(each, "no picture")
                else:
                    draw_photo(each, image)
            rows = self.scene.rows_at(frame)
            if not len(rows):
                _write(each, "nobody found")
            paint[panel](each, rows, line_width)

    def _draw_keypoints(self, axes, rows, line_width):
        table = self.scene.keypoints
        for row in rows:
            draw_keypoints(
                axes,
                table.keypoints_2d[row].astype(np.float64),
                table.scores[row],
                table.profile,
                self.scene.score_threshold,
                0.8 * line_width,
            )

    def _draw_overlay(self, axes, rows, line_width):
        valid = self.scene.valid
        for row in rows[valid[rows]]:
            draw_reprojection(
                axes, self.scene.reprojected[row], self.scene.seen[row], self.scene.profile, 0.9 * line_width
            )
        _write_refused(axes, int((~valid[rows]).sum()))

    def _draw_poses(self, axes, rows, line_width):
        valid = self.scene.valid
        views = self._views(rows[valid[rows]])
        for view in views:
            draw_skeleton(axes, view, line_width)
        _write_refused(axes, int((~valid[rows]).sum()))

    def _views(self, rows) -> list[SkeletonView]:
        """The poses of rows of one frame, the farthest first."""
        if not len(rows):
            return []
        rotation = view_from(self._azimuths[int(self.scene.frame[rows[0]])], self._elevation)
        depth = (self._staged[rows].mean(axis=1) @ rotation.T)[:, 2]
        return [
            view_pose(self._staged[row], self.scene.profile, rotation, self.scene.seen[row])
            for row in rows[np.argsort(-depth, kind="stable")]
        ]

    def _window(self, panel, frame) -> np.ndarray:
        """Least and greatest corner (2, 2) of what a panel shows; inside the picture where it fits in."""
        if panel == "pose":
            return self.space_boxes[frame].mean(axis=0) + np.outer([-0.5, 0.5], self.space_size)
        corner, limit = self._flat[frame].mean(axis=0) - self.flat_size / 2, self._limit
        if limit is not None:
            inside = np.clip(corner, 0.0, np.maximum(limit - self.flat_size, 0.0))
            # Pixel centres lie on whole numbers.
            corner = np.where(self.flat_size > limit, (limit - self.flat_size) / 2, inside) - 0.5
        return np.stack([corner, corner + self.flat_size])

    def _bounds_2d(self, frame) -> np.ndarray | None:
        rows, table = self.scene.rows_at(frame), self.scene.keypoints
        if table is None or not len(rows):
            return None
        scores = table.scores[rows]
        points = [table.keypoints_2d[rows][(scores > 0) & (scores >= self.scene.score_threshold)].astype(np.float64)]
        points.append(self.scene.reprojected[rows][self.scene.valid[rows]].reshape(-1, 2))
        return _corners(np.concatenate(points))

    def _bounds_3d(self, frame) -> np.ndarray | None:
        rows = self.scene.rows_at(frame)
        return _corners(
            np.concatenate([np.zeros((0, 2)), *(view.bounds() for view in self._views(rows[self.scene.valid[rows]]))])
        )


def match_windows(scenes: Sequence[ScenePanels]) -> None:
    """Gives the panels of several scenes one shape, and all poses one scale; windows that stand still, one place."""
    if all(scene.still for scene in scenes):
        boxes = np.array([box for scene in scenes for box in scene.space_boxes.values()])
        shared = np.stack([boxes[:, 0].min(axis=0), boxes[:, 1].max(axis=0)])
        for scene in scenes:
            scene.space_boxes = dict.fromkeys(scene.space_boxes, shared)
            scene.space_size = _window_size(scene.space_boxes, _MARGIN_3D)
    size = np.max([scene.space_size for scene in scenes], axis=0)
    flat = [scene for scene in scenes if scene.scene.keypoints is not None]
    aspect = max((scene.flat_size[0] / scene.flat_size[1] for scene in flat), default=1.0)
    for scene in scenes:
        scene.space_size = size
        scene.flat_size = np.array([aspect, 1.0]) * scene.flat_size[1]


def _corners(points) -> np.ndarray | None:
    return np.stack([points.min(axis=0), points.max(axis=0)]) if len(points) else None


def _boxes(bounds, still, limit) -> dict[int, np.ndarray]:
    """For each frame the corners (2, 2) of what it shows; those of all frames where the window stands still."""
    known = np.array([each for each in bounds.values() if each is not None])
    if not len(known):
        known = np.array([[[0.0, 0.0], [1.0, 1.0] if limit is None else limit]])
    whole = np.stack([known[:, 0].min(axis=0), known[:, 1].max(axis=0)])
    return {frame: whole if still or each is None else each for frame, each in bounds.items()}


def _window_size(boxes, margin) -> np.ndarray:
    """Width and height of a window that holds each of the boxes, no narrower and no wider than a panel may be."""
    size = np.max([box[1] - box[0] for box in boxes.values()], axis=0)
    size = np.maximum(size + 2 * margin * size.max(), 1e-6)
    return np.maximum(size, size[::-1] * [_LEAST_ASPECT, 1 / _GREATEST_ASPECT])


def _write_refused(axes, count):
    if count:
        _write(axes, f"{count if count > 1 else 'one'} not lifted: too little of a body")


def _write(axes, text):
    axes.text(
        0.5, 0.03, text, transform=axes.transAxes, ha="center", va="bottom", size=7, color=_NOTE_COLOUR, zorder=9,
        bbox={"facecolor": "white", "alpha": 0.75, "edgecolor": "none", "pad": 1.5},
    )  # fmt: skip
