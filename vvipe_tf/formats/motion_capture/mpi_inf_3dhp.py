"""Training part of MPI-INF-3DHP: `S1/Seq1/annot.mat` with `camera.calibration` beside it.

Mehta et al., 3DV 2017. `annot2`, `annot3` and `univ_annot3` are cells, one for each of `cameras`, of arrays (frames,
28 * coordinates): pixels, millimetres in the camera's frame, and the same on a skeleton of one size for all subjects,
which does not reproject on `annot2`. `frames` numbers the rows from 0.
"""

import os
from pathlib import Path

import numpy as np

from vvipe_tf.formats.matlab_arrays import read_matlab_arrays
from vvipe_tf.formats.motion_capture.multi_view import GROUND_TRUTH, MultiViewCapture, one_recording
from vvipe_tf.formats.motion_capture.skeletool_cameras import read_training_cameras
from vvipe_tf.keypoints import MPI_INF_3DHP_28

SOURCE = "mpi_inf_3dhp"
LICENSE = "MPI-INF-3DHP licence: non-commercial research only, not to be passed on (gvv.mpi-inf.mpg.de/3dhp-dataset)"
ANNOTATION = "annot.mat"
CALIBRATION = "camera.calibration"
# 11, 12 and 13 hang from the ceiling.
WALL_CAMERAS = tuple(range(11))
CHEST_CAMERAS = (0, 2, 4, 7, 8)

_METRES_PER_MILLIMETRE = 1e-3
# Frames of the videos, and frames a second. There may be annotations of frames that no video has (S3/Seq1: one).
_SEQUENCES = {
    "S1/Seq1": (6416, 25),
    "S1/Seq2": (12430, 50),
    "S2/Seq1": (6502, 25),
    "S2/Seq2": (6081, 25),
    "S3/Seq1": (12488, 50),
    "S3/Seq2": (12283, 50),
    "S4/Seq1": (6171, 25),
    "S4/Seq2": (6675, 25),
    "S5/Seq1": (12820, 50),
    "S5/Seq2": (12312, 50),
    "S6/Seq1": (6188, 25),
    "S6/Seq2": (6145, 25),
    "S7/Seq1": (6239, 25),
    "S7/Seq2": (6320, 25),
    "S8/Seq1": (6468, 25),
    "S8/Seq2": (6054, 25),
}
# Left and right have changed names in these frames, in all three annotations of all cameras.
_SWAPPED = {"S4/Seq2": (3759, 5853)}
_SHORT_VIDEOS = {"S6/Seq2": "the video of camera C2 ends at frame 3911: it has no detections after that"}


def find_training_recordings(root: str | os.PathLike) -> list[Path]:
    """Folders below `root` that hold a sequence (`S1/Seq1`, ...), sorted."""
    found = (Path(root, name) for name in _SEQUENCES)
    return [folder for folder in found if (folder / ANNOTATION).is_file()]


