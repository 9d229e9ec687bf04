"""A pose file of the format that its name asks for."""

import numpy as np
import pytest

from tests.small_models import STANDING_POSE
from vvipe_tf.formats.pose_files.pose_sequence import PoseSequence
from vvipe_tf.formats.pose_files.writing import write_pose_file
from vvipe_tf.keypoints import COCO_13

SEQUENCE = PoseSequence(np.repeat(STANDING_POSE[None], 3, axis=0), COCO_13, fps=20.0)


@pytest.mark.parametrize(
    ("name", "start"),
    [("p.json", b'{"format"'), ("p.CSV", b"# "), ("p.npz", b"PK"), ("p.bvh", b"HIERARCHY"), ("p.trc", b"PathFileType")],
)
def test_the_name_decides(tmp_path, name, start):
    fit = write_pose_file(tmp_path / name, SEQUENCE)
    assert (tmp_path / name).read_bytes().startswith(start)
    assert (fit is not None) == (name == "p.bvh")


def test_an_unknown_ending_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"ends in .json, .csv, .npz, .bvh, .trc. Received: .*p.fbx"):
        write_pose_file(tmp_path / "p.fbx", SEQUENCE)
