"""Recorded views: poses with the 2D keypoints of real cameras, in memory and on disk as one `.views.npz` file."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain

import numpy as np

from vvipe_tf.data.dataset import PoseDataset
from vvipe_tf.data.recorded_keypoints import RecordedKeypoints
from vvipe_tf.data.view_set_file import read_view_set_file, write_view_set_file


@dataclass(frozen=True, eq=False)
class ViewSet:
    """Poses and what several cameras saw of them at the same moments.

    Args:
        poses: The N poses.
        cameras: Distinct names of the cameras. Cameras of one name need not be one camera in all sequences.
        keypoints: Keypoints by their kind, `"ground_truth"` or the name of a detector; any number side by side.

    Raises:
        ValueError: If the shapes do not fit each other, or there is no camera or no kind.
    """

    poses: PoseDataset
    cameras: tuple[str, ...]
    keypoints: Mapping[str, RecordedKeypoints]

    def __post_init__(self):
        """Checks everything against each other."""
        object.__setattr__(self, "cameras", tuple(map(str, self.cameras)))
        if not self.cameras or len(set(self.cameras)) != len(self.cameras):
            raise ValueError(f"Expected distinct camera names, at least one. Received: {self.cameras}")
        if not self.keypoints or not all(self.keypoints):
            raise ValueError(f"Expected at least one named kind of keypoints. Received: {list(self.keypoints)}")
        for kind, recorded in self.keypoints.items():
            if recorded.scores.shape[:2] != (len(self.cameras), len(self.poses)):
                raise ValueError(
                    f"Expected {kind} of {len(self.cameras)} cameras and {len(self.poses)} poses. "
                    f"Received: shape={recorded.scores.shape}"
                )

    def __len__(self) -> int:
        """Number of poses."""
        return len(self.poses)

    def of_kind(self, kind: str) -> RecordedKeypoints:
        """Keypoints of one kind.

        Raises:
            ValueError: If there are none; the message lists the kinds there are.
        """
        if kind not in self.keypoints:
            raise ValueError(f"Expected keypoints among {', '.join(self.keypoints)}. Received: {kind!r}")
        return self.keypoints[kind]

    def select(self, chosen: np.ndarray) -> "ViewSet":
        """Some of the poses, by mask or index, as `PoseDataset.select` takes them."""
        poses = self.poses.select(chosen)
        chosen = np.asarray(chosen) if len(poses) else np.zeros(0, dtype=np.intp)
        kinds = {kind: each.select(slice(None), chosen) for kind, each in self.keypoints.items()}
        return replace(self, poses=poses, keypoints=kinds)

    def select_cameras(self, names: Sequence[str]) -> "ViewSet":
        """Some of the cameras by name, in the order asked for.

        Raises:
            ValueError: If there is no such camera.
        """
        unknown = [name for name in names if name not in self.cameras]
        if unknown:
            raise ValueError(f"Expected cameras among {', '.join(self.cameras)}. Received: {', '.join(unknown)}")
        chosen = [self.cameras.index(name) for name in names]
        kinds = {kind: each.select(chosen, slice(None)) for kind, each in self.keypoints.items()}
        return replace(self, cameras=tuple(names), keypoints=kinds)

    def keep_views(self, views: np.ndarray) -> "ViewSet":
        """The same poses, all joints of the views that are not in `views` (cameras, N) missing."""
        kinds = {kind: each.keep(views[..., None]) for kind, each in self.keypoints.items()}
        return replace(self, keypoints=kinds)

    def with_kind(self, kind: str, recorded: RecordedKeypoints) -> "ViewSet":
        """The same views with keypoints of one more kind beside the others.

        Raises:
            ValueError: If there are keypoints of this kind already, or the shapes do not fit.
        """
        if kind in self.keypoints:
            raise ValueError(f"Expected a kind other than {', '.join(self.keypoints)}. Received: {kind!r}")
        return replace(self, keypoints={**self.keypoints, kind: recorded})

    def holds(self, poses: PoseDataset) -> np.ndarray:
        """Which poses (num_poses,) of a data set there are views of; found as by `of_poses`."""
        known = set(_pose_keys(self.poses))
        return np.array([key in known for key in _pose_keys(poses)], dtype=bool)

    def of_poses(self, poses: PoseDataset) -> "ViewSet":
        """The views of the poses of a data set, in its order; found by source, subject, sequence and frame.

        Args:
            poses: For instance the training part of `self.poses`.

        Returns:
            Views whose poses are those of `poses`.

        Raises:
            ValueError: If a pose has no views here.
        """
        rows = {key: row for row, key in enumerate(_pose_keys(self.poses))}
        found = [rows.get(key, -1) for key in _pose_keys(poses)]
        if -1 in found:
            raise ValueError(
                f"Expected poses that have recorded views. Received: {found.count(-1)} of {len(found)} that have none"
            )
        return self.select(np.array(found, dtype=np.intp))

    def save(self, path: str | os.PathLike) -> None:
        """Writes the views to one file, whole or not at all; `PoseDataset.load` reads the poses of it.

        Args:
            path: File to write; its name ends in `.views.npz`.

        Raises:
            ValueError: If the name ends otherwise.
        """
        write_view_set_file(path, self.poses, self.cameras, self.keypoints)

    @classmethod
    def load(cls, path: str | os.PathLike) -> "ViewSet":
        """Reads views and checks everything in them; nothing is unpickled.

        Args:
            path: File that `save` wrote.

        Returns:
            The views.

        Raises:
            FileNotFoundError: If there is no such file.
            ValueError: If the file is damaged, of another format or version, or anything in it does not fit; the
                message names the file.
        """
        try:
            return cls(*read_view_set_file(path))
        except ValueError as error:
            raise ValueError(str(error) if str(path) in str(error) else f"{path}: {error}") from error

    @classmethod
    def concatenate(cls, view_sets: "Sequence[ViewSet]") -> "ViewSet":
        """One view set of several, in the order given; what one of them lacks, a camera or a kind, is missing there.

        Raises:
            ValueError: If there is none, or the poses do not go together (see `PoseDataset.concatenate`).
        """
        poses = PoseDataset.concatenate([each.poses for each in view_sets])
        cameras = tuple(dict.fromkeys(chain.from_iterable(each.cameras for each in view_sets)))
        kinds = dict.fromkeys(chain.from_iterable(each.keypoints for each in view_sets))
        joined = {kind: RecordedKeypoints.missing(len(cameras), len(poses)) for kind in kinds}
        start = 0
        for each in view_sets:
            rows = slice(start, start + len(each))
            places = [cameras.index(name) for name in each.cameras]
            for kind, recorded in each.keypoints.items():
                joined[kind].keypoints_2d[places, rows] = recorded.keypoints_2d
                joined[kind].scores[places, rows] = recorded.scores
            start = rows.stop
        return cls(poses, cameras, joined)


def _pose_keys(poses: PoseDataset):
    columns = (getattr(poses, name).tolist() for name in ("source", "subject", "sequence", "frame"))
    return zip(*columns, strict=True)
