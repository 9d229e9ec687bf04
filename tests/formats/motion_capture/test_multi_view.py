"""A multi-camera recording is checked against itself before anybody uses it."""

import numpy as np
import pytest

from vvipe_tf.formats.motion_capture.multi_view import MultiViewCapture
from vvipe_tf.formats.motion_capture.recording import MotionCapture
from vvipe_tf.geometry.camera import Camera
from vvipe_tf.keypoints import COCO_17, H36M_17

CAMERAS, FRAMES = 3, 5
SCORES = np.linspace(0, 1, CAMERAS * FRAMES * 17).reshape(CAMERAS, FRAMES, 17)


def build(**replaced):
    capture = MotionCapture(
        profile=H36M_17,
        poses=np.random.default_rng(1).normal(size=(FRAMES, 17, 3)),
        subject=np.full(FRAMES, "S1"),
        sequence=np.full(FRAMES, "Walking 1"),
        frame=np.arange(FRAMES, dtype=np.int32),
        source="made up",
        license="none",
        fps=50.0,
    )
    arguments = {
        "capture": capture,
        "cameras": ("left", "right", "top"),
        "keypoints_2d": np.random.default_rng(2).uniform(0, 1000, (CAMERAS, FRAMES, 17, 2)),
        "profile_2d": COCO_17,
        "scores": SCORES,
        "kind": "openpose",
    }
    return MultiViewCapture(**arguments | replaced)


def calibration(*names):
    return tuple(Camera(name, np.eye(3), np.zeros(3), np.eye(3)) for name in names)


def test_a_recording_that_fits_is_kept_in_float32_with_its_gaps():
    keypoints = np.ones((CAMERAS, FRAMES, 17, 2))
    keypoints[1, 2] = np.nan
    recording = build(keypoints_2d=keypoints, calibration=calibration("left", "right", "top"))
    assert len(recording) == FRAMES
    assert recording.keypoints_2d.dtype == recording.scores.dtype == np.float32
    np.testing.assert_array_equal(np.isnan(recording.keypoints_2d).any(axis=(2, 3)).nonzero(), ([1], [2]))
    assert build(scores=None, kind="ground_truth").scores is None


@pytest.mark.parametrize(
    ("replaced", "message"),
    [
        ({"cameras": ("left", "right", "left")}, "distinct camera names"),
        ({"cameras": ()}, "at least one"),
        ({"keypoints_2d": np.zeros((FRAMES, CAMERAS, 17, 2))}, r"\(3, 5, 17, 2\) for COCO_17"),
        ({"keypoints_2d": np.zeros((CAMERAS, FRAMES, 16, 2))}, "for COCO_17"),
        ({"keypoints_2d": np.full((CAMERAS, FRAMES, 17, 2), np.inf)}, "Infinity"),
        ({"scores": SCORES[:, :4]}, r"scores of shape \(3, 5, 17\)"),
        ({"scores": SCORES * 1.5}, r"\[0, 1\]"),
        ({"scores": np.where(SCORES > 0.5, np.nan, SCORES)}, r"\[0, 1\]"),
        ({"kind": ""}, "name of a detector"),
        ({"calibration": calibration("left", "top", "right")}, "calibration of cameras"),
        ({"calibration": calibration("left", "right")}, "calibration of cameras"),
    ],
)
def test_what_does_not_fit_is_named(replaced, message):
    with pytest.raises(ValueError, match=message):
        build(**replaced)
