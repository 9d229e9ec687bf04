"""The gallery for apps."""

import json

import numpy as np

from export.gallery import characteristic_poses, main
from vvipe_tf.apps.lite_model import LiteModel
from vvipe_tf.data.synthetic import generate_synthetic
from vvipe_tf.data.synthetic.actions import ACTIONS, LYING_ACTIONS
from vvipe_tf.keypoints import COCO_13


def test_a_gallery_has_a_pose_of_each_action_but_lying(export_dir, tmp_path):
    path = tmp_path / "gallery.json"
    assert main(["--model", str(export_dir / "vvipe_float16.tflite"), "--output", str(path)]) == 0
    content = json.loads(path.read_text())
    model = LiteModel.load(export_dir / "vvipe_float16.tflite")
    assert content["model_sha256"] == model.manifest.hashes["vvipe_float16.tflite"]
    assert content["joints"] == list(model.manifest.pose_joints)
    names = {pose["name"].replace(" ", "_") for pose in content["poses"]}
    assert names == set(ACTIONS) - set(LYING_ACTIONS)
    assert np.shape([pose["embedding"] for pose in content["poses"]]) == (len(names), model.manifest.embedding_dim)
    assert np.isfinite([pose["pose"] for pose in content["poses"]]).all()


def test_the_pose_of_a_squat_is_its_bottom():
    names, poses = characteristic_poses(generate_synthetic(num_poses=800, seed=2, num_subjects=1))
    canonical = poses.canonical(COCO_13)
    hip, ankle = COCO_13.index("left_hip"), COCO_13.index("left_ankle")
    reach = np.linalg.norm(canonical[:, hip] - canonical[:, ankle], axis=-1)
    assert reach[names.index("squat")] < 0.8 * reach[names.index("stand idle")]


def test_command_refuses_a_model_without_its_model_json(tmp_path, capsys):
    (tmp_path / "lonely.tflite").write_bytes(b"TFL3")
    assert main(["--model", str(tmp_path / "lonely.tflite"), "--output", str(tmp_path / "gallery.json")]) == 2
    assert capsys.readouterr().err.startswith("error: Expected model.json beside")
    assert not (tmp_path / "gallery.json").exists()
