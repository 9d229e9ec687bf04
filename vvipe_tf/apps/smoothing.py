"""Smoothing of poses over time, optional and measured: what it takes from the jitter, and the lag it costs."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

METHODS = ("one-euro", "savgol")
DEFAULT_MIN_CUTOFF = 1.0
DEFAULT_BETA = 3.0
DEFAULT_WINDOW_SECONDS = 0.4
DEFAULT_ORDER = 3
_DERIVATIVE_CUTOFF = 1.0
_MAX_LAG_SECONDS = 1.0


class SmoothingReport(NamedTuple):
    """What smoothing did to one sequence.

    Args:
        jitter_before: Root mean square of the joints' second differences per frame, unit of the poses.
        jitter_after: The same of the smoothed poses.
        lag_seconds: Delay at which the smoothed motion fits the original best; positive is late.
        change: Root mean square distance of the joints from where they were, unit of the poses.
    """

    jitter_before: float
    jitter_after: float
    lag_seconds: float
    change: float


def smooth_poses(
    poses: np.ndarray, frame: np.ndarray, fps: float, method: str = "one-euro", max_gap: int = 5
) -> tuple[np.ndarray, SmoothingReport]:
    """Smooths one person's poses.

    Args:
        poses: Poses (frames, joints, 3), any frame and unit.
        frame: Frame numbers (frames,), ascending; they may leave numbers out.
        fps: Frames per second.
        method: `"one-euro"` (causal, some lag) or `"savgol"` (looks ahead, no lag).
        max_gap: Where more than this many frames are missing, a new piece begins, which knows nothing of the last.

    Returns:
        Smoothed poses of the same shape and dtype, and the report.

    Raises:
        ValueError: If the method is unknown, a shape does not fit, the frame numbers do not ascend, or `fps` is not
            positive.
    """
    if method not in METHODS:
        raise ValueError(f"Expected a smoothing method among {METHODS}. Received: {method!r}")
    poses, frame = _checked(poses, frame, fps)
    smoothed = poses.astype(np.float64)
    for piece in _pieces(frame, max_gap):
        filtered = one_euro if method == "one-euro" else savitzky_golay
        smoothed[piece] = filtered(smoothed[piece], frame[piece], fps)
    smoothed = smoothed.astype(poses.dtype)
    return smoothed, measure_smoothing(poses, smoothed, frame, fps, max_gap)


def one_euro(
    signal: np.ndarray,
    frame: np.ndarray,
    fps: float,
    min_cutoff: float = DEFAULT_MIN_CUTOFF,
    beta: float = DEFAULT_BETA,
) -> np.ndarray:
    """One-Euro filter (Casiez, Roussel and Vogel, CHI 2012): slow signals are smoothed, fast ones are let through.

    The speed that opens the filter is that of a whole joint, so that a coordinate does not depend on the axes.

    Args:
        signal: Points (frames, ..., dims); the last axis is one point.
        frame: Frame numbers (frames,), ascending.
        fps: Frames per second.
        min_cutoff: Cutoff frequency at rest, in Hz; lower is smoother and later.
        beta: Hz of cutoff per unit of speed (units of the signal per second); higher is less lag in motion.

    Returns:
        Filtered points (frames, ..., dims) float64.

    Raises:
        ValueError: If the cutoff is not positive or beta is negative.
    """
    if not (min_cutoff > 0 and beta >= 0):
        raise ValueError(f"Expected min_cutoff above 0 and beta of at least 0. Received: {min_cutoff} and {beta}")
    signal = np.asarray(signal, np.float64)
    filtered = signal.copy()
    velocity = np.zeros_like(signal[:1])[0] if len(signal) else None
    for now in range(1, len(signal)):
        elapsed = (frame[now] - frame[now - 1]) / fps
        slope = (signal[now] - filtered[now - 1]) / elapsed
        velocity = velocity + _weight(_DERIVATIVE_CUTOFF, elapsed) * (slope - velocity)
        speed = np.linalg.norm(velocity, axis=-1, keepdims=True)
        step = _weight(min_cutoff + beta * speed, elapsed) * (signal[now] - filtered[now - 1])
        filtered[now] = filtered[now - 1] + step
    return filtered


def savitzky_golay(
    signal: np.ndarray,
    frame: np.ndarray,
    fps: float,
    window_seconds: float = DEFAULT_WINDOW_SECONDS,
    order: int = DEFAULT_ORDER,
) -> np.ndarray:
    """Savitzky-Golay filter: a polynomial through each window (SciPy). Missing frames are interpolated for it.

    Args:
        signal: Signal (frames, ...).
        frame: Frame numbers (frames,), ascending.
        fps: Frames per second.
        window_seconds: Length of the window.
        order: Degree of the polynomial.

    Returns:
        Filtered signal (frames, ...) float64; unchanged where it is shorter than a window needs to be.

    Raises:
        ValueError: If the window or the order is not positive.
    """
    if not (window_seconds > 0 and order >= 1):
        raise ValueError(f"Expected a window and an order above 0. Received: {window_seconds} and {order}")
    signal, frame = np.asarray(signal, np.float64), np.asarray(frame)
    every = _interpolated(signal, frame)
    window = min(max(int(round(window_seconds * fps)), order + 1) | 1, (len(every) - 1) | 1)
    window = window - 2 if window > len(every) else window
    if window <= order:
        return signal.copy()
    from scipy.signal import savgol_filter  # Most of a second that only this filter costs.

    return savgol_filter(every, window, order, axis=0)[frame - frame[0]]


def measure_smoothing(
    before: np.ndarray, after: np.ndarray, frame: np.ndarray, fps: float, max_gap: int = 5
) -> SmoothingReport:
    """Compares poses before and after smoothing.

    Args:
        before: Poses (frames, joints, 3).
        after: Smoothed poses of the same shape.
        frame: Frame numbers (frames,), ascending.
        fps: Frames per second.
        max_gap: As for `smooth_poses`.

    Returns:
        The report; jitter and lag are 0 where no piece has three frames.

    Raises:
        ValueError: If a shape does not fit, the frame numbers do not ascend, or `fps` is not positive.
    """
    before, frame = _checked(before, frame, fps)
    after, _ = _checked(after, frame, fps)
    if before.shape != after.shape:
        raise ValueError(f"Expected poses of shape {before.shape}. Received: shape={after.shape}")
    pairs = [
        tuple(_interpolated(np.asarray(poses[piece], np.float64), frame[piece]) for poses in (before, after))
        for piece in _pieces(frame, max_gap)
    ]
    return SmoothingReport(
        _jitter([old for old, _ in pairs]),
        _jitter([new for _, new in pairs]),
        _lag_frames(pairs, int(_MAX_LAG_SECONDS * fps)) / fps,
        float(np.sqrt(np.square(after - before).sum(axis=-1).mean())) if len(before) else 0.0,
    )


def _checked(poses, frame, fps):
    poses, frame = np.asarray(poses), np.asarray(frame)
    if poses.ndim != 3 or frame.shape != poses.shape[:1]:
        raise ValueError(
            "Expected poses of shape (frames, joints, 3) and frame numbers (frames,). "
            f"Received: shapes={poses.shape} and {frame.shape}"
        )
    if (np.diff(frame) <= 0).any():
        raise ValueError("Expected ascending frame numbers of one person. Received: others")
    if not (np.isfinite(fps) and fps > 0):
        raise ValueError(f"Expected fps above 0. Received: {fps}")
    return poses, frame


def _pieces(frame: np.ndarray, max_gap: int) -> Iterator[slice]:
    ends = [0, *(np.flatnonzero(np.diff(frame) > max_gap + 1) + 1), len(frame)]
    for start, end in zip(ends, ends[1:], strict=False):
        if end > start:
            yield slice(int(start), int(end))


def _interpolated(signal, frame):
    """The signal at every frame number from the first to the last."""
    wanted = np.arange(frame[0], frame[-1] + 1)
    if len(wanted) == len(frame):
        return signal
    left = np.clip(np.searchsorted(frame, wanted, side="right") - 1, 0, len(frame) - 2)
    share = (wanted - frame[left]) / (frame[left + 1] - frame[left])
    share = share.reshape(-1, *[1] * (signal.ndim - 1))
    return (1 - share) * signal[left] + share * signal[left + 1]


def _weight(cutoff, elapsed):
    rate = 2 * np.pi * cutoff * elapsed
    return rate / (rate + 1)


def _jitter(pieces) -> float:
    accelerations = [np.square(np.diff(piece, n=2, axis=0)).sum(axis=-1).ravel() for piece in pieces if len(piece) > 2]
    return float(np.sqrt(np.concatenate(accelerations).mean())) if accelerations else 0.0


def _lag_frames(pairs, max_lag) -> float:
    """Lag of the least squared difference, refined by a parabola through its neighbours."""
    longest = max((len(old) for old, _ in pairs), default=0)
    lags = np.arange(-min(max_lag, longest // 3), min(max_lag, longest // 3) + 1)
    if len(lags) < 3:
        return 0.0
    costs = np.array([_mismatch(pairs, lag) for lag in lags])
    best = int(np.argmin(costs))
    if not 0 < best < len(lags) - 1:
        return float(lags[best])
    below, here, above = costs[best - 1 : best + 2]
    bend = below - 2 * here + above
    return float(lags[best] + (0.5 * (below - above) / bend if bend > 0 else 0.0))


def _mismatch(pairs, lag) -> float:
    total, count = 0.0, 0
    for old, new in pairs:
        if len(old) > abs(lag):
            early, late = old[max(0, -lag) : len(old) - max(0, lag)], new[max(0, lag) : len(new) - max(0, -lag)]
            total, count = total + float(np.square(late - early).sum()), count + early.size
    return total / count if count else np.inf
