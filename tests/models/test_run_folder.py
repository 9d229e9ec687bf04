import dataclasses
import json

import keras
import numpy as np
import pytest

from vvipe_tf.data.rigs import UNSEEN
from vvipe_tf.data.synthetic import generate_synthetic
from vvipe_tf.evaluation.protocol import evaluate_retrieval
from vvipe_tf.keypoints import COCO_13
from vvipe_tf.models.networks import build_pose_encoder
from vvipe_tf.models.run_folder import Networks, load_run, read_config, save_run, write_started

ABOUT = {"seed": 1, "train": {}, "data": {"data": "synthetic"}, "versions": {}, "commit": None}


@pytest.fixture
def run_dir(tmp_path, small_networks):
    keras.utils.set_random_seed(0)
    save_run(tmp_path / "run", Networks.build(small_networks), small_networks, ABOUT)
    return tmp_path / "run"


def test_a_loaded_run_embeds_to_the_last_bit_as_before(tmp_path, small_networks):
    networks = Networks.build(small_networks)
    save_run(tmp_path, networks, small_networks, ABOUT)
    poses = np.random.default_rng(0).normal(size=(9, 13, 3)).astype(np.float32)
    trained = load_run(tmp_path)
    np.testing.assert_array_equal(trained.embed_poses(poses), networks.pose_encoder(poses, training=False)[0])
    assert trained.decode(trained.embed_poses(poses)).shape == (9, 13, 3)


def test_embeddings_do_not_depend_on_where_and_how_large_the_person_is(run_dir):
    keypoints = np.random.default_rng(1).normal(size=(7, 13, 2))
    trained = load_run(run_dir)
    np.testing.assert_allclose(
        trained.embed_keypoints(keypoints), trained.embed_keypoints(keypoints * 300 + [500, 200]), atol=1e-4
    )


def test_what_a_missing_joint_says_does_not_count(run_dir):
    keypoints = np.random.default_rng(2).normal(size=(4, 13, 2))
    mask = np.ones((4, 13), bool)
    mask[:, 4] = False
    moved = keypoints.copy()
    moved[:, 4] += 50
    trained = load_run(run_dir)
    np.testing.assert_array_equal(trained.embed_keypoints(keypoints, mask), trained.embed_keypoints(moved, mask))
    assert not np.allclose(trained.embed_keypoints(keypoints), trained.embed_keypoints(moved))


def test_many_poses_are_embedded_in_batches_as_one_by_one(run_dir, monkeypatch):
    monkeypatch.setattr("vvipe_tf.models.network_set._INFERENCE_BATCH", 3)
    trained = load_run(run_dir)
    poses = np.random.default_rng(3).normal(size=(8, 13, 3)).astype(np.float32)
    one_by_one = np.concatenate([trained.embed_poses(pose[None]) for pose in poses])
    np.testing.assert_allclose(trained.embed_poses(poses), one_by_one, atol=1e-6)
    assert trained.embed_poses(poses[:0]).shape == (0, 5)


def test_wrong_shapes_are_named(run_dir):
    trained = load_run(run_dir)
    with pytest.raises(ValueError, match=r"keypoints_2d of shape \(poses, 13, 2\). Received: shape=\(4, 17, 2\)"):
        trained.embed_keypoints(np.zeros((4, 17, 2)))
    with pytest.raises(ValueError, match=r"mask of shape \(4, 13\)"):
        trained.embed_keypoints(np.zeros((4, 13, 2)), np.ones((4, 12)))


def test_missing_joints_are_refused_by_a_model_without_a_mask(tmp_path, small_networks):
    config = dataclasses.replace(small_networks, use_mask=False)
    save_run(tmp_path, Networks.build(config), config, ABOUT)
    with pytest.raises(ValueError, match="trained without a mask"):
        load_run(tmp_path).embed_keypoints(np.ones((1, 13, 2)), np.zeros((1, 13)))


