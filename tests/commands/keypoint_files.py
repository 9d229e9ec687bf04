"""Keypoint files for the tests of commands: people in motion, as detectors write them."""

import json

import numpy as np

from vvipe_tf.data.rigs import CHEST
from vvipe_tf.data.synthetic import generate_synthetic
from vvipe_tf.keypoints import COCO_13, COCO_17

FACE = [COCO_17.index(name) for name in ("left_eye", "right_eye", "left_ear", "right_ear")]
HIPS = [COCO_17.index("left_hip"), COCO_17.index("right_hip")]


def detected_people(frames=12):
    """Detections COCO_17 (2 people, frames, 17, 3) of two synthetic clips: x, y in pixels and the score.

    Eyes are missing where the back of a head is seen: left and right can be checked.
    """
    dataset = generate_synthetic(num_poses=900, seed=2, num_subjects=2)
    sequences, counts = np.unique(dataset.sequence, return_counts=True)
    people = []
    for number, name in enumerate(sequences[counts >= frames][:2]):
        clip = dataset.select(np.flatnonzero(dataset.sequence == name)[:frames])
        seen = CHEST.project(clip, seed=1)[0] if number else CHEST.project(clip, seed=1)[2]
        joints = np.zeros((frames, 17, 3))
        joints[:, [COCO_17.index(name) for name in COCO_13.keypoint_names], :2] = seen * 900 + 400 + 800 * number
        joints[:, FACE, :2] = joints[:, :1, :2] + [[-6, -8], [6, -8], [-14, -4], [14, -4]]
        joints[..., 2] = 0.9
        joints[:, :3, 2] = np.where(_seen_from_the_front(joints), 0.8, 0.31)[:, None]
        people.append(joints)
    return np.stack(people)


def _seen_from_the_front(joints):
    """Where the left shoulder of an upright body lies to the right in the picture; detectors then see a face."""
    left, right = (joints[:, COCO_17.index(f"{side}_shoulder"), :2] for side in ("left", "right"))
    up = (left + right) / 2 - joints[:, HIPS, :2].mean(axis=1)
    across = left - right
    return up[:, 0] * across[:, 1] - up[:, 1] * across[:, 0] > 0


def write_alphapose(path, people, ids=(4, 9), frames=None):
    """AlphaPose's list; returns the path as text."""
    frames = range(people.shape[1]) if frames is None else frames
    records = [
        {"image_id": f"{frame}.jpg", "category_id": 1, "keypoints": joints.ravel().round(3).tolist(), "score": 2.1}
        | ({} if ids is None else {"idx": ids[number]})
        for row, frame in enumerate(frames)
        for number, joints in enumerate(people[:, row])
    ]
    path.write_text(json.dumps(records))
    return str(path)
