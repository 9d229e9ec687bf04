"""Turns motion capture files into one `.poses.npz`: `python -m training.prepare_data INPUT... --output FILE`."""

import argparse
import multiprocessing
import sys
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from training.pose_conversion import Converted, convert_poses, every_frame, print_report, show_progress
from training.prepare_views import add_view_arguments, prepare_views
from vvipe_tf.cli import CommandParser, run_command
from vvipe_tf.data.dataset import PoseDataset
from vvipe_tf.data.dataset_file import DATASET_SUFFIX
from vvipe_tf.data.near_duplicates import distinct_in_sequences
from vvipe_tf.formats.motion_capture.bvh_poses import METRES_PER_UNIT, read_bvh_poses
from vvipe_tf.formats.motion_capture.mocap_archive import read_mocap_archive
from vvipe_tf.formats.motion_capture.official_folders import OfficialRecording, find_captures
from vvipe_tf.formats.motion_capture.recording import MotionCapture
from vvipe_tf.keypoints import get_profile


@dataclass(frozen=True)
class _Settings:
    """How each file is converted."""

    profile: str
    fps: float
    up_axis: str
    unit: str
    drop_near_duplicates: bool


# A file and whether the user named it, or a recording of an official folder.
_Input = tuple[Path, bool] | OfficialRecording


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command; returns its exit code (2 for bad input)."""
    arguments = _parser().parse_args(argv)
    return run_command(lambda: prepare_views(arguments) if arguments.views else _prepare(arguments))


def _parser() -> CommandParser:
    parser = CommandParser(
        prog="python -m training.prepare_data",
        description="Turns motion capture into a data set of 3D poses: torso units, Z up, one .poses.npz file.",
    )
    parser.add_argument(
        "input",
        nargs="+",
        type=Path,
        help="motion capture archive (.npz), .bvh file, a folder of them, or an official folder (training/README.md)",
    )
    parser.add_argument("--output", required=True, type=Path, help=f"file to write, ends in {DATASET_SUFFIX}")
    parser.add_argument("--profile", help="joints to keep (default: H36M_17; of views COCO_13 where they have no more)")
    parser.add_argument("--fps", type=float, default=10.0, help="frames a second to keep (default: %(default)g)")
    parser.add_argument("--jobs", type=int, default=2, help="processes (default: %(default)s)")
    parser.add_argument("--up-axis", choices=("auto", "y", "z", "x"), default="auto", help="of .bvh files")
    parser.add_argument("--unit", choices=("auto", *METRES_PER_UNIT), default="auto", help="of .bvh files")
    parser.add_argument(
        "--drop-near-duplicates",
        action="store_true",
        help="drop a pose that is nearly equal (NP-MPJPE < 0.02) to an earlier kept one of its sequence",
    )
    add_view_arguments(parser)
    return parser


def _prepare(arguments: argparse.Namespace) -> None:
    if not str(arguments.output).endswith(DATASET_SUFFIX):
        raise ValueError(f"Expected --output with a name that ends in {DATASET_SUFFIX}. Received: {arguments.output}")
    if arguments.jobs < 1 or not 0 < arguments.fps < float("inf"):
        raise ValueError(f"Expected positive --jobs and --fps. Received: {arguments.jobs} and {arguments.fps:g}")
    settings = _Settings(
        get_profile(arguments.profile or "H36M_17").name,
        arguments.fps,
        arguments.up_axis,
        arguments.unit,
        arguments.drop_near_duplicates,
    )
    inputs, skipped, notes = _find_inputs(arguments.input, not arguments.measured)
    results = list(show_progress(_convert_all(inputs, settings, arguments.jobs), len(inputs)))
    skipped += [result.skipped for result in results if result.skipped]
    print_report(results, skipped)
    for note in notes:
        print(note)
    datasets = [result.dataset for result in results if result.dataset is not None and len(result.dataset)]
    if not datasets:
        raise ValueError(f"Expected at least one usable pose. Received: none in {len(inputs)} files")
    dataset = PoseDataset.concatenate(datasets)
    dataset.save(arguments.output)
    for row in dataset.summary():
        print(f"{row.source}: {row.subjects} subjects, {row.sequences} sequences; licence: {row.license}")
    print(f"wrote {arguments.output}: {len(dataset):,} poses, {dataset.profile.name}, {dataset.fps:g} frames a second")


def _find_inputs(inputs: Iterable[Path], universal: bool) -> tuple[list[_Input], list[str], list[str]]:
    """What to read, the names of what is left out of folders, and notes for the user."""
    files: dict[Path, bool] = {}
    recordings: list[_Input] = []
    skipped, notes = [], []
    for path in inputs:
        if not path.is_dir():
            if not path.exists():
                raise FileNotFoundError(f"Expected a file or folder. Received: {path}, which does not exist")
            files[path.resolve()] = True
            continue
        if (official := find_captures(path, universal)) is not None:
            recordings += official.recordings
            notes += official.notes
            continue
        for found in sorted(entry for entry in path.rglob("*") if entry.is_file()):
            if found.suffix.lower() not in (".npz", ".bvh") or found.name.endswith(DATASET_SUFFIX):
                skipped.append(str(found))
            else:
                files.setdefault(found.resolve(), False)
    if not files and not recordings:
        raise ValueError(
            "Expected .npz or .bvh files, or the official files of Human3.6M or MPI-INF-3DHP. "
            f"Received: none in {', '.join(str(path) for path in inputs)}"
        )
    return [*files.items(), *recordings], skipped, notes


def _convert_all(inputs: list[_Input], settings: _Settings, jobs: int) -> Iterator[Converted]:
    convert = partial(_convert, settings=settings)
    if min(jobs, len(inputs)) == 1:
        yield from map(convert, inputs)
        return
    # Spawned, not forked: the parent may hold threads (NumPy, TensorFlow).
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(jobs, len(inputs)), mp_context=context) as pool:
        try:
            yield from pool.map(convert, inputs)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _convert(given: _Input, settings: _Settings) -> Converted:
    if isinstance(given, OfficialRecording):
        read = given.read()
        capture, remark = read.capture, f"{given.name}: {'; '.join(read.notes)}" if read.notes else ""
    else:
        path, named = given
        try:
            capture, remark = _read(path, settings)
        except ValueError as error:
            if named:
                raise
            return Converted(skipped=str(error))
    profile = get_profile(settings.profile)
    stride = max(1, round(capture.fps / settings.fps))
    rows = every_frame(capture.sequence, stride)
    dataset, _, counts = convert_poses(capture, rows, profile, settings.fps)
    if settings.drop_near_duplicates:
        distinct = dataset.select(distinct_in_sequences(dataset))
        counts["near-duplicate"] = len(dataset) - len(distinct)
        dataset = distinct
    counts["kept"] = len(dataset)
    if abs(capture.fps / stride / settings.fps - 1.0) > 0.01:
        rate = f"{capture.fps / stride:g} frames a second kept instead of {settings.fps:g}: whole steps only"
        remark = f"{remark}; {rate}" if remark else f"{capture.source}: {rate}"
    return Converted(capture.source, dataset, counts, remark)


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


if __name__ == "__main__":
    sys.exit(main())
