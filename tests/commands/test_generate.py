"""`python -m vvipe_tf generate`: neighbours, samples, motions between poses."""

import json

import numpy as np
import pytest

from tests.commands.keypoint_files import detected_people, write_alphapose
from vvipe_tf.__main__ import main
from vvipe_tf.commands.keypoint_source import load_embedder
from vvipe_tf.formats.motion_capture.bvh import read_bvh
from vvipe_tf.formats.pose_files.pose_json import read_pose_json
from vvipe_tf.formats.pose_files.pose_npz import read_pose_npz
from vvipe_tf.keypoints import COCO_17


@pytest.fixture(scope="module")
def people():
    return detected_people(frames=14)


@pytest.fixture
def keypoint_file(people, tmp_path):
    return write_alphapose(tmp_path / "a.json", people)


@pytest.fixture
def generate(small_model, capsys):
    def run(action, *arguments):
        code = main(["generate", action, "--model", str(small_model), *map(str, arguments)])
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return run


def test_an_interpolation_runs_from_pose_to_pose_in_time(generate, keypoint_file, people, small_model, tmp_path):
    keys = [f"{keypoint_file}@{frame}" for frame in (2, 7, 12)]
    code, out, _ = generate(
        "interpolate",
        *("--from", keys[0], "--via", keys[1], "--to", keys[2], "--person", 9, "--seconds", 0.5, "--fps", 20),
        *("--output", tmp_path / "i.json", "--picture", tmp_path / "i.png"),
    )
    assert code == 0
    assert "21 poses" in out
    sequence = read_pose_json(tmp_path / "i.json")
    assert (sequence.fps, len(sequence)) == (20, 21)
    expected = load_embedder(str(small_model)).lift(people[1, [2, 7, 12]], profile=COCO_17).poses
    np.testing.assert_allclose(sequence.poses[::10], expected, atol=1e-4)
    assert (tmp_path / "i.png").stat().st_size > 10_000


def test_neighbours_move_farther_with_alpha_along_the_same_directions(generate, keypoint_file, small_model, tmp_path):
    code, out, _ = generate(
        "neighbours",
        *("--from", f"{keypoint_file}@3", "--alpha", 0.1, 0.3, "--count", 5, "--output", tmp_path / "n.npz"),
        *("--format", "json", "--seed", 6),
    )
    assert code == 0
    summary = json.loads(out)
    assert (summary["poses"], summary["noise"]) == (10, "standard normal")
    assert [row["label"] for row in summary["rows"]] == ["alpha 0.1"] * 5 + ["alpha 0.3"] * 5
    assert len(read_pose_npz(tmp_path / "n.npz")) == 10


def test_samples_depend_on_the_seed_alone(generate, tmp_path):
    for name, seed in (("a", 3), ("b", 3), ("c", 4)):
        code, *_ = generate(
            "sample", "--source", "prior", "--count", 9, "--seed", seed, "--output", tmp_path / f"{name}.npz"
        )
        assert code == 0
    first, again, other = (read_pose_npz(tmp_path / f"{name}.npz").poses for name in "abc")
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_samples_are_compared_with_a_reference(generate, keypoint_file):
    code, out, err = generate(
        "sample", "--source", "reference", "--reference", keypoint_file, "--count", 12, "--format", "json"
    )
    assert (code, err) == (0, "")
    summary = json.loads(out)
    assert summary["coverage"]["clusters"] == summary["coverage_of_reference"]["clusters"] == 20
    assert 0 < summary["nearest_reference"]["median"] <= summary["nearest_reference"]["max"]
    assert len(summary["rows"]) == 12
    assert {"mahalanobis", "nearest_reference", "plausible"} <= set(summary["rows"][0])


def test_what_is_far_from_real_poses_is_not_plausible(generate, keypoint_file):
    far = ("neighbours", "--from", keypoint_file, "--alpha", "1e4", "--count", 3, "--reference", keypoint_file)
    code, out, _ = generate(*far, "--format", "json")
    assert code == 0
    summary = json.loads(out)
    assert (summary["plausible"], summary["failures"]["unlike real poses"]) == (0, 3)
    code, _, err = generate(*far, "--plausible")
    assert (code, err.count("\n")) == (2, 1)
    assert "some are plausible" in err


def test_an_item_of_an_index_is_a_start(generate, keypoint_file, small_model, tmp_path):
    main(["index", "build", str(tmp_path / "i"), keypoint_file, "--model", str(small_model)])
    code, out, _ = generate(
        *("neighbours", "--from", f"{tmp_path / 'i'}@{keypoint_file}:3:9", "--alpha", 0, "--count", 1),
        *("--reference", tmp_path / "i", "--format", "json"),
    )
    assert code == 0
    assert json.loads(out[out.index("{") :])["nearest_reference"]["max"] < 1e-4


def test_a_motion_is_written_as_bvh(generate, keypoint_file, tmp_path):
    generate("interpolate", "--from", keypoint_file, "--to", f"{keypoint_file}@9", "--output", tmp_path / "m.bvh")
    motion = read_bvh(tmp_path / "m.bvh")
    assert (motion.num_frames, round(motion.fps)) == (31, 30)


def test_a_model_without_statistics_says_so_in_one_line(generate):
    code, out, err = generate("sample")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "Expected a model that knows the statistics of its embeddings" in err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("sample", "--source", "reference"), "Expected --reference FILE"),
        (("sample", "--source", "prior", "--count", "0"), "Expected at least 1 pose"),
        (("sample", "--source", "prior", "--output", "x.fbx"), "ends in .json"),
        (("sample", "--source", "prior", "--picture", "x.gif"), "Expected a picture"),
        (("sample", "--source", "prior", "--fps", "0"), "Expected --fps above 0"),
        (("neighbours", "--from", "{file}@99"), "expected a frame from 0 to 13"),
        (("interpolate", "--from", "{file}", "--to", "{file}", "--seconds", "0"), "Expected --seconds"),
        (("interpolate", "--from", "{file}", "--to", "{file}", "--seconds", "1e9"), "at most 100000 poses"),
        (("interpolate", "--from", "{file}", "--to", "{file}", "--seconds", "inf"), "at most 100000 poses"),
        (("sample", "--source", "prior", "--count", "1000000000"), "at most 100000 poses"),
        (("neighbours", "--from", "{file}", "--alpha", "0.2", "nan"), "Expected finite --alpha. Received: nan"),
        (("neighbours", "--from", "none.json"), "none.json"),
    ],
)
def test_bad_arguments_end_in_one_line(generate, keypoint_file, monkeypatch, tmp_path, arguments, message):
    monkeypatch.chdir(tmp_path)
    code, out, err = generate(*(text.format(file=keypoint_file) for text in arguments))
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert message in err
