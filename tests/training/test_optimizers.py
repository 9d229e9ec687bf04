import pytest

from training.config import TrainConfig
from training.optimizers import build_optimizer


def test_schedules_decay_as_they_say():
    rate = build_optimizer(TrainConfig(learning_rate=1e-3, schedule="exponential"), 500)[1]
    assert rate(100_000) == pytest.approx(0.96e-3)
    assert rate(50_000) == pytest.approx(0.96**0.5 * 1e-3)
    assert build_optimizer(TrainConfig(learning_rate=2e-3, schedule="none"), 500)[1](400) == 2e-3
