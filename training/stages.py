"""The stages of training, two of V-VIPE and one of each baseline: build, resume, fit, keep the best."""

import json
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import tensorflow as tf

from training.callbacks import Progress, StopOnNonFinite, Validation
from training.checkpoint import restore_state
from training.config import TrainConfig
from training.optimizers import build_optimizer
from training.validation import ValidationSet
from vvipe_tf.data.dataset import PoseDataset
from vvipe_tf.data.pipeline import camera_batches, pair_batches, pose_batches, view_batches
from vvipe_tf.data.recorded_keypoints import RecordedKeypoints
from vvipe_tf.evaluation.protocol import metric_profiles
from vvipe_tf.formats.atomic import atomic_path
from vvipe_tf.models.lifter import LIFTED_PROFILE, Lifter
from vvipe_tf.models.mapping_network import MappingNetwork
from vvipe_tf.models.metric_learning import MetricLearningModel
from vvipe_tf.models.pose_vae import PoseVAE
from vvipe_tf.models.pr_vipe import PRVipe
from vvipe_tf.models.run_folder import TrainedModel
from vvipe_tf.models.trained_baselines import TrainedLifter, TrainedPRVipe

# Examples whose statistics standardise what the lifter takes and gives.
_STATISTICS_EXAMPLES = 16384


def train_vae(config: TrainConfig, trained: TrainedModel, train: PoseDataset, validation: ValidationSet) -> None:
    """Stage one: trains the pose encoder and the decoder in place.

    Args:
        config: Settings.
        trained: Networks to train.
        train: Training poses.
        validation: Held-out poses.
    """
    networks, views = trained.networks, config.view_config()
    model = PoseVAE(
        networks.pose_encoder,
        networks.pose_decoder,
        kl_weight=config.kl_weight,
        kl_warmup_steps=config.kl_warmup,
        seed=config.seed,
        triplet_weight=config.triplet_weight,
        margin=config.margin,
        mining=config.mining,
    )
    _train(
        "vae",
        config,
        model,
        num_steps=config.vae_steps,
        batches=lambda start, stop: pose_batches(
            train, config.batch_size, config.seed, start, stop, views, config.rotation
        ),
        measure=lambda: validation.measure_vae(trained),
        draw=lambda step: validation.draw_vae(trained, step),
        monitor="mpjpe_mm",
        higher_is_better=False,
    )


def train_mapping(
    config: TrainConfig,
    trained: TrainedModel,
    train: PoseDataset,
    validation: ValidationSet,
    recorded: RecordedKeypoints | None = None,
) -> None:
    """Stage two: trains the keypoint encoder in place, through the frozen decoder.

    Without pre-training the decoder learns here too, and there is no 3D encoder to distil from.

    Args:
        config: Settings.
        trained: Networks; those of stage one are trained already.
        train: Training poses.
        validation: Held-out poses.
        recorded: What real cameras saw of the training poses; None for virtual views alone.
    """
    networks, views = trained.networks, config.view_config()
    model = MappingNetwork(
        networks.keypoint_encoder,
        networks.pose_decoder,
        networks.pose_encoder,
        distillation_weight=config.distillation_weight if config.pretraining else 0.0,
        freeze_decoder=config.pretraining,
        triplet_weight=config.triplet_weight,
        margin=config.margin,
        mining=config.mining,
    )
    _train(
        "mapping",
        config,
        model,
        num_steps=config.mapping_steps,
        batches=lambda start, stop: view_batches(
            train, config.batch_size, config.seed, start, stop, views, config.use_mask, config.rotation, recorded
        ),
        measure=lambda: validation.measure_mapping(trained),
        draw=lambda step: validation.draw_mapping(trained, step),
        monitor="hit_at_1",
        higher_is_better=True,
        patience=config.patience,
    )


