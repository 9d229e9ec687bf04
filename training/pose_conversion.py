"""What converting motion capture has in common, whichever files it comes from: choosing, checking, reporting."""

import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np
from tqdm import tqdm

from vvipe_tf.data.dataset import PoseDataset
from vvipe_tf.formats.motion_capture.recording import MotionCapture
from vvipe_tf.geometry.canonical import degenerate_poses
from vvipe_tf.keypoints import KeypointProfile, map_keypoints

_COUNTS = ("read", "other frames", "not finite", "degenerate", "near-duplicate", "kept")
_PLAIN_REPORTS = 10
_T = TypeVar("_T")


@dataclass(frozen=True)
class Converted:
    """What became of one file; `remark` is one line for the user, equal for equal BVH skeletons."""

    source: str = ""
    dataset: PoseDataset | None = None
    counts: Counter = field(default_factory=Counter)
    remark: str = ""
    skipped: str = ""


def convert_poses(
    capture: MotionCapture, rows: np.ndarray, profile: KeypointProfile, fps: float
) -> tuple[PoseDataset, np.ndarray, Counter]:
    """Turns poses of a recording into a data set, without those that are not finite or degenerate.

    Args:
        capture: The recording.
        rows: Indices of the poses wanted.
        profile: Joints wanted.
        fps: Nominal frame rate of the result.

    Returns:
        The data set, the indices of its poses in the recording, and counts of what was left out, by reason.

    Raises:
        ValueError: If `profile` cannot be had from the recording's.
    """
    poses = map_keypoints(capture.poses[rows], capture.profile, profile)
    finite = np.isfinite(poses).all(axis=(1, 2))
    good = ~degenerate_poses(poses, profile)
    counts = Counter({"read": len(capture), "other frames": len(capture) - len(rows)})
    counts |= Counter({"not finite": int((~finite).sum()), "degenerate": int((finite & ~good).sum())})
    rows = rows[good]
    dataset = PoseDataset.from_metres(
        profile,
        poses[good],
        subject=capture.subject[rows],
        sequence=capture.sequence[rows],
        source=np.full(len(rows), capture.source),
        frame=capture.frame[rows],
        fps=fps,
        licenses={capture.source: capture.license},
    )
    return dataset, rows, counts


def every_frame(sequence: np.ndarray, stride: int) -> np.ndarray:
    """Indices of every `stride`-th pose of each sequence, counted from the sequence's first."""
    starts = np.concatenate([[True], sequence[1:] != sequence[:-1]])
    first = np.maximum.accumulate(np.where(starts, np.arange(len(sequence)), 0))
    return np.flatnonzero((np.arange(len(sequence)) - first) % stride == 0)


def show_progress(results: Iterable[_T], total: int, unit: str = "file") -> Iterator[_T]:
    """A bar on a terminal, else about ten plain lines."""
    if sys.stderr.isatty():
        yield from tqdm(results, total=total, desc="reading", unit=unit, dynamic_ncols=True)
        return
    for done, result in enumerate(results, start=1):
        if done * _PLAIN_REPORTS // total > (done - 1) * _PLAIN_REPORTS // total:
            print(f"read {done} of {total} {unit}s", file=sys.stderr, flush=True)
        yield result


def print_report(results: Sequence[Converted], skipped: Sequence[str]) -> None:
    """Prints remarks, counts by source, and the names of what was left out."""
    for remark, files in Counter(result.remark for result in results if result.remark).items():
        print(f"{remark} ({files} file{'s' * (files > 1)})")
    by_source: dict[str, Counter] = {}
    for result in results:
        if not result.skipped:
            by_source.setdefault(result.source, Counter()).update(result.counts)
    if len(by_source) > 1:
        by_source["total"] = sum(by_source.values(), Counter())
    width = max(map(len, by_source), default=0)
    print(" " * width, *(f"{name:>14}" for name in _COUNTS))
    for source, counts in by_source.items():
        print(f"{source:<{width}}", *(f"{counts[name]:>14,}" for name in _COUNTS))
    if skipped:
        print(f"skipped {len(skipped)} other file{'s' * (len(skipped) > 1)}:")
        for line in skipped:
            print(f"  {' '.join(line.split())}")
