"""Recorded views for tests: generated poses, filmed by level cameras around them."""

import numpy as np

from vvipe_tf.data.recorded_keypoints import RecordedKeypoints
from vvipe_tf.data.rigs import CalibratedRig, ordered_pairs
from vvipe_tf.data.synthetic import generate_synthetic
from vvipe_tf.data.view_set import ViewSet
from vvipe_tf.formats.motion_capture.multi_view import GROUND_TRUTH
from vvipe_tf.geometry.camera import Camera, view_rotation

INTRINSICS = np.array([[900.0, 0, 500], [0, 900, 500], [0, 0, 1]])


def calibrate_cameras(names):
    """Cameras 9 m from the origin, all around it, 1 m above the ground."""
    cameras = []
    for place, name in enumerate(names):
        azimuth = 2 * np.pi * place / len(names) + 0.3
        rotation = view_rotation(np.float64(azimuth), np.float64(0.0), np.float64(0.0))
        centre = np.array([9 * np.cos(azimuth), 9 * np.sin(azimuth), 1.0])
        cameras.append(Camera(name, rotation, centre, INTRINSICS))
    return tuple(cameras)


def film_poses(poses, names=("left", "front", "right")):
    """What the cameras see of a data set, without error."""
    rig = CalibratedRig("lab", calibrate_cameras(names), ordered_pairs(len(names)))
    pixels = rig.project(poses)
    return ViewSet(poses, names, {GROUND_TRUTH: RecordedKeypoints(pixels, np.ones(pixels.shape[:3]))})


def make_views(num_poses=70, seed=0, names=("left", "front", "right")):
    """Generated people, filmed."""
    return film_poses(generate_synthetic(num_poses, seed, num_subjects=2), names)
