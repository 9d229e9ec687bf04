"""The two stages of training: build, resume, fit, keep the best."""

import json
import math
from collections.abc import Callable
from pathlib import Path

import keras
import tensorflow as tf

from training.callbacks import Progress, StopOnNonFinite, Validation
from training.checkpoint import restore_state
from training.config import TrainConfig
from training.validation import ValidationSet
from vvipe_tf.data.dataset import PoseDataset
from vvipe_tf.data.pipeline import pose_batches, view_batches
from vvipe_tf.formats.atomic import atomic_path
from vvipe_tf.models.mapping_network import MappingNetwork
from vvipe_tf.models.metric_learning import MetricLearningModel
from vvipe_tf.models.pose_vae import PoseVAE
from vvipe_tf.models.run_folder import TrainedModel


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
    )
    _train(
        "vae",
        config,
        model,
        num_steps=config.vae_steps,
        batches=lambda start, stop: pose_batches(train, config.batch_size, config.seed, start, stop, views),
        measure=lambda: validation.measure_vae(trained),
        draw=lambda step: validation.draw_vae(trained, step),
        monitor="mpjpe_mm",
        higher_is_better=False,
    )


def train_mapping(config: TrainConfig, trained: TrainedModel, train: PoseDataset, validation: ValidationSet) -> None:
    """Stage two: trains the keypoint encoder in place, through the frozen decoder.

    Args:
        config: Settings.
        trained: Networks; those of stage one are trained already.
        train: Training poses.
        validation: Held-out poses.
    """
    networks, views = trained.networks, config.view_config()
    model = MappingNetwork(
        networks.keypoint_encoder,
        networks.pose_decoder,
        networks.pose_encoder,
        distillation_weight=config.distillation_weight,
        triplet_weight=config.triplet_weight,
        margin=config.margin,
    )
    _train(
        "mapping",
        config,
        model,
        num_steps=config.mapping_steps,
        batches=lambda start, stop: view_batches(
            train, config.batch_size, config.seed, start, stop, views, config.use_mask
        ),
        measure=lambda: validation.measure_mapping(trained),
        draw=lambda step: validation.draw_mapping(trained, step),
        monitor="hit_at_1",
        higher_is_better=True,
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
    rate = _learning_rate(config, num_steps)
    optimizer = keras.optimizers.Adam(rate, use_ema=config.ema > 0, ema_momentum=config.ema or 0.99)
    if config.mixed_precision:
        optimizer = keras.optimizers.LossScaleOptimizer(optimizer)
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
        learning_rate=(lambda step: float(rate(step))) if callable(rate) else (lambda step: rate),
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


def _learning_rate(config, num_steps):
    if config.schedule == "cosine":
        return keras.optimizers.schedules.CosineDecay(config.learning_rate, num_steps)
    if config.schedule == "step":
        return keras.optimizers.schedules.ExponentialDecay(
            config.learning_rate, math.ceil(num_steps / 5), 0.5, staircase=True
        )
    return config.learning_rate


def _forget_after(path, stage, step):
    """Drops the records of a stage beyond the step from which it goes on."""
    if not path.exists():
        return
    records = [json.loads(line) for line in path.read_text().splitlines()]
    kept = [record for record in records if record["stage"] != stage or record["step"] <= step]
    with atomic_path(path) as temporary:
        temporary.write_text("".join(json.dumps(record) + "\n" for record in kept))
