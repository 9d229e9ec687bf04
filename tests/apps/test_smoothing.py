"""Smoothing over time, and what is told about it."""

import numpy as np
import pytest
from scipy.signal import savgol_filter

from vvipe_tf.apps.smoothing import measure_smoothing, one_euro, savitzky_golay, smooth_poses

FPS = 30.0


def walk(frames=90, joints=5, noise=0.0, seed=0, steps_per_second=0.8):
    time = np.arange(frames)[:, None, None] / FPS
    phase = np.arange(joints * 3).reshape(joints, 3)
    clean = 0.4 * np.sin(2 * np.pi * steps_per_second * time + phase)
    return clean + noise * np.random.default_rng(seed).normal(size=clean.shape)


def test_the_second_sample_of_one_euro_worked_by_hand():
    signal = np.array([[0.0, 0.0], [3.0, 4.0]])
    derivative_rate = 2 * np.pi * 1.0 / FPS
    speed = derivative_rate / (derivative_rate + 1) * 5.0 * FPS
    rate = 2 * np.pi * (1.2 + 0.5 * speed) / FPS
    expected = rate / (rate + 1) * signal[1]
    np.testing.assert_allclose(one_euro(signal, np.arange(2), FPS, min_cutoff=1.2, beta=0.5)[1], expected)


def test_one_euro_lets_more_through_the_faster_the_signal():
    step = np.zeros((10, 1))
    step[5:] = 1.0
    shares = [one_euro(size * step, np.arange(10), FPS)[5, 0] / size for size in (0.01, 1.0, 100.0)]
    assert shares == sorted(shares)
    assert shares[2] > 0.9 > 0.3 > shares[0]


def test_one_euro_is_causal_and_savgol_is_not():
    before, after = walk(60, noise=0.05), walk(60, noise=0.05)
    after[40:] += 1.0
    frame = np.arange(60)
    assert np.array_equal(one_euro(before, frame, FPS)[:40], one_euro(after, frame, FPS)[:40])
    assert not np.array_equal(savitzky_golay(before, frame, FPS)[:40], savitzky_golay(after, frame, FPS)[:40])


def test_savgol_is_scipy_s():
    signal = walk(50, noise=0.05)
    expected = savgol_filter(signal, 13, 2, axis=0)
    np.testing.assert_allclose(savitzky_golay(signal, np.arange(50), FPS, 13 / FPS, 2), expected)


def test_savgol_keeps_a_polynomial_of_its_degree():
    time = np.arange(31.0)[:, None]
    cubic = 1 + 2 * time - 0.1 * time**2 + 0.003 * time**3
    np.testing.assert_allclose(savitzky_golay(cubic, np.arange(31), FPS, order=3), cubic, atol=1e-9)


def test_savgol_keeps_its_clock_over_missing_frames():
    frame = np.delete(np.arange(40), [11, 12, 30])
    line = 0.5 * frame[:, None]
    np.testing.assert_allclose(savitzky_golay(line, frame, FPS), line, atol=1e-9)


@pytest.mark.parametrize("frames", [1, 2, 3, 4])
def test_savgol_leaves_what_is_shorter_than_its_window(frames):
    signal = walk(frames, noise=0.3)
    np.testing.assert_allclose(savitzky_golay(signal, np.arange(frames), FPS), signal)


@pytest.mark.parametrize("method", ["one-euro", "savgol"])
def test_smoothing_brings_noisy_poses_nearer_to_the_truth(method):
    noisy, truth = walk(noise=0.03, steps_per_second=0.2), walk(steps_per_second=0.2)
    smoothed, report = smooth_poses(noisy, np.arange(90), FPS, method)
    assert np.abs(smoothed - truth).mean() < 0.8 * np.abs(noisy - truth).mean()
    assert report.jitter_after < 0.6 * report.jitter_before
    assert abs(report.lag_seconds) < (0.002 if method == "savgol" else 0.05)
    assert report.change == pytest.approx(np.sqrt(np.square(smoothed - noisy).sum(axis=-1).mean()))


def test_one_euro_comes_late():
    _, report = smooth_poses(walk(), np.arange(90), FPS, "one-euro")
    assert 0.001 < report.lag_seconds < 0.05


def test_jitter_worked_by_hand():
    poses = np.zeros((4, 1, 3))
    poses[:, 0, 0] = [0.0, 1.0, 0.0, 1.0]
    report = measure_smoothing(poses, np.zeros_like(poses), np.arange(4), FPS)
    assert report.jitter_before == 2.0
    assert report.jitter_after == 0.0
    assert report.change == pytest.approx(np.sqrt(0.5))


@pytest.mark.parametrize("delay", [-2, 0, 3])
def test_a_delay_is_measured(delay):
    motion = walk(130)
    report = measure_smoothing(motion[10:110], motion[10 - delay : 110 - delay], np.arange(100), FPS)
    assert report.lag_seconds == pytest.approx(delay / FPS, abs=0.002)


def test_a_delay_of_part_of_a_frame_is_measured():
    motion = walk(120)
    late = 0.5 * (motion[10:110] + motion[9:109])
    assert measure_smoothing(motion[10:110], late, np.arange(100), FPS).lag_seconds == pytest.approx(
        0.5 / FPS, abs=2e-3
    )


@pytest.mark.parametrize("method", ["one-euro", "savgol"])
def test_a_long_gap_begins_anew(method):
    first, second = walk(30, noise=0.05, seed=1), 5.0 + walk(25, noise=0.05, seed=2)
    frame = np.concatenate([np.arange(30), np.arange(25) + 80])
    joined, _ = smooth_poses(np.concatenate([first, second]), frame, FPS, method)
    apart = [smooth_poses(part, np.arange(len(part)), FPS, method)[0] for part in (first, second)]
    np.testing.assert_allclose(joined, np.concatenate(apart))


def test_no_poses_stay_none():
    smoothed, report = smooth_poses(np.zeros((0, 5, 3)), np.zeros(0, int), FPS)
    assert smoothed.shape == (0, 5, 3)
    assert report == (0.0, 0.0, 0.0, 0.0)


def test_the_dtype_stays():
    assert smooth_poses(walk().astype(np.float32), np.arange(90), FPS)[0].dtype == np.float32


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"method": "median"}, "Expected a smoothing method"),
        ({"frame": np.arange(8)}, "Expected poses of shape"),
        ({"frame": np.array([0, 1, 1, 2, 3, 4, 5])}, "ascending frame numbers"),
        ({"fps": 0.0}, "fps above 0"),
    ],
)
def test_what_cannot_be_smoothed_is_refused(change, message):
    arguments = {"poses": np.zeros((7, 5, 3)), "frame": np.arange(7), "fps": FPS} | change
    with pytest.raises(ValueError, match=message):
        smooth_poses(**arguments)


def test_parameters_are_checked():
    with pytest.raises(ValueError, match="min_cutoff above 0"):
        one_euro(np.zeros((3, 2)), np.arange(3), FPS, min_cutoff=0.0)
    with pytest.raises(ValueError, match="window and an order"):
        savitzky_golay(np.zeros((3, 2)), np.arange(3), FPS, order=0)
