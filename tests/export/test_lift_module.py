"""The exported graph against the Python API, before conversion."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from export.detections import hostile_keypoints, make_detections
from export.folded_network import fold_network
from export.lift_module import LiftConfig, LiftModule
from vvipe_tf.data.rigs import CHEST
from vvipe_tf.geometry.keypoints_2d import valid_keypoints
from vvipe_tf.keypoints import COCO_17


def build(trained, **settings):
    networks = trained.networks
    return LiftModule(
        LiftConfig(trained.network_config, **settings),
        {
            "keypoint_encoder": fold_network(networks.keypoint_encoder, "z_mean"),
            "pose_decoder": fold_network(networks.pose_decoder, "pose"),
            "pose_encoder": fold_network(networks.pose_encoder, "z_mean"),
        },
    )


def lift(module, keypoints):
    return {name: value.numpy() for name, value in module.lift(tf.constant(keypoints, tf.float32)).items()}


@pytest.fixture
def detections(dataset):
    return make_detections(CHEST.project(dataset.select(np.arange(0, 420, 11)), 3)[1], 0.5, 3)


def test_lift_says_what_the_python_api_says(trained, detections):
    found = lift(build(trained), detections.keypoints)
    embedding = trained.embed_keypoints(detections.keypoints_2d, detections.visible)
    np.testing.assert_allclose(found["embedding"], embedding, atol=2e-5)
    np.testing.assert_allclose(found["pose"], trained.decode(embedding), atol=2e-5)
    expected = valid_keypoints(detections.keypoints_2d, detections.visible)
    assert 0 < (~detections.visible).mean() < 0.5
    np.testing.assert_array_equal(found["valid"], expected.astype("float32"))


def test_the_order_of_joints_is_by_name(trained, detections):
    shuffled = np.random.default_rng(0).permutation(17)
    module = build(trained)
    wrong = lift(module, detections.keypoints[:, shuffled])["embedding"]
    assert np.abs(wrong - lift(module, detections.keypoints)["embedding"]).max() > 0.01
    moved = detections.keypoints.copy()
    moved[:, [COCO_17.index(name) for name in ("left_eye", "right_ear")]] = [999, -5, 1]
    np.testing.assert_array_equal(lift(module, moved)["pose"], lift(module, detections.keypoints)["pose"])


def test_keypoints_below_the_threshold_count_as_missing(trained, detections):
    keypoints = detections.keypoints.copy()
    wrist = COCO_17.index("left_wrist")
    keypoints[:, wrist, 2] = 0.45
    kept, gone = (lift(build(trained, score_threshold=threshold), keypoints) for threshold in (0.45, 0.46))
    mask = detections.visible.copy()
    mask[:, 5] = True
    np.testing.assert_allclose(kept["embedding"], trained.embed_keypoints(detections.keypoints_2d, mask), atol=2e-5)
    mask[:, 5] = False
    np.testing.assert_allclose(gone["embedding"], trained.embed_keypoints(detections.keypoints_2d, mask), atol=2e-5)


def test_unusable_detections_are_marked_and_give_finite_outputs(trained):
    found = lift(build(trained), hostile_keypoints())
    assert not found["valid"].any()
    assert all(np.isfinite(value).all() for value in found.values())


def test_a_joint_out_of_bounds_is_a_missing_joint(trained, detections):
    whole = detections.keypoints[detections.visible.all(axis=1)][:2]
    ankle = COCO_17.index("right_ankle")
    missing, far = whole.copy(), whole.copy()
    missing[:, ankle, 2] = 0.0
    far[:, ankle, 0] = [np.nan, 2e6]
    module = build(trained)
    np.testing.assert_array_equal(lift(module, far)["embedding"], lift(module, missing)["embedding"])
    assert lift(module, far)["valid"].all()


def test_a_model_without_a_mask_calls_half_bodies_invalid(detections, config, make_trained):
    model = make_trained(dataclasses.replace(config, use_mask=False), 2)
    found = lift(build(model), detections.keypoints)
    whole = detections.visible.all(axis=1)
    np.testing.assert_array_equal(found["valid"] > 0, whole)
    embedding = model.embed_keypoints(detections.keypoints_2d[whole])
    np.testing.assert_allclose(found["embedding"][whole], embedding, atol=2e-5)


def test_encode_pose_is_there_when_its_network_is(trained, dataset):
    module = build(trained)
    assert list(module.signatures()) == ["lift", "embed", "decode", "encode_pose"]
    poses = dataset.canonical()[:7, :13]
    found = module.encode_pose(tf.constant(poses))["embedding"].numpy()
    np.testing.assert_allclose(found, trained.embed_poses(poses), atol=2e-5)
