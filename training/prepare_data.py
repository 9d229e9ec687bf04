"""Turns motion capture files into one `.poses.npz`: `python -m training.prepare_data INPUT... --output FILE`."""

import argparse
import multiprocessing
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
from tqdm import tqdm

from vvipe_tf.cli import run_command
from vvipe_tf.data.dataset import PoseDataset
from vvipe_tf.data.dataset_file import DATASET_SUFFIX
from vvipe_tf.data.near_duplicates import distinct_in_sequences
from vvipe_tf.formats.motion_capture.bvh_poses import METRES_PER_UNIT, read_bvh_poses
from vvipe_tf.formats.motion_capture.mocap_archive import read_mocap_archive
from vvipe_tf.formats.motion_capture.recording import MotionCapture
from vvipe_tf.geometry.canonical import degenerate_poses
from vvipe_tf.keypoints import get_profile, map_keypoints

_COUNTS = ("read", "other frames", "not finite", "degenerate", "near-duplicate", "kept")
_PLAIN_REPORTS = 10


@dataclass(frozen=True)
class _Settings:
    """How each file is converted."""

    profile: str
    fps: float
    up_axis: str
    unit: str
    drop_near_duplicates: bool


@dataclass(frozen=True)
class _Converted:
    """What became of one file; `remark` is one line for the user, equal for equal BVH skeletons."""

    source: str = ""
    dataset: PoseDataset | None = None
    counts: Counter = field(default_factory=Counter)
    remark: str = ""
    skipped: str = ""


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command; returns its exit code (2 for bad input)."""
    arguments = _parser().parse_args(argv)
    return run_command(lambda: _prepare(arguments))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m training.prepare_data",
        description="Turns motion capture into a data set of 3D poses: torso units, Z up, one .poses.npz file.",
    )
    parser.add_argument("input", nargs="+", type=Path, help="motion capture archive (.npz), .bvh file, or a folder")
    parser.add_argument("--output", required=True, type=Path, help=f"file to write, ends in {DATASET_SUFFIX}")
    parser.add_argument("--profile", default="H36M_17", help="joints to keep (default: %(default)s)")
    parser.add_argument("--fps", type=float, default=10.0, help="frames a second to keep (default: %(default)g)")
    parser.add_argument("--jobs", type=int, default=2, help="processes (default: %(default)s)")
    parser.add_argument("--up-axis", choices=("auto", "y", "z", "x"), default="auto", help="of .bvh files")
    parser.add_argument("--unit", choices=("auto", *METRES_PER_UNIT), default="auto", help="of .bvh files")
    parser.add_argument(
        "--drop-near-duplicates",
        action="store_true",
        help="drop a pose that is nearly equal (NP-MPJPE < 0.02) to an earlier kept one of its sequence",
    )
    return parser


def _prepare(arguments: argparse.Namespace) -> None:
    if not str(arguments.output).endswith(DATASET_SUFFIX):
        raise ValueError(f"Expected --output with a name that ends in {DATASET_SUFFIX}. Received: {arguments.output}")
    if arguments.jobs < 1 or not 0 < arguments.fps < float("inf"):
        raise ValueError(f"Expected positive --jobs and --fps. Received: {arguments.jobs} and {arguments.fps:g}")
    settings = _Settings(
        get_profile(arguments.profile).name,
        arguments.fps,
        arguments.up_axis,
        arguments.unit,
        arguments.drop_near_duplicates,
    )
    files, skipped = _find_files(arguments.input)
    results = list(_progress(_convert_all(files, settings, arguments.jobs), len(files)))
    skipped += [result.skipped for result in results if result.skipped]
    _print_report(results, skipped)
    datasets = [result.dataset for result in results if result.dataset is not None and len(result.dataset)]
    if not datasets:
        raise ValueError(f"Expected at least one usable pose. Received: none in {len(files)} files")
    dataset = PoseDataset.concatenate(datasets)
    dataset.save(arguments.output)
    for row in dataset.summary():
        print(f"{row.source}: {row.subjects} subjects, {row.sequences} sequences; licence: {row.license}")
    print(f"wrote {arguments.output}: {len(dataset):,} poses, {dataset.profile.name}, {dataset.fps:g} frames a second")


def _find_files(inputs: Iterable[Path]) -> tuple[list[tuple[Path, bool]], list[str]]:
    """Files to read, each with whether the user named it, and the names of those left out of folders."""
    files: dict[Path, bool] = {}
    skipped = []
    for path in inputs:
        if not path.is_dir():
            if not path.exists():
                raise FileNotFoundError(f"Expected a file or folder. Received: {path}, which does not exist")
            files[path.resolve()] = True
            continue
        for found in sorted(entry for entry in path.rglob("*") if entry.is_file()):
            if found.suffix.lower() not in (".npz", ".bvh") or found.name.endswith(DATASET_SUFFIX):
                skipped.append(str(found))
            else:
                files.setdefault(found.resolve(), False)
    if not files:
        raise ValueError(f"Expected .npz or .bvh files. Received: none in {', '.join(str(path) for path in inputs)}")
    return list(files.items()), skipped


def _convert_all(files: list[tuple[Path, bool]], settings: _Settings, jobs: int) -> Iterator[_Converted]:
    convert = partial(_convert, settings=settings)
    if min(jobs, len(files)) == 1:
        yield from map(convert, files)
        return
    # Spawned, not forked: the parent may hold threads (NumPy, TensorFlow).
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(jobs, len(files)), mp_context=context) as pool:
        try:
            yield from pool.map(convert, files)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _convert(file: tuple[Path, bool], settings: _Settings) -> _Converted:
    path, named = file
    try:
        capture, remark = _read(path, settings)
    except ValueError as error:
        if named:
            raise
        return _Converted(skipped=str(error))
    profile = get_profile(settings.profile)
    stride = max(1, round(capture.fps / settings.fps))
    rows = _every(capture.sequence, stride)
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
        fps=settings.fps,
        licenses={capture.source: capture.license},
    )
    if settings.drop_near_duplicates:
        distinct = dataset.select(distinct_in_sequences(dataset))
        counts["near-duplicate"] = len(dataset) - len(distinct)
        dataset = distinct
    counts["kept"] = len(dataset)
    if abs(capture.fps / stride / settings.fps - 1.0) > 0.01:
        rate = f"{capture.fps / stride:g} frames a second kept instead of {settings.fps:g}: whole steps only"
        remark = f"{remark}; {rate}" if remark else f"{capture.source}: {rate}"
    return _Converted(capture.source, dataset, counts, remark)


def _read(path: Path, settings: _Settings) -> tuple[MotionCapture, str]:
    if path.suffix.lower() == ".bvh":
        poses = read_bvh_poses(path, settings.up_axis, settings.unit)
        unit_from = "guessed" if settings.unit == "auto" else "given"
        axis_from = "guessed" if settings.up_axis == "auto" else "given"
        return poses.capture, (
            f"BVH skeleton of {len(poses.skeleton)} joints from {poses.skeleton[0]!r}: "
            f"unit {poses.unit} ({unit_from}), up axis {poses.up_axis} ({axis_from})"
        )
    if path.suffix.lower() == ".npz":
        return read_mocap_archive(path), ""
    raise ValueError(f"Expected a motion capture archive (.npz) or a .bvh file. Received: {path}")


def _every(sequence: np.ndarray, stride: int) -> np.ndarray:
    """Indices of every `stride`-th pose of each sequence, counted from the sequence's first."""
    starts = np.concatenate([[True], sequence[1:] != sequence[:-1]])
    first = np.maximum.accumulate(np.where(starts, np.arange(len(sequence)), 0))
    return np.flatnonzero((np.arange(len(sequence)) - first) % stride == 0)


def _progress(results: Iterable[_Converted], total: int) -> Iterator[_Converted]:
    """A bar on a terminal, else about ten plain lines."""
    if sys.stderr.isatty():
        yield from tqdm(results, total=total, desc="reading", unit="file", dynamic_ncols=True)
        return
    for done, result in enumerate(results, start=1):
        if done * _PLAIN_REPORTS // total > (done - 1) * _PLAIN_REPORTS // total:
            print(f"read {done} of {total} files", file=sys.stderr, flush=True)
        yield result


def _print_report(results: Sequence[_Converted], skipped: Sequence[str]) -> None:
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


if __name__ == "__main__":
    sys.exit(main())
