"""Scenes for the tests of pictures: two people who wave, the second one lifted only at times."""

import numpy as np

from tests.small_models import STANDING_POSE
from vvipe_tf.apps.pose_scene import PoseScene
from vvipe_tf.apps.pose_staging import view_from
from vvipe_tf.formats.detections.detection_table import DetectionTable
from vvipe_tf.keypoints import COCO_13

WRIST = COCO_13.index("left_wrist")
SCALE = 100.0
# Mid-hip of the two people in pixels.
PLACES = {4: (200.0, 260.0), 9: (520.0, 240.0)}


def waving_scene(num_frames=5, people=(4, 9), coordinate_frame="canonical", unit="torso"):
    """People seen from the front by a camera far away; person 9 is not lifted in frame 11, and frames start at 10."""
    frames = np.repeat(np.arange(num_frames) + 10, len(people))
    person = np.tile(people, num_frames)
    poses = np.repeat(STANDING_POSE[None], len(frames), axis=0).astype(np.float64)
    poses[:, WRIST, 2] += 0.2 * (frames - 10)
    pixels = SCALE * (poses @ view_from(0.0, 0.0).T)[..., :2] + np.array([PLACES[each] for each in person])[:, None]
    scores = np.full(pixels.shape[:2], 0.9)
    poses[(person == 9) & (frames == 11)] = np.nan
    table = DetectionTable(
        pixels.astype(np.float32), scores.astype(np.float32), COCO_13, frames, person, "test", image_size=(700, 500)
    )
    reprojected = np.where(np.isfinite(poses).all(axis=(1, 2))[:, None, None], pixels, np.nan)
    seen = np.ones(pixels.shape[:2], bool)
    return PoseScene(
        "waving", frames, person, poses, seen, COCO_13, coordinate_frame, unit, 20.0, table, reprojected, 0.3
    )


def share_of(pixels, colour, tolerance=12):
    """Share of pixels (..., 3) uint8 within a tolerance of a colour."""
    wanted = np.array([int(colour[start : start + 2], 16) for start in (1, 3, 5)])
    return float((np.abs(pixels.astype(int) - wanted).max(axis=-1) <= tolerance).mean())
