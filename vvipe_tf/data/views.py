"""Random views of world poses: body shape, mirroring, camera (paper 4.4).

Plain functions of arrays: NumPy, or in the graph with `xp=keras.ops`. The random numbers come from outside, so that a
step of training can be repeated exactly.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from vvipe_tf.geometry.camera import project_view, view_rotation
from vvipe_tf.geometry.keypoints_2d import normalise_keypoints
from vvipe_tf.keypoints import COCO_13, KeypointProfile

# Each group of bones is scaled by one factor, left and right alike. The trunk is the unit of length and stays.
BONE_GROUPS: Mapping[str, tuple[tuple[str, str], ...]] = {
    "trunk": (("pelvis", "neck"),),
    "shoulders": (("neck", "left_shoulder"), ("neck", "right_shoulder")),
    "hips": (("pelvis", "left_hip"), ("pelvis", "right_hip")),
    "upper_arms": (("left_shoulder", "left_elbow"), ("right_shoulder", "right_elbow")),
    "forearms": (("left_elbow", "left_wrist"), ("right_elbow", "right_wrist")),
    "thighs": (("left_hip", "left_knee"), ("right_hip", "right_knee")),
    "shins": (("left_knee", "left_ankle"), ("right_knee", "right_ankle")),
    "head": (("neck", "nose"),),
}


@dataclass(frozen=True)
class ViewConfig:
    """Which views of a pose are drawn in training.

    Half of the views (`augmented_fraction`) are free: any azimuth, elevation and roll within the limits. The others
    stand in for the cameras of a laboratory: any azimuth, a fixed elevation, no roll.

    Args:
        views_per_pose: Views of each pose in a batch.
        augmented_fraction: Share of free views.
        max_elevation: Limit of the elevation of free views, radians, both ways.
        max_roll: Limit of the roll of free views, radians, both ways.
        chest_elevation: Elevation of the other views, radians.
        min_distance: Least distance of the camera from the pelvis, torso units.
        max_distance: Greatest distance.
        free_distance: Distance of free views, torso units; 0 for that of the others.
        body_shape_sigma: Standard deviation of the logarithm of each bone group's factor in a view, whose target keeps
            its own proportions; 0 leaves bodies alone.
        pose_shape_sigma: The same for the pose itself: its views and its target change together.
        mirror: Whether half of the poses are mirrored.
        keypoint_noise: Standard deviation of the noise on normalised keypoints (a torso is about 0.5).
        keypoint_dropout: Chance that a view misses joints; each joint is then missing with a chance of 1 in 4.

    Raises:
        ValueError: If a value is out of its range.
    """

    views_per_pose: int = 2
    augmented_fraction: float = 0.5
    max_elevation: float = np.pi / 3
    max_roll: float = np.pi / 6
    chest_elevation: float = np.deg2rad(8.0)
    min_distance: float = 5.0
    max_distance: float = 14.0
    free_distance: float = 0.0
    body_shape_sigma: float = 0.06
    pose_shape_sigma: float = 0.12
    mirror: bool = True
    keypoint_noise: float = 0.0
    keypoint_dropout: float = 0.0

    def __post_init__(self):
        """Checks the ranges."""
        if self.views_per_pose < 1:
            raise ValueError(f"Expected views_per_pose of at least 1. Received: {self.views_per_pose}")
        if not 2.0 <= self.min_distance <= self.max_distance:
            raise ValueError(
                "Expected camera distances of at least 2 torso units, the least first. "
                f"Received: {self.min_distance}, {self.max_distance}"
            )
        if self.free_distance != 0 and not self.free_distance >= 2.0:
            raise ValueError(f"Expected free_distance of 0 or at least 2 torso units. Received: {self.free_distance}")
        for name in ("augmented_fraction", "keypoint_dropout"):
            if not 0.0 <= getattr(self, name) <= 1.0:
                raise ValueError(f"Expected {name} in [0, 1]. Received: {getattr(self, name)}")
        for name in ("max_elevation", "max_roll", "body_shape_sigma", "pose_shape_sigma", "keypoint_noise"):
            if not 0.0 <= getattr(self, name) < np.inf:
                raise ValueError(f"Expected a finite {name} of at least 0. Received: {getattr(self, name)}")


class ViewDraw(NamedTuple):
    """Random numbers of a batch of views, each (poses, views, ...).

    Attributes:
        azimuth: (poses, views), radians.
        elevation: (poses, views), radians.
        roll: (poses, views), radians.
        distance: (poses, views), torso units.
        bone_factors: (poses, views, groups), in the order of BONE_GROUPS.
        noise: (poses, views, joints, 2), normalised units.
        visible: (poses, views, joints), 1 or 0.
    """

    azimuth: np.ndarray
    elevation: np.ndarray
    roll: np.ndarray
    distance: np.ndarray
    bone_factors: np.ndarray
    noise: np.ndarray
    visible: np.ndarray


def _bone_operators():
    """Joint -> bone vectors, bone vectors -> joints, bone -> group, for COCO_13 with derived pelvis and neck."""
    bones = [(group, bone) for group, members in enumerate(BONE_GROUPS.values()) for bone in members]
    points = {name: np.zeros(COCO_13.num_joints) for name in (*COCO_13.keypoint_names, "pelvis", "neck")}
    for name, row in points.items():
        sources = COCO_13.sources_of(name)
        row[list(sources)] = 1.0 / len(sources)
    to_bones = np.stack([points[child] - points[parent] for _, (parent, child) in bones])
    path_to = {"pelvis": np.zeros(len(bones))}
    for index, (_, (parent, child)) in enumerate(bones):
        path_to[child] = path_to[parent] + np.eye(len(bones))[index]
    to_joints = np.stack([path_to[name] for name in COCO_13.keypoint_names])
    groups = np.eye(len(BONE_GROUPS))[[group for group, _ in bones]]
    return to_bones.astype(np.float32), to_joints.astype(np.float32), groups.astype(np.float32)


_TO_BONES, _TO_JOINTS, _GROUPS = _bone_operators()


def scale_bones(pose, factors, xp=np):
    """Changes the proportions of bodies, bone group by bone group, and leaves all directions alone.

    Args:
        pose: COCO_13 poses (..., 13, 3), any frame; they come back with the mid-hip at the origin.
        factors: Factors (..., groups) in the order of BONE_GROUPS.
        xp: NumPy or keras.ops.

    Returns:
        Poses (..., 13, 3).
    """
    bones = xp.matmul(_TO_BONES, pose) * xp.expand_dims(xp.matmul(factors, _GROUPS.T), -1)
    return xp.matmul(_TO_JOINTS, bones)


def mirror_pose(pose, axis: int, profile: KeypointProfile = COCO_13, xp=np):
    """Mirrors poses (..., joints, 3) along one axis and swaps left and right.

    Args:
        pose: Poses; axis 1 in the canonical frame, where the hips lie along y; any horizontal axis in the world.
        axis: Coordinate to negate.
        profile: Joints of `pose`.
        xp: NumPy or keras.ops.
    """
    sign = np.ones(3, np.float32)
    sign[axis] = -1
    return xp.take(pose, profile.flip_indices, axis=-2) * sign


def render_views(world_pose, draw: ViewDraw, use_mask: bool, xp=np):
    """Projects world poses into their drawn views and normalises the keypoints.

    Args:
        world_pose: COCO_13 poses (poses, 13, 3), Z up, root-centred, torso units.
        draw: Random numbers of the views.
        use_mask: Whether the visibility is added as a third channel.
        xp: NumPy or keras.ops.

    Returns:
        Normalised keypoints (poses, views, 13, 3 with the mask or 2 without).
    """
    shaped = scale_bones(xp.expand_dims(world_pose, 1), draw.bone_factors, xp=xp)
    rotation = view_rotation(draw.azimuth, draw.elevation, draw.roll, xp=xp)
    keypoints, _ = normalise_keypoints(project_view(shaped, rotation, draw.distance, xp=xp), xp=xp)
    keypoints, _ = normalise_keypoints(keypoints + draw.noise, draw.visible, xp=xp)
    if not use_mask:
        return keypoints
    return xp.concatenate([keypoints, xp.expand_dims(draw.visible, -1)], axis=-1)
