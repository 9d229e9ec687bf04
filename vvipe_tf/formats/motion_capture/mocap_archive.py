"""Motion capture archives: one `.npz` per recording session, joints by name, metres, Z up.

Arrays: `xyz` (frames, 22, 3) float32 metres; `seq` (frames,) index into `names`; `frame` (frames,) frame number in the
source file; `names` (sequences,); `joints` (22,) joint names, `l_`/`r_` for left and right; `fps` ().
"""

import os
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vvipe_tf.formats.motion_capture.recording import MotionCapture
from vvipe_tf.formats.npz_arrays import read_npz_arrays
from vvipe_tf.keypoints import MOCAP_22

_ARRAYS = ("xyz", "seq", "frame", "names", "joints", "fps")
_KIND = "motion capture archive"


@dataclass(frozen=True)
class _Source:
    """A public data set: how its files and sequences are named, who the subject is, and its licence.

    The licence is written down here because the READMEs beside the archives are prose for people.
    """

    name: str
    license: str
    file_pattern: str
    sequence_pattern: str
    subject: str

    def matches(self, stem: str, names: list[str]) -> bool:
        return bool(re.fullmatch(self.file_pattern, stem)) and all(
            re.fullmatch(self.sequence_pattern, name) for name in names
        )

    def subject_of(self, sequence: str) -> str:
        return re.fullmatch(self.sequence_pattern, sequence).expand(self.subject)


_SOURCES = (
    _Source("ui_prmd", "ODC PDDL 1.0", r"s\d+_\d+fps", r"m\d+_(s\d+)_e\d+(?:_inc)?", r"\1"),
    _Source("reactidle", "MIT", r"reactidle_\d+fps", r"(\d+)_(?:acted|genuine)", r"\1"),
    _Source(
        "cmu8",
        "CMU Graphics Lab terms: free to use and redistribute, not to be resold by itself; acknowledge: The data used "
        "in this project was obtained from mocap.cs.cmu.edu. The database was created with funding from NSF "
        "EIA-0196217.",
        r"cmu8_\d+fps",
        r"(?:test|train)_.+",
        "cmu8",
    ),
    _Source("bandai_namco", "CC BY-NC 4.0", r"bandai\d_\d+fps", r"dataset-(\d)_.+", r"bandai\1"),
    _Source("deepmimic", "zlib (pybullet); DeepMimic MIT", r"deepmimic_\d+fps", r".+", "deepmimic"),
)


def read_mocap_archive(path: str | os.PathLike) -> MotionCapture:
    """Reads a motion capture archive; the joints are taken by name, whatever their order in the file.

    Subject, source and licence of the public data sets follow from the names of the file and of its sequences. Any
    other archive of this layout is its own source: the file's name, one subject, licence "not stated".

    Args:
        path: The `.npz` file.

    Returns:
        Poses with profile `MOCAP_22`. Joints that are NaN in the file stay NaN.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the file is no such archive, is damaged, or lacks a joint.
    """
    arrays = read_npz_arrays(path, _ARRAYS, _KIND)
    try:
        return _capture(Path(path).stem, arrays)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


def _capture(stem: str, arrays: dict[str, np.ndarray]) -> MotionCapture:
    for name, kinds in {"xyz": "f", "seq": "iu", "frame": "iu", "names": "U", "joints": "U", "fps": "iuf"}.items():
        if arrays[name].dtype.kind not in kinds:
            raise ValueError(f"Expected array {name!r} of kind {kinds!r}. Received: dtype={arrays[name].dtype}")
    for name, ndim in {"xyz": 3, "seq": 1, "frame": 1, "names": 1, "joints": 1, "fps": 0}.items():
        if arrays[name].ndim != ndim:
            raise ValueError(f"Expected array {name!r} with {ndim} axes. Received: shape={arrays[name].shape}")
    xyz, sequence_index, names = arrays["xyz"], arrays["seq"], arrays["names"]
    if xyz.shape[1:] != (len(arrays["joints"]), 3):
        raise ValueError(f"Expected xyz of shape (frames, {len(arrays['joints'])}, 3). Received: shape={xyz.shape}")
    if sequence_index.size and not 0 <= sequence_index.min() <= sequence_index.max() < len(names):
        raise ValueError(
            f"Expected sequence numbers in [0, {len(names)}). "
            f"Received: {sequence_index.min()} to {sequence_index.max()}"
        )
    source = _source(stem, names.tolist())
    subjects = np.array([source.subject_of(name) for name in names.tolist()], dtype=str)
    return MotionCapture(
        profile=MOCAP_22,
        poses=xyz[:, _joint_order(arrays["joints"].tolist())],
        subject=subjects[sequence_index],
        sequence=names[sequence_index],
        frame=arrays["frame"].astype(np.int32),
        source=source.name,
        license=source.license,
        fps=float(arrays["fps"]),
    )


def _source(stem: str, names: list[str]) -> _Source:
    for source in _SOURCES:
        if source.matches(stem, names):
            return source
    own_name = re.sub(r"_\d+fps$", "", stem)
    return _Source(own_name, "not stated", ".*", ".*", own_name.replace("\\", r"\\"))


def _joint_order(joints: list[str]) -> list[int]:
    """Index in the file of each joint of `MOCAP_22`."""
    full_names = [re.sub(r"^r_", "right_", re.sub(r"^l_", "left_", joint)) for joint in joints]
    missing = sorted(set(MOCAP_22.keypoint_names) - set(full_names))
    if missing or len(set(full_names)) != len(full_names):
        raise ValueError(f"Expected each joint of {MOCAP_22.name} once. Received: {joints}, without {missing}")
    return [full_names.index(joint) for joint in MOCAP_22.keypoint_names]
