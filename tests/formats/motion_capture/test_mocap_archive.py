"""Motion capture archives: joints by name, who and whence from the names, damaged files."""

import numpy as np
import pytest

from vvipe_tf.formats.motion_capture.mocap_archive import read_mocap_archive
from vvipe_tf.keypoints import MOCAP_22

JOINTS = [name.replace("left_", "l_").replace("right_", "r_") for name in MOCAP_22.keypoint_names]


def write_archive(path, names=("m03_s07_e02", "m04_s07_e01_inc"), **replaced):
    rng = np.random.default_rng(4)
    arrays = {
        "xyz": rng.normal(size=(5, 22, 3)).astype(np.float32),
        "seq": np.array([0, 0, 0, 1, 1], np.int32),
        "frame": np.array([0, 10, 20, 30, 50], np.int32),
        "names": np.array(names),
        "joints": np.array(JOINTS),
        "fps": np.array(10.0),
    } | replaced
    np.savez(path, **{name: array for name, array in arrays.items() if array is not None})
    return arrays


@pytest.mark.parametrize(
    ("file", "names", "source", "subjects"),
    [
        ("s07_10fps.npz", ("m03_s07_e02", "m04_s08_e01_inc"), "ui_prmd", ["s07", "s08"]),
        ("reactidle_10fps.npz", ("003_genuine", "014_acted"), "reactidle", ["003", "014"]),
        ("cmu8_10fps.npz", ("train_walking_1", "test_soccer_soccer_1"), "cmu8", ["cmu8", "cmu8"]),
        ("bandai2_10fps.npz", ("dataset-2_run_001", "dataset-2_run_002"), "bandai_namco", ["bandai2", "bandai2"]),
        ("deepmimic_10fps.npz", ("walk", "roll"), "deepmimic", ["deepmimic", "deepmimic"]),
        ("s07_10fps.npz", ("walk", "roll"), "s07", ["s07", "s07"]),
        ("my_dance.npz", ("m03_s07_e02", "b"), "my_dance", ["my_dance", "my_dance"]),
    ],
)
def test_source_and_subject_follow_from_file_and_sequence_names(tmp_path, file, names, source, subjects):
    write_archive(tmp_path / file, names)
    capture = read_mocap_archive(tmp_path / file)
    assert capture.source == source
    assert capture.subject.tolist() == [subjects[0]] * 3 + [subjects[1]] * 2
    assert capture.sequence.tolist() == [names[0]] * 3 + [names[1]] * 2
    assert capture.frame.tolist() == [0, 10, 20, 30, 50]
    assert (capture.license == "not stated") == (source in ("s07", "my_dance"))


def test_joints_are_taken_by_name_whatever_their_order(tmp_path):
    order = np.random.default_rng(1).permutation(22)
    arrays = write_archive(tmp_path / "plain.npz")
    write_archive(
        tmp_path / "shuffled.npz", xyz=arrays["xyz"][:, order], joints=arrays["joints"][order], extra=np.zeros(3)
    )
    plain, shuffled = (read_mocap_archive(tmp_path / f"{name}.npz") for name in ("plain", "shuffled"))
    np.testing.assert_array_equal(plain.poses, arrays["xyz"])
    np.testing.assert_array_equal(shuffled.poses, plain.poses)
    assert plain.profile is MOCAP_22


@pytest.mark.parametrize(
    ("replaced", "message"),
    [
        ({"joints": np.array([*JOINTS[:-1], "tail"])}, "without \\['head_top'\\]"),
        ({"joints": np.array([*JOINTS[:-1], "nose"])}, "each joint of MOCAP_22 once"),
        ({"xyz": np.zeros((5, 21, 3), np.float32)}, "shape \\(frames, 22, 3\\)"),
        ({"xyz": np.zeros((4, 22, 3), np.float32)}, "shape \\(5, 22, 3\\)"),
        ({"xyz": np.zeros((5, 22, 3), np.int64)}, "kind 'f'"),
        ({"seq": np.array([0, 0, 2, 1, 1])}, "\\[0, 2\\)"),
        ({"seq": np.array([0, 0, 1, 1])}, "\\(5,\\)"),
        ({"fps": np.array(0.0)}, "positive frame rate"),
        ({"names": np.array(["a", None], dtype=object)}, "allow_pickle"),
        ({"xyz": None}, "without \\['xyz'\\]"),
    ],
)
def test_an_archive_that_does_not_fit_is_named_in_one_error(tmp_path, replaced, message):
    write_archive(tmp_path / "wrong.npz", **replaced)
    with pytest.raises(ValueError, match=message) as error:
        read_mocap_archive(tmp_path / "wrong.npz")
    assert "wrong.npz" in str(error.value)


def test_truncated_and_foreign_files_are_refused(tmp_path):
    write_archive(tmp_path / "whole.npz")
    content = (tmp_path / "whole.npz").read_bytes()
    damaged = bytearray(content)
    damaged[200:260] = bytes(60)
    np.save(tmp_path / "single.npy", np.zeros(3))
    files = {"half": content[: len(content) // 2], "text": b"not a zip", "empty": b"", "damaged": bytes(damaged)}
    for name, wrong in {**files, "single": (tmp_path / "single.npy").read_bytes()}.items():
        (tmp_path / f"{name}.npz").write_bytes(wrong)
        with pytest.raises(ValueError, match=f"{name}.npz"):
            read_mocap_archive(tmp_path / f"{name}.npz")
    with pytest.raises(FileNotFoundError, match="absent.npz"):
        read_mocap_archive(tmp_path / "absent.npz")


@pytest.mark.real_data
def test_real_archives_have_the_counts_of_their_readmes(shared_data):
    captures = [read_mocap_archive(path) for path in sorted(shared_data.glob("*/*_10fps.npz"))]
    poses, subjects = {}, {}
    for capture in captures:
        poses[capture.source] = poses.get(capture.source, 0) + len(capture)
        subjects.setdefault(capture.source, set()).update(capture.subject.tolist())
    assert poses == {"ui_prmd": 48090, "reactidle": 33661, "cmu8": 5702, "bandai_namco": 139975, "deepmimic": 351}
    assert subjects["ui_prmd"] == {f"s{number:02d}" for number in range(1, 11)}
    assert subjects["bandai_namco"] == {"bandai1", "bandai2"}
    assert len(subjects["reactidle"]) == 14
