"""Rigs: the sets of cameras that retrieval is measured between.

A rig turns the poses of a data set into 2D keypoints, one view per camera, and names the ordered camera pairs
(query, gallery) of the protocol. Virtual rigs invent their cameras; a calibrated rig has real ones. Their numbers never
stand in one table, hence `is_virtual`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from vvipe_tf.data.dataset import PoseDataset
from vvipe_tf.geometry.camera import Camera, project_view, view_rotation
from vvipe_tf.keypoints import COCO_13, KeypointProfile, map_keypoints


@dataclass(frozen=True)
class VirtualRig:
    """Cameras on a sphere around the pelvis, all looking at it, image up = world up, focal length 1.

    Args:
        name: Name of the rig, e.g. `"chest"`.
        azimuths_deg: Azimuth of each camera in degrees, before the random turn.
        elevations_deg: Elevation of each camera in degrees, positive above the pelvis.
        pairs: Ordered (query, gallery) camera indices.
        distance_mm: Distance of every camera from the pelvis in millimetres.

    Raises:
        ValueError: If azimuths and elevations differ in number, a pair is not one of two different cameras, or the
            distance is not positive.
    """

    name: str
    azimuths_deg: tuple[float, ...]
    elevations_deg: tuple[float, ...]
    pairs: tuple[tuple[int, int], ...]
    distance_mm: float = 4500.0
    is_virtual: ClassVar[bool] = True

    def __post_init__(self):
        """Checks the rig."""
        if len(self.azimuths_deg) != len(self.elevations_deg):
            raise ValueError(
                f"Expected as many azimuths as elevations in rig {self.name}. "
                f"Received: {len(self.azimuths_deg)} azimuths, {len(self.elevations_deg)} elevations"
            )
        if not (np.isfinite(self.distance_mm) and self.distance_mm > 0):
            raise ValueError(f"Expected a positive camera distance in millimetres. Received: {self.distance_mm}")
        _check_pairs(self.name, self.pairs, self.num_cameras)

    @property
    def num_cameras(self) -> int:
        """Number of cameras."""
        return len(self.azimuths_deg)

    @property
    def camera_names(self) -> tuple[str, ...]:
        """One readable name per camera."""
        angles = zip(self.azimuths_deg, self.elevations_deg, strict=True)
        return tuple(f"azimuth {azimuth:g}, elevation {elevation:g}" for azimuth, elevation in angles)

    def project(self, dataset: PoseDataset, seed: int) -> np.ndarray:
        """Projects every pose into every camera.

        The whole rig is turned by one random azimuth per pose, so that no camera sees people from a preferred side.

        Args:
            dataset: Poses; the profile must map to COCO_13.
            seed: Seed of the turns.

        Returns:
            2D keypoints (cameras, N, 13, 2) float64 on the plane at focal length 1, y down.

        Raises:
            ValueError: If the profile of `dataset` does not map to COCO_13.
        """
        poses = dataset.centred(COCO_13).astype(np.float64)
        distance = self.distance_mm / dataset.torso_lengths_mm.astype(np.float64)
        return np.stack([project_view(poses, rotation, distance) for rotation in self._rotations(len(poses), seed)])

    def camera_poses(self, dataset: PoseDataset, seed: int, profile: KeypointProfile) -> np.ndarray:
        """Every pose in the axes of every camera, as a lifter should find it.

        Args:
            dataset: Poses.
            seed: Seed of the turns, as for `project`.
            profile: Joints wanted.

        Returns:
            Poses (cameras, N, joints, 3) float64, x right, y down, z forward, pelvis at the origin, torso units.

        Raises:
            ValueError: If `profile` cannot be had from that of `dataset`.
        """
        poses = dataset.centred(profile).astype(np.float64)
        return np.stack([poses @ np.swapaxes(each, -1, -2) for each in self._rotations(len(poses), seed)])

    def _rotations(self, num_poses: int, seed: int) -> Iterator[np.ndarray]:
        """World-to-camera rotations (num_poses, 3, 3) of each camera."""
        turns = np.random.default_rng(seed).uniform(-np.pi, np.pi, num_poses)
        level = np.zeros(num_poses)
        for azimuth, elevation in zip(np.radians(self.azimuths_deg), np.radians(self.elevations_deg), strict=True):
            yield view_rotation(turns + azimuth, level + elevation, level)


@dataclass(frozen=True)
class CalibratedRig:
    """Real, calibrated cameras that stand still in the world of the poses.

    Args:
        name: Name of the rig, e.g. the data set's.
        cameras: Calibrated cameras; their world is in metres, Z up.
        pairs: Ordered (query, gallery) camera indices.

    Raises:
        ValueError: If a pair is not one of two different cameras.
    """

    name: str
    cameras: tuple[Camera, ...]
    pairs: tuple[tuple[int, int], ...]
    is_virtual: ClassVar[bool] = False

    def __post_init__(self):
        """Checks the rig."""
        _check_pairs(self.name, self.pairs, self.num_cameras)

    @property
    def num_cameras(self) -> int:
        """Number of cameras."""
        return len(self.cameras)

    @property
    def camera_names(self) -> tuple[str, ...]:
        """Names of the cameras."""
        return tuple(camera.name for camera in self.cameras)

    def project(self, dataset: PoseDataset, seed: int | None = None) -> np.ndarray:
        """Projects every pose into every camera, where the pose stands in the world.

        Args:
            dataset: Poses with their world translation; the profile must map to COCO_13.
            seed: Not used: nothing is random here. Accepted so that all rigs are called alike.

        Returns:
            2D keypoints (cameras, N, 13, 2) in pixels, y down.

        Raises:
            ValueError: If the profile of `dataset` does not map to COCO_13.
        """
        metres_per_torso = dataset.torso_lengths_mm.astype(np.float64) / 1000.0
        points = map_keypoints(dataset.poses.astype(np.float64), dataset.profile, COCO_13)
        points = points * metres_per_torso[:, None, None]
        return np.stack([camera.project(points) for camera in self.cameras])

    def camera_poses(self, dataset: PoseDataset, seed: int | None, profile: KeypointProfile) -> np.ndarray:
        """Every pose in the axes of every camera, as a lifter should find it.

        Args:
            dataset: Poses.
            seed: Not used, as in `project`.
            profile: Joints wanted.

        Returns:
            Poses (cameras, N, joints, 3) float64, x right, y down, z forward, pelvis at the origin, torso units.

        Raises:
            ValueError: If `profile` cannot be had from that of `dataset`.
        """
        poses = dataset.centred(profile).astype(np.float64)
        return np.stack([poses @ camera.rotation.T for camera in self.cameras])


Rig = VirtualRig | CalibratedRig


def ordered_pairs(cameras: int) -> tuple[tuple[int, int], ...]:
    """All ordered pairs of different cameras: 12 for 4 cameras, 110 for 11."""
    return tuple((query, gallery) for query in range(cameras) for gallery in range(cameras) if query != gallery)


def crossed_pairs(first: tuple[int, ...], second: tuple[int, ...]) -> tuple[tuple[int, int], ...]:
    """Pairs of one camera of `first` and one of `second`, in both orders."""
    forward = tuple((a, b) for a in first for b in second)
    return forward + tuple((b, a) for a, b in forward)


def _check_pairs(name: str, pairs: tuple[tuple[int, int], ...], cameras: int) -> None:
    wrong = [pair for pair in pairs if len(set(pair)) != 2 or not all(0 <= camera < cameras for camera in pair)]
    if wrong or not pairs:
        raise ValueError(
            f"Expected pairs of two different cameras among the {cameras} of rig {name}. Received: {wrong or 'no pair'}"
        )


_CHEST_AZIMUTHS = (0.0, 90.0, 180.0, 270.0)
_CHEST_ELEVATIONS = (8.0, 8.0, 8.0, 8.0)

CHEST = VirtualRig("chest", _CHEST_AZIMUTHS, _CHEST_ELEVATIONS, ordered_pairs(4))
UNSEEN = VirtualRig(
    "unseen",
    (*_CHEST_AZIMUTHS, 45.0, 135.0, 225.0, 315.0),
    (*_CHEST_ELEVATIONS, -15.0, 30.0, 45.0, 60.0),
    crossed_pairs((0, 1, 2, 3), (4, 5, 6, 7)),
)

RIGS: Mapping[str, VirtualRig] = {rig.name: rig for rig in (CHEST, UNSEEN)}


def get_rig(name: str) -> VirtualRig:
    """Virtual rig by name.

    Raises:
        ValueError: If there is no such rig; the message lists those there are.
    """
    if name not in RIGS:
        raise ValueError(f"Expected a rig among {', '.join(RIGS)}. Received: {name!r}")
    return RIGS[name]
