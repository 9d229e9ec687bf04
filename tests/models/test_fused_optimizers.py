import keras
import numpy as np
import pytest
import tensorflow as tf

from vvipe_tf.models.fused_optimizers import FusedAdagrad, FusedAdam

SHAPES = [(7, 5), (5,), ()]


def draw(seed):
    rng = np.random.default_rng(seed)
    return [rng.normal(size=shape).astype(np.float32) for shape in SHAPES]


def run_steps(optimizer, num_steps=6, jit_compile=False):
    """Weights after some steps, and their moving average, from fixed gradients."""
    weights = [keras.Variable(start) for start in draw(0)]
    optimizer.build(weights)
    gradients = [[tf.constant(gradient) for gradient in draw(1 + step)] for step in range(num_steps)]
    apply = tf.function(lambda step: optimizer.apply(step, weights), jit_compile=jit_compile)
    for step in gradients:
        apply(step)
    last = [weight.numpy() for weight in weights]
    optimizer.finalize_variable_values(weights)
    return last, [weight.numpy() for weight in weights]


def assert_equal(got, expected):
    for weights, others in zip(got, expected, strict=True):
        for weight, other in zip(weights, others, strict=True):
            np.testing.assert_allclose(weight, other, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("jit_compile", [False, True])
def test_fused_adam_is_adam(jit_compile):
    rate = keras.optimizers.schedules.CosineDecay(0.1, 10)
    average = {"use_ema": True, "ema_momentum": 0.7}
    got = run_steps(FusedAdam(rate, **average), jit_compile=jit_compile)
    assert_equal(got, run_steps(keras.optimizers.Adam(rate, **average)))


def test_fused_adam_without_a_moving_average_is_adam():
    assert_equal(run_steps(FusedAdam(0.1)), run_steps(keras.optimizers.Adam(0.1)))


def test_fused_adam_is_adam_on_two_devices_and_with_scaled_losses(two_devices):
    def run(kind):
        with two_devices.scope():
            weight = keras.Variable(draw(0)[0])
            optimizer = keras.optimizers.LossScaleOptimizer(kind(0.1, use_ema=True, ema_momentum=0.7), 4.0)
            optimizer.build([weight])

        def step(gradient):
            optimizer.apply([gradient * optimizer.scale_loss(1.0)], [weight])

        run_step = tf.function(lambda gradient: two_devices.run(step, (gradient,)))
        for i in range(4):
            run_step(tf.constant(draw(1 + i)[0]))
        last = weight.numpy()
        optimizer.finalize_variable_values([weight])
        return [[last], [weight.numpy()]]

    got, expected = run(FusedAdam), run(keras.optimizers.Adam)
    assert np.abs(got[0][0] - draw(0)[0]).max() > 0.1
    assert_equal(got, expected)


def test_fused_adagrad_divides_by_the_root_of_all_squares():
    [weight, *_], _ = run_steps(FusedAdagrad(0.1, initial_accumulator_value=0.1), num_steps=3)
    expected, squares = draw(0)[0], 0.1
    for step in range(3):
        gradient = draw(1 + step)[0]
        squares = squares + gradient**2
        expected = expected - 0.1 * gradient / np.sqrt(squares)
    np.testing.assert_allclose(weight, expected, rtol=1e-5, atol=1e-6)


def test_the_moving_average_of_pr_vipe_starts_fast():
    """Decays 0, 2/11 and 3/12 after the first three steps."""
    weight = keras.Variable(0.0)
    optimizer = FusedAdagrad(0.1, use_ema=True, ema_momentum=0.9999)
    optimizer.build([weight])
    expected = None
    for step in range(3):
        optimizer.apply([keras.ops.convert_to_tensor(-1.0)], [weight])
        decay = (1 + step) / (10 + step) if step else 0.0
        expected = float(weight.numpy()) if expected is None else decay * expected + (1 - decay) * float(weight.numpy())
    optimizer.finalize_variable_values([weight])
    assert float(weight.numpy()) == pytest.approx(expected, rel=1e-5)
