"""The optimizer of each model, with its learning rate and the moving average of the weights."""

import math
from collections.abc import Callable

import keras

from training.config import TrainConfig
from vvipe_tf.models.fused_optimizers import FusedAdagrad, FusedAdam

# Decay of Martinez et al.'s released code, per 100,000 steps.
_EXPONENTIAL_STEPS, _EXPONENTIAL_RATE = 100_000, 0.96


def build_optimizer(config: TrainConfig, num_steps: int) -> tuple[keras.optimizers.Optimizer, Callable[[int], float]]:
    """Builds the optimizer.

    Args:
        config: Settings.
        num_steps: Steps of the stage, over which the learning rate decays.

    Returns:
        The optimizer, and its learning rate by step.
    """
    rate = _learning_rate(config, num_steps)
    average = {"use_ema": config.ema > 0, "ema_momentum": config.ema or 0.99}
    if config.model == "pr_vipe":
        optimizer = FusedAdagrad(rate, initial_accumulator_value=0.1, **average)
    else:
        optimizer = FusedAdam(rate, **average)
    if config.mixed_precision:
        optimizer = keras.optimizers.LossScaleOptimizer(optimizer)
    return optimizer, (lambda step: float(rate(step))) if callable(rate) else (lambda step: rate)


def _learning_rate(config, num_steps):
    schedules = keras.optimizers.schedules
    if config.schedule == "cosine":
        return schedules.CosineDecay(config.learning_rate, num_steps)
    if config.schedule == "step":
        return schedules.ExponentialDecay(config.learning_rate, math.ceil(num_steps / 5), 0.5, staircase=True)
    if config.schedule == "exponential":
        return schedules.ExponentialDecay(config.learning_rate, _EXPONENTIAL_STEPS, _EXPONENTIAL_RATE)
    return config.learning_rate