def train_pr_vipe(
    config: TrainConfig,
    trained: TrainedPRVipe,
    train: PoseDataset,
    validation: ValidationSet,
    recorded: RecordedKeypoints | None = None,
) -> None:
    """Trains PR-VIPE in place.

    Args:
        config: Settings.
        trained: Networks to train.
        train: Training poses.
        validation: Held-out poses.
        recorded: What real cameras saw of the training poses; None for virtual views alone.
    """
    views, profile = config.view_config(), metric_profiles(train.profile)[0]
    model = PRVipe(
        trained.networks,
        margin=config.margin,
        kl_weight=config.kl_weight,
        semi_hard=config.mining == "semi_hard",
        seed=config.seed,
        triplet_weight=config.triplet_weight,
    )
    _train(
        "pr_vipe",
        config,
        model,
        num_steps=config.mapping_steps,
        batches=lambda start, stop: pair_batches(
            train, config.batch_size, config.seed, start, stop, views, config.use_mask, profile, recorded
        ),
        measure=lambda: validation.measure_pr_vipe(trained),
        draw=lambda step: None,
        monitor="hit_at_1",
        higher_is_better=True,
        patience=config.patience,
    )


def train_lifter(config: TrainConfig, trained: TrainedLifter, train: PoseDataset, validation: ValidationSet) -> None:
    """Trains the lifter in place.

    Args:
        config: Settings.
        trained: Network to train.
        train: Training poses.
        validation: Held-out poses.
    """
    views = config.view_config()

    def batches(start, stop):
        return camera_batches(
            train, config.batch_size, config.seed, start, stop, views, config.use_mask, LIFTED_PROFILE
        )

    model = Lifter(trained.networks)
    examples = batches(0, math.ceil(_STATISTICS_EXAMPLES / config.batch_size))
    model.set_statistics(*(np.concatenate(parts) for parts in zip(*examples.as_numpy_iterator(), strict=True)))
    _train(
        "lifter",
        config,
        model,
        num_steps=config.mapping_steps,
        batches=batches,
        measure=lambda: validation.measure_lifter(trained),
        draw=lambda step: None,
        monitor="mpjpe_mm",
        higher_is_better=False,
        patience=config.patience,
    )


def _train(
    stage: str,
    config: TrainConfig,
    model: MetricLearningModel,
    num_steps: int,
    batches: Callable[[int, int], tf.data.Dataset],
    measure: Callable[[], dict[str, float]],
    draw: Callable[[int], None],
    monitor: str,
    higher_is_better: bool,
    patience: int = 0,
) -> None:
    if not num_steps:
        return
    # Validations are evenly spaced and each starts at a whole call of the graph, so the steps are rounded up.
    num_epochs = math.ceil(num_steps / config.validate_every)
    unit = config.steps_per_execution
    steps_per_epoch = unit * math.ceil(num_steps / num_epochs / unit)
    num_steps = num_epochs * steps_per_epoch
    optimizer, learning_rate = build_optimizer(config, num_steps)
    model.compile(optimizer=optimizer, jit_compile=config.jit_compile, steps_per_execution=unit)
    optimizer.build(model.trainable_variables)
    validation = Validation(
        stage,
        Path(config.run_dir),
        steps_per_epoch,
        config.batch_size,
        measure,
        draw,
        monitor,
        higher_is_better,
        patience,
        learning_rate,
    )
    validation.set_model(model)
    first_step = 0
    if validation.state_file.exists():
        first_step, extra = restore_state(validation.state_file, model)
        validation.resume_from(extra)
    _forget_after(Path(config.run_dir) / "metrics.jsonl", stage, first_step)
    if first_step < num_steps and not validation.is_exhausted():
        model.fit(
            batches(first_step, num_steps),
            initial_epoch=first_step // steps_per_epoch,
            epochs=num_epochs,
            steps_per_epoch=steps_per_epoch,
            shuffle=False,
            verbose=0,
            callbacks=[
                StopOnNonFinite(first_step, unit),
                validation,
                Progress(stage, num_steps, first_step, unit),
            ],
        )
    validation.restore_best()


def _forget_after(path, stage, step):
    """Drops the records of a stage beyond the step from which it goes on."""
    if not path.exists():
        return
    records = [json.loads(line) for line in path.read_text().splitlines()]
    kept = [record for record in records if record["stage"] != stage or record["step"] <= step]
    with atomic_path(path) as temporary:
        temporary.write_text("".join(json.dumps(record) + "\n" for record in kept))
