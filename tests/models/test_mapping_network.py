import dataclasses

import keras
import numpy as np
import tensorflow as tf

from vvipe_tf.models.mapping_network import MappingNetwork
from vvipe_tf.models.networks import build_keypoint_encoder, build_pose_decoder, build_pose_encoder


def make_network(config, **options):
    keras.utils.set_random_seed(7)
    model = MappingNetwork(
        build_keypoint_encoder(config), build_pose_decoder(config), build_pose_encoder(config), **options
    )
    model.compile(optimizer=keras.optimizers.Adam(1e-2))
    return model


def views(number, seed=0):
    """Keypoints of poses seen straight on, each pose twice, with the mask channel."""
    rng = np.random.default_rng(seed)
    pose = np.repeat(rng.normal(size=(number // 2, 13, 3)), 2, axis=0).astype(np.float32)
    keypoints = np.concatenate([pose[..., 1:], np.ones((number, 13, 1), np.float32)], axis=-1)
    return tf.data.Dataset.from_tensor_slices((keypoints, pose)).batch(16)


def test_the_decoder_and_the_teacher_stay_as_they_were_to_the_last_bit(small_networks):
    """After stage one they were trainable and compiled: freezing must hold all the same, batch statistics included."""
    model = make_network(small_networks)
    before = [*model.decoder.get_weights(), *model.pose_encoder.get_weights()]
    learner = model.keypoint_encoder.get_weights()
    model.fit(views(64), epochs=2, verbose=0, shuffle=False)
    after = [*model.decoder.get_weights(), *model.pose_encoder.get_weights()]
    assert all(np.array_equal(a, b) for a, b in zip(before, after, strict=True))
    assert not any(
        np.array_equal(a, b)
        for a, b in zip(learner, model.keypoint_encoder.get_weights(), strict=True)
        if a.dtype == np.float32
    )


def test_the_decoder_runs_in_inference_mode_while_training(small_networks):
    model = make_network(dataclasses.replace(small_networks, dropout=0.9))
    model.keypoint_encoder = lambda keypoints, training: tf.reshape(keypoints, (-1, 39))[:, :5]
    inputs = np.random.default_rng(0).normal(size=(4, 13, 3)).astype(np.float32)
    np.testing.assert_array_equal(model(inputs, training=True), model(inputs, training=False))


def test_without_pre_training_the_decoder_learns(small_networks):
    model = make_network(small_networks, freeze_decoder=False, distillation_weight=0.0)
    before = model.decoder.get_weights()
    model.fit(views(32), verbose=0, shuffle=False)
    assert not np.array_equal(before[0], model.decoder.get_weights()[0])


def test_the_loss_falls(small_networks):
    """Nothing but the keypoint encoder learns here, so the error of the untrained decoder stays."""
    history = make_network(small_networks).fit(views(96), epochs=25, verbose=0, shuffle=False).history
    assert history["loss"][-1] < 0.9 * history["loss"][0]
    assert history["triplet_loss"][-1] < 0.7 * history["triplet_loss"][0]


def test_the_terms_add_up_to_the_loss(small_networks):
    model = make_network(small_networks, distillation_weight=0.3, triplet_weight=0.7)
    terms = model.compute_terms(next(iter(views(16))), training=False)
    expected = terms["pose_loss"] + 0.3 * terms["distillation_loss"] + 0.7 * terms["triplet_loss"]
    np.testing.assert_allclose(terms["loss"], expected, rtol=1e-6)
