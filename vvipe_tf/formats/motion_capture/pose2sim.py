"""Pose2Sim recordings in one `.npz`: OpenPose detections of calibrated cameras, and the poses triangulated from them.

Arrays: `xyz_trc` (frames, 21, 3) metres, Z up; `trc_names` (21,) names of its joints; `kp2d` (frames, cameras, 25, 3),
x, y, score of BODY_25B in pixels; `R`, `C`, `K`, `dist`, `wh`, calibration of each camera: `x_cam = R (X - C)`, then
`K` with distortion (k1, k2, p1, p2, k3); `fps` ().
"""

import os
from pathlib import Path

import numpy as np

from vvipe_tf.formats.detections.joint_names import match_profile
from vvipe_tf.formats.motion_capture.multi_view import MultiViewCapture, one_recording
from vvipe_tf.formats.npz_arrays import read_npz_arrays
from vvipe_tf.geometry.camera import Camera
from vvipe_tf.keypoints import COCO_13, OPENPOSE_BODY_25B, KeypointProfile

SOURCE = "pose2sim"
LICENSE = "BSD-3-Clause (Pose2Sim demo)"
KIND = "openpose"
# BODY_25B as Pose2Sim writes it to .trc files: without eyes and ears, which are not triangulated.
POSE2SIM_21 = KeypointProfile(
    "POSE2SIM_21",
    tuple(name for name in OPENPOSE_BODY_25B.keypoint_names if not name.endswith(("eye", "ear"))),
    COCO_13.bones,
)

_SUBJECT = "S1"
_AXES = {"xyz_trc": 3, "trc_names": 1, "kp2d": 4, "R": 3, "C": 2, "K": 3, "dist": 2, "wh": 2, "fps": 0}


def is_pose2sim_recording(path: str | os.PathLike) -> bool:
    """Whether a file is an archive of these arrays, whatever is in them."""
    if Path(path).suffix.lower() != ".npz":
        return False
    try:
        read_npz_arrays(path, _AXES, "")
    except ValueError:
        return False
    return True


def read_pose2sim_recording(path: str | os.PathLike) -> MultiViewCapture:
    """Reads a recording; the joints are taken by name, whatever their order in the file.

    Args:
        path: The `.npz` file; its name is the sequence's.

    Returns:
        Poses with profile `POSE2SIM_21` and detections with profile `OPENPOSE_BODY_25B`, kind `"openpose"`; cameras
        "cam1", "cam2", ... Joints that were not detected are NaN.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the file is no such archive, is damaged, or lacks a joint.
    """
    arrays = read_npz_arrays(path, _AXES, "Pose2Sim recording")
    try:
        return _recording(Path(path).stem, arrays)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


def _recording(name: str, arrays: dict[str, np.ndarray]) -> MultiViewCapture:
    for array, axes in _AXES.items():
        kinds = "U" if array == "trc_names" else "iuf"
        if arrays[array].ndim != axes or arrays[array].dtype.kind not in kinds:
            raise ValueError(
                f"Expected array {array!r} with {axes} axes, of kind {kinds!r}. "
                f"Received: shape={arrays[array].shape}, dtype={arrays[array].dtype}"
            )
    detected = arrays["kp2d"].swapaxes(0, 1)
    _, order = match_profile(arrays["trc_names"].tolist(), POSE2SIM_21, "trc_names")
    if arrays["xyz_trc"].shape[1] != len(arrays["trc_names"]) or detected.shape[3] != 3:
        raise ValueError(
            f"Expected xyz_trc (frames, {len(arrays['trc_names'])}, 3) and kp2d (frames, cameras, 25, 3). "
            f"Received: shapes={arrays['xyz_trc'].shape}, {arrays['kp2d'].shape}"
        )
    found = detected[..., 2] > 0
    calibration = _calibration(arrays)
    return MultiViewCapture(
        one_recording(
            POSE2SIM_21,
            arrays["xyz_trc"][:, list(order)],
            np.arange(len(arrays["xyz_trc"])),
            _SUBJECT,
            name,
            source=SOURCE,
            license=LICENSE,
            fps=float(arrays["fps"]),
        ),
        tuple(camera.name for camera in calibration),
        np.where(found[..., None], detected[..., :2], np.nan),
        OPENPOSE_BODY_25B,
        detected[..., 2],
        KIND,
        calibration,
    )


def _calibration(arrays: dict[str, np.ndarray]) -> tuple[Camera, ...]:
    parts = [arrays[name] for name in ("R", "C", "K", "dist", "wh")]
    if len({len(part) for part in parts}) != 1:
        raise ValueError(f"Expected one calibration for each camera. Received: {[len(part) for part in parts]}")
    return tuple(
        Camera(f"cam{number}", *values, tuple(size.tolist()))
        for number, (*values, size) in enumerate(zip(*parts, strict=True), start=1)
    )