def read_training_recording(folder: str | os.PathLike, universal: bool = True) -> MultiViewCapture:
    """Reads one sequence: the cameras on the walls, without those on the ceiling.

    Args:
        folder: Folder of the sequence; its path ends in, e.g., `S1/Seq1`.
        universal: Whether poses of the universal skeleton are wanted rather than measured ones.

    Returns:
        Poses and true pixels, both `MPI_INF_3DHP_28`; cameras "C0" to "C10".

    Raises:
        FileNotFoundError: If a file is missing.
        ValueError: If a file is damaged or of another form, or no camera is calibrated.
    """
    folder = Path(folder)
    name = "/".join(folder.absolute().parts[-2:])
    if name not in _SEQUENCES:
        raise ValueError(f"Expected a folder that ends in S1/Seq1 to S8/Seq2. Received: {folder}")
    kind = "univ_annot3" if universal else "annot3"
    path = folder / ANNOTATION
    arrays = read_matlab_arrays(path, (kind, "annot2", "cameras", "frames"))
    calibration = read_training_cameras(folder / CALIBRATION)
    places = {int(number): place for place, number in enumerate(np.ravel(arrays["cameras"]))}
    cameras = [number for number in WALL_CAMERAS if number in places and number in calibration]
    if not cameras:
        raise ValueError(f"Expected cameras 0 to 10 in {path} and {CALIBRATION}. Received: {sorted(places)}")
    frames = _frame_numbers(arrays["frames"], path)
    pixels = np.stack([_cell(arrays, "annot2", places[number], 2, len(frames), path) for number in cameras])
    first = calibration[cameras[0]]
    poses = _cell(arrays, kind, places[cameras[0]], 3, len(frames), path)
    poses = first.camera_to_world(poses * _METRES_PER_MILLIMETRE)

    total, fps = _SEQUENCES[name]
    filmed = frames < total
    notes = [_SHORT_VIDEOS[name]] if name in _SHORT_VIDEOS else []
    if not filmed.all():
        notes.append(f"{int((~filmed).sum())} annotations left out: the videos have {total} frames")
    frames, poses, pixels = frames[filmed], poses[filmed], pixels[:, filmed]
    if name in _SWAPPED:
        poses, pixels, note = _swapped_back(frames, poses, pixels, *_SWAPPED[name])
        notes.append(note)
    subject, sequence = name.split("/")
    return MultiViewCapture(
        one_recording(
            MPI_INF_3DHP_28, poses, frames, subject, sequence, source=SOURCE, license=LICENSE, fps=float(fps)
        ),
        tuple(calibration[number].name for number in cameras),
        pixels,
        MPI_INF_3DHP_28,
        None,
        GROUND_TRUTH,
        tuple(calibration[number] for number in cameras),
        tuple(notes),
    )


def _frame_numbers(frames: np.ndarray, path: Path) -> np.ndarray:
    frames = np.ravel(frames)
    if not frames.size or not np.array_equal(frames, np.round(frames)) or frames[0] < 0 or (np.diff(frames) <= 0).any():
        raise ValueError(f"Expected frame numbers from 0 in rising order in {path}. Received: {frames[:5]}...")
    return frames.astype(np.int32)


def _cell(arrays: dict, name: str, place: int, coordinates: int, frames: int, path: Path) -> np.ndarray:
    cells, joints = arrays[name], MPI_INF_3DHP_28.num_joints
    shape = np.shape(cells[place]) if isinstance(cells, list) and place < len(cells) else None
    if shape != (frames, joints * coordinates):
        raise ValueError(
            f"Expected {name} in {path} as cells of shape ({frames}, {joints * coordinates}). Received: shape={shape}"
        )
    return np.asarray(cells[place], dtype=np.float64).reshape(frames, joints, coordinates)


def _swapped_back(
    frames: np.ndarray, poses: np.ndarray, pixels: np.ndarray, start: int, stop: int
) -> tuple[np.ndarray, np.ndarray, str]:
    """Gives left and right their own names again, unless the files at hand are already right.

    Only names are wrong, not positions, so nothing need be dropped. Whether they are wrong shows at both borders: a
    person does not turn round within one frame.
    """
    swap = MPI_INF_3DHP_28.flip_indices
    inside = (frames >= start) & (frames < stop)
    borders = np.flatnonzero(np.diff(inside.astype(int)))
    moved = np.linalg.norm(poses[borders + 1] - poses[borders], axis=-1).sum()
    moved_swapped = np.linalg.norm(poses[borders + 1][:, swap] - poses[borders], axis=-1).sum()
    if not moved_swapped < moved:
        return poses, pixels, f"left and right are not exchanged in frames {start} to {stop - 1} of these files"
    poses, pixels = poses.copy(), pixels.copy()
    poses[inside] = poses[inside][:, swap]
    pixels[:, inside] = pixels[:, inside][:, :, swap]
    return poses, pixels, f"left and right exchanged back in frames {start} to {stop - 1}"
