"""Frame lists in PR-VIPE's form: read as they are published, and clear about what is wrong."""

import numpy as np
import pytest

from tests.filmed_poses import make_views
from vvipe_tf.data.frame_list import FrameKey, read_frame_list, write_frame_list
from vvipe_tf.data.near_duplicates import select_gallery

HUMAN36M = "S11:Directions 1:54138969:000020"
MPI_INF_3DHP = "S1:Seq1:V0:C0:003370"
SUBJECTS = np.array(["S11"] * 4 + ["S1"] * 3)
SEQUENCES = np.array(["Directions 1"] * 4 + ["Seq1"] * 3)
FRAMES = np.array([0, 10, 20, 30, 3370, 3380, 3390])


def test_keys_of_both_data_sets_are_read_and_written_as_published():
    assert FrameKey.parse(HUMAN36M) == ("S11", "Directions 1", "54138969", 20)
    assert FrameKey.parse(f" {MPI_INF_3DHP}\r\n") == ("S1", "Seq1", "C0", 3370)
    for text in (HUMAN36M, MPI_INF_3DHP, "S8:Seq2:V10:C10:000000", "S9:SittingDown:60457274:123456"):
        assert str(FrameKey.parse(text)) == text


@pytest.mark.parametrize(
    "text",
    ["S11:Directions 1:54138969", "S11:Directions 1:54138969:-5", "S11:Directions 1:54138969:20.0", "S11::54138969:20",
     "S1:Seq1:V0:C1:003370", "S1:Seq1:video0:C0:003370", "S1:Seq1:V0:C0:x:003370", "frames"],
)  # fmt: skip
def test_a_malformed_key_is_named_with_its_file_and_line(tmp_path, text):
    (tmp_path / "list.txt").write_text(f"{HUMAN36M}\n\n{text}\n")
    with pytest.raises(ValueError, match="list.txt, line 3: Expected a frame key such as S11") as error:
        read_frame_list(tmp_path / "list.txt")
    assert text in str(error.value)


def test_a_folder_of_one_file_a_camera_is_one_list(tmp_path):
    (tmp_path / "C0.txt").write_text("S1:Seq1:V0:C0:003370\nS1:Seq1:V0:C0:003390\n")
    (tmp_path / "C1.txt").write_text("S1:Seq1:V1:C1:003380\n")
    frame_list = read_frame_list(tmp_path)
    assert len(frame_list) == 3
    listed = frame_list.find(SUBJECTS, SEQUENCES, FRAMES, ("C1", "C0", "C5"))
    assert np.argwhere(listed).tolist() == [[0, 5], [1, 4], [1, 6]]
    frame_list.check_found()


def test_keys_are_found_over_several_recordings(tmp_path):
    (tmp_path / "list.txt").write_text(f"{HUMAN36M}\n{MPI_INF_3DHP}\n")
    frame_list = read_frame_list(tmp_path / "list.txt")
    assert frame_list.find(SUBJECTS[:4], SEQUENCES[:4], FRAMES[:4], ("54138969",)).tolist() == [[0, 0, 1, 0]]
    with pytest.raises(ValueError, match="1 of 2 keys that are not, the first 'S1:Seq1:V0:C0:003370': unknown subject"):
        frame_list.check_found()
    assert frame_list.find(SUBJECTS[4:], SEQUENCES[4:], FRAMES[4:], ("C0", "C1")).sum() == 1
    frame_list.check_found()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("S12:Seq1:V0:C0:003370", "unknown subject or sequence"),
        ("S1:Directions 1:V0:C0:003370", "unknown subject or sequence"),
        ("S1:Seq1:V7:C7:003370", "unknown camera, there are C0, C1"),
        ("S1:Seq1:V0:C0:003391", "out of range, the last frame is 3390"),
        ("S1:Seq1:V0:C0:003375", "this frame is not in the data"),
    ],
)
def test_keys_that_are_not_in_the_data_are_told_with_the_reason(tmp_path, text, reason):
    (tmp_path / "list.txt").write_text(f"{MPI_INF_3DHP}\n{text}\n")
    frame_list = read_frame_list(tmp_path / "list.txt")
    frame_list.find(SUBJECTS, SEQUENCES, FRAMES, ("C0", "C1"))
    with pytest.raises(ValueError, match="1 of 2 keys") as error:
        frame_list.check_found()
    assert f"{text!r}: {reason}" in str(error.value)


def test_empty_repeated_and_absent_lists_are_refused(tmp_path):
    (tmp_path / "empty.txt").write_text("\n")
    (tmp_path / "twice.txt").write_text(f"{HUMAN36M}\n{HUMAN36M}\n")
    (tmp_path / "bytes.txt").write_bytes(b"\xff\xfe\x00")
    for name, message in (("empty", "at least one"), ("twice", "1 repeated"), ("bytes", "UTF-8")):
        with pytest.raises(ValueError, match=message) as error:
            read_frame_list(tmp_path / f"{name}.txt")
        assert f"{name}.txt" in str(error.value)
    with pytest.raises(FileNotFoundError, match="absent.txt"):
        read_frame_list(tmp_path / "absent.txt")


def test_a_list_of_distinct_poses_is_found_again(tmp_path):
    views = make_views()
    seen = np.zeros((3, 70), dtype=bool)
    seen[:, select_gallery(views.poses, 23, 0)] = True
    seen[1, :30] = False
    assert write_frame_list(tmp_path / "own.txt", views.poses, views.cameras, seen) == seen.sum()
    columns = views.poses.subject, views.poses.sequence, views.poses.frame
    np.testing.assert_array_equal(read_frame_list(tmp_path / "own.txt").find(*columns, views.cameras), seen)
    with pytest.raises(ValueError, match="without a colon"):
        write_frame_list(tmp_path / "own.txt", views.poses, ("a:b", "c", "d"), seen)
