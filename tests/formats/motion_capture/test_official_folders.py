"""A folder tells what data set it is, and gives its recordings one by one."""

import pickle
import shutil

import numpy as np
import pytest

from tests.formats.motion_capture.official_files import write_3dhp, write_3dhp_test, write_archives, write_human36m
from vvipe_tf.formats.motion_capture.official_folders import find_captures


def names(found):
    return [(recording.source, recording.name) for recording in found.recordings]


def test_official_human36m_is_read_recording_by_recording_also_in_another_process(tmp_path):
    measured = {}
    for place, (subject, action) in enumerate((("S11", "Photo"), ("S9", "Eating 1"))):
        measured[action] = write_human36m(tmp_path, subject, action, 3 + place, seed=place)[0]
    found = find_captures(tmp_path, universal=False)
    assert names(found) == [("human36m", "S9/Eating 1"), ("human36m", "S11/Photo")]
    for recording in pickle.loads(pickle.dumps(found.recordings)):
        action = recording.name.split("/")[1]
        np.testing.assert_allclose(recording.read().capture.poses, measured[action], atol=1e-6)


def test_reading_is_lazy_so_a_damaged_recording_fails_when_its_turn_comes(tmp_path):
    write_3dhp(tmp_path, "S1/Seq1", frames=2)
    write_3dhp(tmp_path, "S8/Seq2", frames=3)
    write_3dhp_test(tmp_path / "mpi_inf_3dhp_test_set", "TS3")
    (tmp_path / "S1" / "Seq1" / "annot.mat").write_bytes(b"MATLAB 5.0 MAT-file")
    found = find_captures(tmp_path)
    assert names(found) == [
        ("mpi_inf_3dhp", "S1/Seq1"),
        ("mpi_inf_3dhp", "S8/Seq2"),
        ("mpi_inf_3dhp_test", "TS3"),
    ]
    with pytest.raises(ValueError, match=r"S1.Seq1.annot\.mat"):
        found.recordings[0].read()
    assert [recording.read().capture.source for recording in found.recordings[1:]] == [
        "mpi_inf_3dhp",
        "mpi_inf_3dhp_test",
    ]


def test_the_2d_archive_is_the_true_one_or_the_only_one_or_the_one_asked_for(tmp_path):
    actions = {"S1": {"Eating": 2, "Photo 1": 3}}
    for keypoints in ("gt", "cpn_ft_h36m_dbb", "detectron_ft_h36m"):
        write_archives(tmp_path, actions, keypoints=keypoints)
    found = find_captures(tmp_path)
    assert names(found) == [("human36m", "S1/Eating"), ("human36m", "S1/Photo 1")]
    assert found.notes == ("measured poses: the archives have no universal skeleton",)
    assert found.recordings[0].read().kind == "ground_truth"
    asked = find_captures(tmp_path, keypoints="detectron_ft_h36m")
    assert asked.recordings[1].read().kind == "detectron_ft_h36m"
    (tmp_path / "data_2d_h36m_gt.npz").unlink()
    with pytest.raises(ValueError, match="Received: cpn_ft_h36m_dbb, detectron_ft_h36m"):
        find_captures(tmp_path)
    (tmp_path / "data_2d_h36m_detectron_ft_h36m.npz").unlink()
    assert find_captures(tmp_path).recordings[0].read().kind == "cpn_ft_h36m_dbb"


def test_official_files_come_before_archives_unless_an_archive_is_asked_for(tmp_path):
    write_human36m(tmp_path, "S1", "Eating", frames=2)
    write_archives(tmp_path, {"S1": {"Eating": 4}})
    assert len(find_captures(tmp_path).recordings[0].read()) == 2
    assert len(find_captures(tmp_path, keypoints="gt").recordings[0].read()) == 4


def test_any_other_folder_is_none_of_them(tmp_path):
    (tmp_path / "S1" / "Seq1").mkdir(parents=True)
    assert find_captures(tmp_path) is None
    write_archives(tmp_path / "one", {"S1": {"Eating": 2}})
    write_archives(tmp_path / "two", {"S5": {"Eating": 2}})
    shutil.copy(tmp_path / "two" / "data_3d_h36m.npz", tmp_path / "one")
    with pytest.raises(ValueError, match="poses and gt keypoints in .* Received: none"):
        find_captures(tmp_path / "one")
