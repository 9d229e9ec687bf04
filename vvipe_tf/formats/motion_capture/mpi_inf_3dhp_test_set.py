"""Test set of MPI-INF-3DHP: `TS1/annot_data.mat` to `TS6/annot_data.mat`, one camera each.

`annot2`, `annot3` and `univ_annot3` are (coordinates, 17, 1, frames), pixels and millimetres in the camera's frame, in
an order of joints of their own (`MPI_INF_3DHP_17`); `valid_frame` tells the frames that are evaluated. The cameras lie
in `test_util/camera_calibration` beside the sequences.
"""

import os
from pathlib import Path

import numpy as np

from vvipe_tf.formats.matlab_arrays import read_matlab_arrays
from vvipe_tf.formats.motion_capture.mpi_inf_3dhp import LICENSE
from vvipe_tf.formats.motion_capture.multi_view import GROUND_TRUTH, MultiViewCapture, one_recording
from vvipe_tf.formats.motion_capture.skeletool_cameras import read_test_camera
from vvipe_tf.keypoints import MPI_INF_3DHP_28, KeypointProfile

SOURCE = "mpi_inf_3dhp_test"
ANNOTATION = "annot_data.mat"
MPI_INF_3DHP_17 = KeypointProfile(
    "MPI_INF_3DHP_17",
    (
        "head_top",
        "neck",
        "right_shoulder",
        "right_elbow",
        "right_wrist",
        "left_shoulder",
        "left_elbow",
        "left_wrist",
        "right_hip",
        "right_knee",
        "right_ankle",
        "left_hip",
        "left_knee",
        "left_ankle",
        "pelvis",
        "spine",
        "head",
    ),
    MPI_INF_3DHP_28.bones,
    MPI_INF_3DHP_28.aliases,
)

_METRES_PER_MILLIMETRE = 1e-3
_STUDIO = ("ts1-4cameras.calib", (2048, 2048))
_OUTDOORS = ("ts5-6cameras.calib", (1920, 1080))
_SEQUENCES = {**{f"TS{number}": _STUDIO for number in range(1, 5)}, "TS5": _OUTDOORS, "TS6": _OUTDOORS}
_ASSUMED_FPS = 25.0


def find_test_recordings(root: str | os.PathLike) -> list[Path]:
    """Folders of the test set in `root`, or in `mpi_inf_3dhp_test_set` in it, sorted."""
    folders = (Path(root, *below, name) for below in ((), ("mpi_inf_3dhp_test_set",)) for name in _SEQUENCES)
    return [folder for folder in folders if (folder / ANNOTATION).is_file()]


def read_test_recording(folder: str | os.PathLike, universal: bool = True) -> MultiViewCapture:
    """Reads one sequence of the test set, its valid frames.

    Args:
        folder: Folder of the sequence, `TS1` to `TS6`.
        universal: Whether poses of the universal skeleton are wanted rather than measured ones.

    Returns:
        Poses and true pixels, both `MPI_INF_3DHP_17`; one camera "C0".

    Raises:
        FileNotFoundError: If a file is missing.
        ValueError: If a file is damaged or of another form.
    """
    folder = Path(folder)
    if folder.name not in _SEQUENCES:
        raise ValueError(f"Expected a folder TS1 to TS6. Received: {folder}")
    calibration, image_size = _SEQUENCES[folder.name]
    camera = read_test_camera(folder.parent / "test_util" / "camera_calibration" / calibration, image_size)
    kind = "univ_annot3" if universal else "annot3"
    path = folder / ANNOTATION
    arrays = read_matlab_arrays(path, (kind, "annot2", "valid_frame"))
    valid = np.ravel(arrays["valid_frame"]).astype(bool)
    poses = _joints(arrays, kind, 3, len(valid), path)[valid]
    pixels = _joints(arrays, "annot2", 2, len(valid), path)[valid]
    notes = [f"frame rate not documented, {_ASSUMED_FPS:g} a second assumed"]
    if not valid.all():
        notes.append(f"{int((~valid).sum())} of {len(valid)} frames left out: not valid")
    capture = one_recording(
        MPI_INF_3DHP_17,
        camera.camera_to_world(poses * _METRES_PER_MILLIMETRE),
        np.flatnonzero(valid),
        folder.name,
        folder.name,
        source=SOURCE,
        license=LICENSE,
        fps=_ASSUMED_FPS,
    )
    return MultiViewCapture(
        capture, (camera.name,), pixels[None], MPI_INF_3DHP_17, None, GROUND_TRUTH, (camera,), tuple(notes)
    )


def _joints(arrays: dict, name: str, coordinates: int, frames: int, path: Path) -> np.ndarray:
    shape = (coordinates, MPI_INF_3DHP_17.num_joints, 1, frames)
    if np.shape(arrays[name]) != shape:
        raise ValueError(f"Expected {name} of shape {shape} in {path}. Received: shape={np.shape(arrays[name])}")
    return np.asarray(arrays[name], dtype=np.float64)[:, :, 0].T