def test_changed_weights_are_refused(run_dir):
    weights = run_dir / "weights.npz"
    content = bytearray(weights.read_bytes())
    content[len(content) // 2] ^= 1
    weights.write_bytes(bytes(content))
    with pytest.raises(ValueError, match="SHA-256"):
        load_run(run_dir)


def test_a_folder_that_is_no_finished_run_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match="run folder with a config.json"):
        load_run(tmp_path)
    write_started(tmp_path, ABOUT)
    with pytest.raises(ValueError, match="still in training"):
        load_run(tmp_path)
    (tmp_path / "config.json").write_text(json.dumps({"format": "something-else"}))
    with pytest.raises(ValueError, match="config of a vvipe-run"):
        read_config(tmp_path)
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(ValueError, match="Expected JSON"):
        read_config(tmp_path)


@pytest.mark.parametrize("damage", [{"model": None}, {"model": {"depth": 3}}])
def test_a_config_without_the_size_of_the_networks_is_refused(damage, run_dir):
    config = json.loads((run_dir / "config.json").read_text())
    (run_dir / "config.json").write_text(json.dumps(config | damage))
    with pytest.raises(ValueError, match="Expected the size of the networks"):
        load_run(run_dir)


def test_a_run_from_before_there_were_kinds_is_v_vipe_and_an_unknown_kind_is_refused(run_dir):
    config = read_config(run_dir)
    assert config.pop("kind") == "vvipe"
    (run_dir / "config.json").write_text(json.dumps(config))
    assert load_run(run_dir).embed_poses(np.zeros((2, 13, 3))).shape == (2, 5)
    (run_dir / "config.json").write_text(json.dumps(config | {"kind": "oracle"}))
    with pytest.raises(ValueError, match="model among vvipe, pr_vipe, lifter. Received: oracle"):
        load_run(run_dir)


def test_weights_of_other_networks_are_refused(small_networks):
    networks = Networks.build(small_networks)
    weights = networks.get_weights()
    name = next(iter(weights))
    with pytest.raises(ValueError, match="other names"):
        networks.set_weights({key: value for key, value in weights.items() if key != name})
    with pytest.raises(ValueError, match=r"Received: shape=\(2, 3\)"):
        networks.set_weights(weights | {name: np.zeros((2, 3))})


def test_weight_names_do_not_depend_on_what_was_built_before(small_networks):
    first = Networks.build(small_networks).get_weights()
    build_pose_encoder(small_networks)
    assert list(first) == list(Networks.build(small_networks).get_weights())


def test_embeddings_do_not_change_when_the_world_is_turned_about_the_vertical_with_its_cameras(run_dir):
    dataset, yaw = generate_synthetic(130, seed=2, num_subjects=2), np.deg2rad(77.0)
    turn = np.array([[np.cos(yaw), np.sin(yaw), 0], [-np.sin(yaw), np.cos(yaw), 0], [0, 0, 1]])
    turned = dataclasses.replace(dataset, poses=dataset.poses @ turn)
    turned_rig = dataclasses.replace(UNSEEN, azimuths_deg=tuple(a + np.rad2deg(yaw) for a in UNSEEN.azimuths_deg))
    trained = load_run(run_dir)
    expected = np.stack([trained.embed_keypoints(view) for view in UNSEEN.project(dataset, seed=4)])
    found = np.stack([trained.embed_keypoints(view) for view in turned_rig.project(turned, seed=4)])
    np.testing.assert_allclose(found, expected, atol=1e-6)
    np.testing.assert_allclose(trained.embed_poses(turned.canonical(COCO_13)),
                               trained.embed_poses(dataset.canonical(COCO_13)), atol=1e-6)  # fmt: skip
    before = evaluate_retrieval(expected, UNSEEN.pairs, dataset.centred(), ks=(1, 5)).hits
    after = evaluate_retrieval(found, UNSEEN.pairs, turned.centred(), ks=(1, 5)).hits
    np.testing.assert_allclose(after, before, atol=1e-6)
