"""What a picture shows: people at moments, with their keypoints, their poses, and what of these was seen."""

from dataclasses import dataclass, replace

import numpy as np

from vvipe_tf.apps.lift_result import LiftResult
from vvipe_tf.formats.detections.detection_table import DetectionTable
from vvipe_tf.formats.pose_files.pose_sequence import PoseSequence
from vvipe_tf.keypoints import COCO_13, KeypointProfile


@dataclass(frozen=True)
class PoseScene:
    """People at moments, one row each.

    Args:
        title: What it was made from.
        frame: Frame numbers (rows,).
        person: Track ids (rows,), -1 without.
        poses: 3D poses (rows, joints, 3); NaN where the detection shows too little of a body to be lifted.
        seen: Joints that were seen (rows, joints) bool; the others are a guess.
        profile: Joints of `poses`.
        coordinate_frame: As in `PoseSequence`.
        unit: As in `PoseSequence`.
        fps: Frames per second, or None.
        keypoints: The detections, row by row, or None where only poses are known.
        reprojected: The poses as their fitted camera sees them (rows, joints, 2) in pixels, or None.
        score_threshold: Least score of a keypoint that was used.
    """

    title: str
    frame: np.ndarray
    person: np.ndarray
    poses: np.ndarray
    seen: np.ndarray
    profile: KeypointProfile
    coordinate_frame: str
    unit: str
    fps: float | None = None
    keypoints: DetectionTable | None = None
    reprojected: np.ndarray | None = None
    score_threshold: float = 0.0

    def __len__(self) -> int:
        """Number of rows."""
        return len(self.frame)

    @property
    def valid(self) -> np.ndarray:
        """Rows that have a pose (rows,) bool."""
        return np.isfinite(self.poses).all(axis=(1, 2))

    @property
    def people(self) -> list[int]:
        """Track ids of everybody who has a pose at some moment, ascending."""
        return np.unique(self.person[self.valid]).tolist()

    def rows_at(self, frame: int) -> np.ndarray:
        """Indices of the rows of a frame."""
        return np.flatnonzero(self.frame == frame)

    def select(self, rows: np.ndarray) -> "PoseScene":
        """Some rows, by mask or index."""
        columns = {name: getattr(self, name) for name in ("frame", "person", "poses", "seen", "reprojected")}
        taken = {name: None if column is None else column[rows] for name, column in columns.items()}
        keypoints = None if self.keypoints is None else self.keypoints.select(rows)
        return replace(self, **taken, keypoints=keypoints)


def lifted_scene(
    title: str,
    table: DetectionTable,
    result: LiftResult,
    score_threshold: float,
    fps: float | None = None,
    coordinate_frame: str = "canonical",
) -> PoseScene:
    """Scene of lifted keypoints; a camera far away is fitted to each pose, and shows it on the picture.

    Args:
        title: What it was made from.
        table: What was lifted.
        result: What `PoseEmbedder.lift` made of it.
        score_threshold: Least score of a keypoint that was used.
        fps: Frames per second, or None.
        coordinate_frame: `"canonical"`, or `"camera"` for the poses as the camera sees them.

    Returns:
        The scene, in torso lengths, with a row for each detection.
    """
    poses = result.poses.astype(np.float64)
    reprojected = np.full((*poses.shape[:2], 2), np.nan)
    if result.valid.any():
        camera = result.weak_camera()
        reprojected[result.valid] = camera.project(poses[result.valid])
        if coordinate_frame == "camera":
            poses[result.valid] = camera.place(poses[result.valid])
    return PoseScene(
        title,
        table.frame,
        table.person,
        poses,
        result.visible,
        COCO_13,
        coordinate_frame,
        "torso",
        fps,
        table,
        reprojected,
        score_threshold,
    )


def recorded_scene(title: str, sequence: PoseSequence) -> PoseScene:
    """Scene of 3D poses; joints of score 0 were not seen, as `lift` writes them.

    Args:
        title: What it was made from.
        sequence: The poses.
    """
    seen = np.ones(sequence.poses.shape[:2], bool) if sequence.scores is None else sequence.scores > 0
    poses = np.asarray(sequence.poses, np.float64)
    return PoseScene(
        title,
        sequence.frame,
        sequence.person,
        poses,
        seen,
        sequence.profile,
        sequence.coordinate_frame,
        sequence.unit,
        sequence.fps,
    )
