"""The one data set of 3D poses: in memory, and on disk as one `.poses.npz` file."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import NamedTuple

import numpy as np

from vvipe_tf.data.dataset_file import NUMBER_COLUMNS, STRING_COLUMNS, read_dataset_file, write_dataset_file
from vvipe_tf.geometry.canonical import canonicalise, torso_length
from vvipe_tf.keypoints import KeypointProfile, map_keypoints

_TORSO_TOLERANCE = 1e-3


class SourceSummary(NamedTuple):
    """What one source contributes to a data set; `license` is its licence, one line."""

    source: str
    poses: int
    subjects: int
    sequences: int
    license: str


@dataclass(frozen=True, eq=False)
class PoseDataset:
    """3D poses with their names, in torso units (1 = |pelvis - spine| + |spine - neck| of the frame itself).

    Args:
        profile: Joints of `poses`.
        poses: Poses (num_poses, joints, 3) float32, torso units, right-handed world, Z up, world translation kept:
            `metres = poses * torso_lengths_mm[:, None, None] / 1000`.
        torso_lengths_mm: Torso length of each pose (num_poses,) float32, millimetres.
        subject: Subject of each pose (num_poses,), strings; meant within its source.
        sequence: Sequence of each pose (num_poses,), strings.
        source: Data set each pose comes from (num_poses,), strings.
        frame: Frame number in the source file (num_poses,) int32.
        fps: Frames a second, nominal.
        licenses: Licence by source; every source has one.
        synthetic: Whether any of the poses was generated instead of measured.

    Raises:
        ValueError: If a shape does not fit, a number is not finite, or a source has no licence.
    """

    profile: KeypointProfile
    poses: np.ndarray
    torso_lengths_mm: np.ndarray
    subject: np.ndarray
    sequence: np.ndarray
    source: np.ndarray
    frame: np.ndarray
    fps: float
    licenses: Mapping[str, str]
    synthetic: bool = False

    def __post_init__(self):
        """Brings every array to its dtype and checks it."""
        for name, dtype in NUMBER_COLUMNS.items():
            object.__setattr__(self, name, np.asarray(getattr(self, name), dtype=dtype))
        for name in STRING_COLUMNS:
            object.__setattr__(self, name, np.asarray(getattr(self, name), dtype=str))
        object.__setattr__(self, "fps", float(self.fps))
        object.__setattr__(self, "synthetic", bool(self.synthetic))
        self._check_shapes()
        self._check_values()
        present = np.unique(self.source).tolist()
        without = [source for source in present if source not in self.licenses]
        if without:
            raise ValueError(f"Expected a licence for each source. Received: none for {without}")
        object.__setattr__(self, "licenses", {source: str(self.licenses[source]) for source in present})

    def __len__(self) -> int:
        """Number of poses."""
        return len(self.poses)

    @classmethod
    def from_metres(cls, profile: KeypointProfile, positions: np.ndarray, **columns) -> "PoseDataset":
        """Builds a data set from positions in metres; each frame is divided by its own torso length.

        Args:
            profile: Joints of `positions`.
            positions: Poses (num_poses, joints, 3) in metres, Z up.
            **columns: The other arguments of `PoseDataset`, without `torso_lengths_mm`.

        Returns:
            The data set.

        Raises:
            ValueError: As the class itself, and if a torso has no length.
        """
        positions = np.asarray(positions, dtype=np.float64)
        lengths = torso_length(positions, profile)
        if not (lengths > 0).all():
            raise ValueError(
                "Expected finite poses with a torso of non-zero length. "
                f"Received: {int((~(lengths > 0)).sum())} others of {lengths.size}"
            )
        return cls(profile, positions / lengths[:, None, None], lengths * 1000.0, **columns)

    def select(self, chosen: np.ndarray) -> "PoseDataset":
        """Part of the data set, in the order asked for.

        Args:
            chosen: Boolean mask (num_poses,), or indices (any number,).

        Returns:
            A data set of the chosen poses; licences of sources that are gone are gone too.

        Raises:
            ValueError: If a mask has another length, or `chosen` is neither a mask nor indices.
            IndexError: If an index is out of range.
        """
        chosen = np.asarray(chosen)
        if chosen.dtype == bool and chosen.shape != (len(self),):
            raise ValueError(f"Expected a mask of shape ({len(self)},). Received: shape={chosen.shape}")
        if chosen.size == 0:
            chosen = np.zeros(0, dtype=np.intp)
        if chosen.ndim != 1 or chosen.dtype.kind not in "biu":
            raise ValueError(f"Expected one axis of indices. Received: shape={chosen.shape}, dtype={chosen.dtype}")
        arrays = {name: getattr(self, name)[chosen] for name in (*NUMBER_COLUMNS, *STRING_COLUMNS)}
        return PoseDataset(self.profile, **arrays, fps=self.fps, licenses=self.licenses, synthetic=self.synthetic)

    def canonical(self, profile: KeypointProfile | None = None) -> np.ndarray:
        """Canonical poses; the frame is found with all joints, then the joints are reduced.

        Args:
            profile: Joints wanted; the data set's own by default.

        Returns:
            Poses (num_poses, joints of `profile`, 3) float32, torso units.

        Raises:
            ValueError: If a pose is degenerate or `profile` cannot be had from the data set's.
        """
        canonical, _ = canonicalise(self.poses.astype(np.float64), self.profile)
        return self._reduced(canonical, profile)

    def centred(self, profile: KeypointProfile | None = None) -> np.ndarray:
        """World-oriented poses (Z up) with the pelvis at the origin.

        Args:
            profile: Joints wanted; the data set's own by default.

        Returns:
            Poses (num_poses, joints of `profile`, 3) float32, torso units.

        Raises:
            ValueError: If `profile` cannot be had from the data set's.
        """
        root = self.poses[:, list(self.profile.sources_of("pelvis"))].mean(axis=1, keepdims=True, dtype=np.float64)
        return self._reduced(self.poses - root, profile)

    def sequence_frames(self) -> dict[tuple[str, str, str], np.ndarray]:
        """Indices of each sequence's poses, in the order of the data set, by (source, subject, sequence)."""
        columns = [np.unique(getattr(self, name), return_inverse=True) for name in ("source", "subject", "sequence")]
        codes = np.zeros(len(self), dtype=np.int64)
        for names, column_codes in columns:
            codes = codes * len(names) + column_codes
        order = np.argsort(codes, kind="stable")
        groups = np.split(order, np.flatnonzero(np.diff(codes[order])) + 1) if len(self) else []
        return {(str(self.source[g[0]]), str(self.subject[g[0]]), str(self.sequence[g[0]])): g for g in groups}

    def summary(self) -> tuple[SourceSummary, ...]:
        """Counts by source, sources in alphabetical order, for tools to print."""
        sequences = self.sequence_frames()
        rows = []
        for source, text in self.licenses.items():
            mine = [key for key in sequences if key[0] == source]
            num_poses = sum(len(sequences[key]) for key in mine)
            rows.append(SourceSummary(source, num_poses, len({subject for _, subject, _ in mine}), len(mine), text))
        return tuple(rows)

    def save(self, path: str | os.PathLike) -> None:
        """Writes the data set to one file, whole or not at all.

        Args:
            path: File to write; its name ends in `.poses.npz`.

        Raises:
            ValueError: If the name ends otherwise, or the poses are not in torso units.
        """
        self.check_torso_units()
        write_dataset_file(path, {field.name: getattr(self, field.name) for field in fields(self)})

    @classmethod
    def load(cls, path: str | os.PathLike) -> "PoseDataset":
        """Reads a data set and checks everything in it; nothing is unpickled.

        Args:
            path: File that `save` wrote.

        Returns:
            The data set.

        Raises:
            FileNotFoundError: If there is no such file.
            ValueError: If the file is damaged, of another format or version, or anything in it does not fit; the
                message names the file.
        """
        try:
            dataset = cls(**read_dataset_file(path))
            dataset.check_torso_units()
        except ValueError as error:
            raise ValueError(str(error) if str(path) in str(error) else f"{path}: {error}") from error
        return dataset

    def check_torso_units(self) -> None:
        """Raises `ValueError` unless each pose has a torso of length 1; files hold nothing else."""
        lengths = torso_length(self.poses, self.profile)
        wrong = np.abs(lengths - 1.0) > _TORSO_TOLERANCE
        if wrong.any():
            first = int(np.argmax(wrong))
            raise ValueError(
                "Expected poses in torso units, each with a torso of length 1. "
                f"Received: {int(wrong.sum())} others, the first at {first} with {lengths[first]:.4g}"
            )

    @classmethod
    def concatenate(cls, datasets: "Sequence[PoseDataset]") -> "PoseDataset":
        """One data set of several, in the order given.

        Args:
            datasets: At least one; all of one profile and one frame rate.

        Returns:
            All their poses; synthetic if any of them is.

        Raises:
            ValueError: If there is none, profiles or frame rates differ, or a source has two different licences.
        """
        datasets = list(datasets)
        if not datasets:
            raise ValueError("Expected at least one data set. Received: none")
        profiles = sorted({dataset.profile.name for dataset in datasets})
        rates = sorted({dataset.fps for dataset in datasets})
        if len(profiles) > 1 or len(rates) > 1:
            raise ValueError(f"Expected one profile and one frame rate. Received: {profiles}, {rates} frames a second")
        licenses: dict[str, str] = {}
        for source, text in (item for dataset in datasets for item in dataset.licenses.items()):
            if licenses.setdefault(source, text) != text:
                raise ValueError(f"Expected one licence for {source}. Received: {licenses[source]!r} and {text!r}")
        arrays = {
            name: np.concatenate([getattr(dataset, name) for dataset in datasets])
            for name in (*NUMBER_COLUMNS, *STRING_COLUMNS)
        }
        synthetic = any(dataset.synthetic for dataset in datasets)
        return cls(datasets[0].profile, **arrays, fps=rates[0], licenses=licenses, synthetic=synthetic)

    def _check_shapes(self) -> None:
        joints = self.profile.num_joints
        if self.poses.ndim != 3 or self.poses.shape[1:] != (joints, 3):
            raise ValueError(
                f"Expected poses of shape (num_poses, {joints}, 3) for {self.profile.name}. "
                f"Received: shape={self.poses.shape}"
            )
        for name in ("torso_lengths_mm", "frame", *STRING_COLUMNS):
            if getattr(self, name).shape != (len(self.poses),):
                raise ValueError(
                    f"Expected {name} of shape ({len(self.poses)},). Received: shape={getattr(self, name).shape}"
                )

    def _check_values(self) -> None:
        finite = np.isfinite(self.poses).all(axis=(1, 2))
        if not finite.all():
            first = int(np.argmin(finite))
            raise ValueError(f"Expected finite poses. Received: {int((~finite).sum())} others, the first at {first}")
        if not (np.isfinite(self.torso_lengths_mm) & (self.torso_lengths_mm > 0)).all():
            raise ValueError("Expected torso_lengths_mm that are finite and positive. Received: others")
        if not (np.isfinite(self.fps) and self.fps > 0):
            raise ValueError(f"Expected a positive frame rate. Received: fps={self.fps}")

    def _reduced(self, poses: np.ndarray, profile: KeypointProfile | None) -> np.ndarray:
        if profile is not None and profile != self.profile:
            poses = map_keypoints(poses, self.profile, profile)
        return np.ascontiguousarray(poses, dtype=np.float32)
