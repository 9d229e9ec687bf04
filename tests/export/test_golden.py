"""Golden vectors."""

import json

import numpy as np
import pytest

from export.golden import golden_inputs, main
from vvipe_tf.apps.lite_model import LiteModel


@pytest.fixture
def content(export_dir, tmp_path):
    path = tmp_path / "golden.json"
    assert main(["--model", str(export_dir / "vvipe_float16.tflite"), "--output", str(path)]) == 0
    return json.loads(path.read_text())


def test_a_golden_file_repeats_what_the_model_says(export_dir, content):
    model = LiteModel.load(export_dir / "vvipe_float16.tflite")
    assert content["sha256"] == model.manifest.hashes["vvipe_float16.tflite"]
    assert content["input_joints"] == list(model.manifest.input_joints)
    for case in content["cases"]:
        lifted = model.lift(np.float32([case["keypoints"]]))
        np.testing.assert_array_equal(np.float32(case["embedding"]), lifted.embedding[0])
        np.testing.assert_array_equal(np.float32(case["pose"]), lifted.pose[0])
        assert case["valid"] == lifted.valid[0]


def test_golden_cases_cover_what_goes_wrong_in_apps(content):
    valid = {case["name"]: case["valid"] for case in content["cases"]}
    assert sum(name.startswith("whole body") for name in valid) == 16
    for name in ("upper body", "one side", "normalised picture coordinates", "very large picture", "without nose"):
        assert valid[name], name
    for name in ("without a hip", "without shoulders", "five joints", "all joints in one place", "nothing"):
        assert not valid[name], name


def test_golden_inputs_are_the_same_each_time():
    first, second = golden_inputs(), golden_inputs()
    assert list(first) == list(second)
    assert all(np.array_equal(first[name], second[name]) for name in first)


def test_scale_changes_nothing(content):
    cases = {case["name"]: np.array(case["pose"]) for case in content["cases"]}
    for name in ("normalised picture coordinates", "very large picture"):
        np.testing.assert_allclose(cases[name], cases["whole body 0"], atol=1e-4)


def test_command_refuses_a_model_without_its_model_json(tmp_path, capsys):
    (tmp_path / "lonely.tflite").write_bytes(b"TFL3")
    assert main(["--model", str(tmp_path / "lonely.tflite"), "--output", str(tmp_path / "golden.json")]) == 2
    assert capsys.readouterr().err.startswith("error: Expected model.json beside")
    assert not (tmp_path / "golden.json").exists()
