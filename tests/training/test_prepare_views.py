"""`training.prepare_data --views`: recordings of several cameras, lists and detections in, one file of views out."""

import json

import numpy as np
import pytest

from tests.formats.motion_capture.official_files import write_3dhp, write_human36m
from training.prepare_data import main
from vvipe_tf.data.frame_list import read_frame_list
from vvipe_tf.data.view_set import ViewSet
from vvipe_tf.formats.motion_capture.human36m_cdf import read_human36m_recording
from vvipe_tf.keypoints import COCO_13, COCO_17


@pytest.fixture
def human36m(tmp_path):
    root = tmp_path / "h36m"
    write_human36m(root, "S9", "Directions 1", frames=11)
    return root


def run(*arguments, fps="50"):
    return main([*map(str, arguments), "--views", "--fps", fps])


def test_official_folders_become_one_file_of_views(human36m, tmp_path, capsys):
    write_3dhp(tmp_path / "3dhp", "S1/Seq1", frames=6, numbers=(0, 3, 10))
    output = tmp_path / "all.views.npz"
    assert run(human36m, tmp_path / "3dhp", "--output", output, fps="25") == 0
    views = ViewSet.load(output)
    assert views.cameras == ("54138969", "55011271", "58860488", "60457274", "C0", "C3", "C10")
    assert list(views.keypoints) == ["ground_truth"]
    assert {row.source: row.poses for row in views.poses.summary()} == {"human36m": 6, "mpi_inf_3dhp": 6}
    seen = views.of_kind("ground_truth").visible.all(axis=-1)
    is_human36m = views.poses.source == "human36m"
    np.testing.assert_array_equal(seen[:4], np.tile(is_human36m, (4, 1)))
    np.testing.assert_array_equal(seen[4:], np.tile(~is_human36m, (3, 1)))
    printed = capsys.readouterr()
    assert "7 cameras, keypoints: ground_truth" in printed.out
    assert "read 2 of 2 recordings" in printed.err


def test_a_frame_list_chooses_the_views(human36m, tmp_path, capsys):
    keys = ["S9:Directions 1:54138969:000003", "S9:Directions 1:60457274:000003", "S9:Directions 1:60457274:000010"]
    (tmp_path / "list.txt").write_text("\n".join(keys))
    output = tmp_path / "some.views.npz"
    assert run(human36m, "--output", output, "--frame-list", tmp_path / "list.txt", fps="10") == 0
    views = ViewSet.load(output)
    assert views.poses.frame.tolist() == [3, 10]
    seen = views.of_kind("ground_truth").visible.any(axis=-1)
    assert seen.tolist() == [[True, False], [False, False], [False, False], [True, True]]
    for wrong, message in (("000011", "out of range, the last frame is 10"), ("3x", "line 4: Expected a frame key")):
        (tmp_path / "list.txt").write_text("\n".join([*keys, f"S9:Directions 1:54138969:{wrong}"]))
        before = output.read_bytes()
        assert run(human36m, "--output", output, "--frame-list", tmp_path / "list.txt") == 2
        assert message in capsys.readouterr().err
        assert output.read_bytes() == before


def test_detections_are_joined_and_counted(human36m, tmp_path, capsys):
    truth = read_human36m_recording(human36m, "S9", "Directions 1")
    body = [truth.profile_2d.index(joint) for joint in COCO_13.keypoint_names]
    people = []
    for frame in (0, 2, 3):
        joints = np.zeros((17, 3))
        joints[[COCO_17.index(joint) for joint in COCO_13.keypoint_names]] = np.c_[
            truth.keypoints_2d[1, frame, body] + 1, np.full(13, 0.6)
        ]
        people.append(
            {"image_id": f"{frame + 1:06d}.jpg", "keypoints": joints.ravel().tolist(), "score": 1, "box": [0, 0, 9, 9]}
        )
    (tmp_path / "found" / "S9").mkdir(parents=True)
    (tmp_path / "found" / "S9" / "Directions 1.55011271.json").write_text(json.dumps(people))
    output = tmp_path / "d.views.npz"
    flags = ["--detections", tmp_path / "found", "--detector", "alphapose", "--first-picture", "1"]
    assert run(human36m, "--output", output, *flags) == 0
    printed = capsys.readouterr().out
    assert "detections: 1 of 4 videos, 0 other files" in printed
    assert "S9 camera 55011271: 3 of 11 views joined, 8 without a detection, 0 with none near" in printed
    assert "S9 camera 54138969: 0 of 11 views joined, 11 without" in printed
    views = ViewSet.load(output)
    assert list(views.keypoints) == ["ground_truth", "alphapose"]
    assert np.argwhere(views.of_kind("alphapose").visible.all(axis=-1)).tolist() == [[1, 0], [1, 2], [1, 3]]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["{root}", "--output", "x.poses.npz"], "ends in .views.npz"),
        (["{root}", "--output", "x.views.npz", "--detector", "cpn"], "--detections and --detector together"),
        (
            ["{root}", "--output", "x.views.npz", "--detector", "ground_truth", "--detections", "{root}"],
            "of a detector",
        ),
        (["{root}", "--output", "x.views.npz", "--detector", "cpn", "--detections", "{root}"], "named by subject"),
        (["{root}/S9", "--output", "x.views.npz"], "folder of Human3.6M"),
        (["{root}/absent", "--output", "x.views.npz"], "absent, which does not exist"),
        (["{root}", "--output", "x.views.npz", "--frame-list", "absent.txt"], "absent.txt, which does not exist"),
        (["{root}", "--output", "x.views.npz", "--list-size", "0"], "--list-size of at least 1"),
    ],
)
def test_bad_input_is_one_line_exit_code_two_and_no_output(human36m, tmp_path, monkeypatch, capsys, arguments, message):
    monkeypatch.chdir(tmp_path)
    assert run(*(argument.format(root=human36m) for argument in arguments)) == 2
    errors = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1
    assert message in errors[0]
    assert not list(tmp_path.glob("x.*"))


@pytest.mark.real_data
def test_real_detections_stand_beside_the_projected_truth(shared_data, tmp_path, capsys):
    output, own = tmp_path / "b.views.npz", tmp_path / "own.txt"
    assert run(shared_data / "pose2sim_balancing", "--output", output, "--write-frame-list", own, fps="60") == 0
    views = ViewSet.load(output)
    assert (len(views), views.cameras) == (100, ("cam1", "cam2", "cam3", "cam4"))
    assert list(views.keypoints) == ["ground_truth", "openpose"]
    assert views.poses.profile is COCO_13
    truth, found = views.of_kind("ground_truth"), views.of_kind("openpose")
    assert truth.visible.all()
    assert 0.9 < found.visible.mean() < 1
    gap = np.linalg.norm(truth.keypoints_2d - found.keypoints_2d, axis=-1)
    assert 5 < np.median(gap[found.visible]) < 25
    listed = read_frame_list(own)
    assert len(listed) == 4 * 52
    listed.find(views.poses.subject, views.poses.sequence, views.poses.frame, views.cameras)
    listed.check_found()
