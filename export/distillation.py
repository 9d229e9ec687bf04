"""Teaches small networks to answer as large ones do (Hinton et al. 2015)."""

from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf

from vvipe_tf.data.dataset import PoseDataset
from vvipe_tf.data.pipeline import view_batches
from vvipe_tf.data.views import ViewConfig
from vvipe_tf.models.losses import reconstruction_loss
from vvipe_tf.models.network_config import NetworkConfig
from vvipe_tf.models.run_folder import Networks

# Poses weigh as much as embeddings, whose squares are about this much larger.
_POSE_WEIGHT = 50.0
_EMA = 0.998
# Wider than in training: the teacher answers for any view, so the student can learn from any.
_MAX_ELEVATION = np.deg2rad(75.0)
_MAX_ROLL = np.deg2rad(30.0)
_FREE_VIEWS = 0.75
_KEYPOINT_DROPOUT = 0.2
# How far poses of the pose encoder are moved towards others, at most, and by noise, in torso units.
_MOST_BLEND = 0.5
_POSE_NOISE = 0.06


class DistilledNetworks(keras.Model):
    """Trains three small networks at once on what three trained ones say.

    Fit it on batches (keypoints_2d, pose), as `vvipe_tf.data.pipeline.view_batches` makes them; the poses, and others
    around and between them, are what the pose encoder is shown, no more.

    Args:
        student: Networks to train.
        teacher: Trained networks.
    """

    def __init__(self, student: Networks, teacher: Networks, **kwargs):
        super().__init__(**kwargs)
        self.keypoint_encoder, self.pose_decoder = student.keypoint_encoder, student.pose_decoder
        self.pose_encoder = student.pose_encoder
        # A plain object, so that Keras does not count the teacher's weights as this model's.
        self.teach = _Teacher(teacher)
        self.trackers = {
            name: keras.metrics.Mean(name=name) for name in ("loss", "embedding", "pose", "pose_embedding")
        }

    @property
    def metrics(self):
        """The running means."""
        return list(self.trackers.values())

    def call(self, keypoints_2d, training=None):
        """Lifts keypoints: (batch, joints, 2 or 3) -> canonical pose (batch, joints, 3)."""
        return self.pose_decoder(self.keypoint_encoder(keypoints_2d, training=training), training=training)

    def train_step(self, data):
        """One step on a batch (keypoints_2d, pose)."""
        keypoints_2d, pose = data
        pose = _spread_poses(pose)
        wanted_embedding, wanted_pose, wanted_pose_embedding = self.teach(keypoints_2d, pose)
        with tf.GradientTape() as tape:
            embedding = self.keypoint_encoder(keypoints_2d, training=True)
            pose_embedding, _ = self.pose_encoder(pose, training=True)
            # The decoder sees the teacher's embeddings too: it is also called on its own.
            both = self.pose_decoder(tf.concat([embedding, wanted_embedding], axis=0), training=True)
            terms = {
                "embedding": _squared_distance(embedding, wanted_embedding),
                "pose": reconstruction_loss(tf.concat([wanted_pose, wanted_pose], axis=0), both),
                "pose_embedding": _squared_distance(pose_embedding, wanted_pose_embedding),
            }
            terms["loss"] = terms["embedding"] + _POSE_WEIGHT * terms["pose"] + terms["pose_embedding"]
        gradients = tape.gradient(terms["loss"], self.trainable_variables)
        # The log-variance is not taught: nothing that is exported reads it.
        taught = [pair for pair in zip(gradients, self.trainable_variables, strict=True) if pair[0] is not None]
        self.optimizer.apply_gradients(taught)
        for name, tracker in self.trackers.items():
            tracker.update_state(terms[name])
        return {name: tracker.result() for name, tracker in self.trackers.items()}


class _Teacher:
    def __init__(self, networks: Networks):
        self.networks = networks

    def __call__(self, keypoints_2d, pose):
        embedding = self.networks.keypoint_encoder(keypoints_2d, training=False)
        lifted = self.networks.pose_decoder(embedding, training=False)
        pose_embedding, _ = self.networks.pose_encoder(pose, training=False)
        return tuple(tf.stop_gradient(each) for each in (embedding, lifted, pose_embedding))


def distil_networks(
    teacher: Networks,
    config: NetworkConfig,
    train: PoseDataset,
    steps: int,
    batch_size: int,
    learning_rate: float,
    seed: int,
    report: Callable[[int, dict[str, float]], None] = lambda step, terms: None,
) -> Networks:
    """Trains small networks.

    Args:
        teacher: Trained networks.
        config: Size of the small ones; embedding_dim and use_mask are the teacher's.
        train: Training poses.
        steps: Steps.
        batch_size: Views in a batch.
        learning_rate: Peak learning rate of Adam, with a cosine decay.
        seed: Seed of weights, order and views.
        report: Is told the step and the terms ten times in the course.

    Returns:
        The small networks, with the moving average of their weights.

    Raises:
        ValueError: If there are fewer poses than a batch.
    """
    keras.utils.set_random_seed(seed)
    student = Networks.build(config)
    model = DistilledNetworks(student, teacher)
    rate = keras.optimizers.schedules.CosineDecay(learning_rate, steps)
    # The average must have left the start behind, in a short training too.
    momentum = min(_EMA, max(0.0, 1.0 - 10.0 / steps))
    model.compile(keras.optimizers.Adam(rate, use_ema=True, ema_momentum=momentum), jit_compile=False)
    views = ViewConfig(
        views_per_pose=1,
        augmented_fraction=_FREE_VIEWS,
        max_elevation=_MAX_ELEVATION,
        max_roll=_MAX_ROLL,
        keypoint_dropout=_KEYPOINT_DROPOUT if config.use_mask else 0.0,
    )
    batches = view_batches(train, batch_size, seed, 0, steps, views, config.use_mask)
    per_epoch = max(1, steps // 10)
    reporting = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: report((epoch + 1) * per_epoch, logs))
    model.fit(
        batches,
        epochs=steps // per_epoch,
        steps_per_epoch=per_epoch,
        shuffle=False,
        verbose=0,
        callbacks=[reporting],
    )
    model.optimizer.finalize_variable_values(model.trainable_variables)
    return student


def _spread_poses(pose):
    """Poses (batch, joints, 3), half of them moved towards another and half by noise.

    As with views, the teacher answers for any pose, and a student that saw only those of the data fails beyond them.
    """
    size = (tf.shape(pose)[0], 1, 1)
    share = tf.random.uniform(size, 0.0, _MOST_BLEND) * _random_half(size)
    noise = tf.random.normal(tf.shape(pose)) * tf.random.normal(size, stddev=_POSE_NOISE) * _random_half(size)
    return pose + share * (tf.random.shuffle(pose) - pose) + noise


def _random_half(shape):
    return tf.cast(tf.random.uniform(shape) < 0.5, tf.float32)


def _squared_distance(a, b):
    return tf.reduce_mean(tf.reduce_sum(tf.math.squared_difference(a, b), axis=-1))
