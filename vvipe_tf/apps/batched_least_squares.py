"""Levenberg-Marquardt for many small problems at once."""

from collections.abc import Callable
from typing import TypeAlias

import numpy as np

State: TypeAlias = tuple[np.ndarray, ...]

_NUM_STEPS = 20
# Steps end where they no longer gain this share of the squared error, or where even tiny ones gain nothing.
_SETTLED = 1e-6
_EXACT = 1e-24  # Squared errors below this share of the pixels' squares are rounding.
_FIRST_DAMPING, _MOST_DAMPING = 1e-3, 1e6


def refine(
    residuals_of: Callable,
    moved_by: Callable,
    state: State,
    points: np.ndarray,
    pixels: np.ndarray,
    weights: np.ndarray,
) -> tuple[State, np.ndarray]:
    """Refines a batch of cameras; problems that are solved leave the batch.

    Args:
        residuals_of: (state, points, pixels) -> residuals (batch, joints, 2) in pixels and their slopes (batch, joints,
            2, parameters); NaN where a joint cannot be seen.
        moved_by: (state, step (batch, parameters)) -> state.
        state: Arrays (batch, ...) to start from.
        points: What is seen (batch, joints, 3).
        pixels: Where it is seen (batch, joints, 2).
        weights: 1 for joints that count, else 0 (batch, joints).

    Returns:
        The refined state, and its sums of squared residuals (batch,), infinite where a joint that counts is unseen.
    """
    counted = weights[..., None]
    final_state, final_squared = tuple(part.copy() for part in state), np.full(len(points), np.inf)
    rows = np.arange(len(points))
    damping = np.full(len(points), _FIRST_DAMPING)
    exact = _EXACT * np.square(pixels).sum(axis=(1, 2))
    residuals, slopes = residuals_of(state, points, pixels)
    squared = _squared(residuals, counted)
    for _ in range(_NUM_STEPS):
        step = _damped_step(residuals, slopes, counted, damping)
        proposal = moved_by(state, step)
        new_residuals, new_slopes = residuals_of(proposal, points, pixels)
        new_squared = _squared(new_residuals, counted)
        better = new_squared < squared
        gain = squared - np.where(better, new_squared, squared)
        open_ = np.where(better, gain > _SETTLED * squared, damping < _MOST_DAMPING) & (new_squared > exact)
        state = tuple(choose_rows(better, new, old) for new, old in zip(proposal, state, strict=True))
        residuals, slopes = choose_rows(better, new_residuals, residuals), choose_rows(better, new_slopes, slopes)
        squared = np.where(better, new_squared, squared)
        damping = damping * np.where(better, 0.1, 10.0)
        for final, part in zip(final_state, state, strict=True):
            final[rows] = part
        final_squared[rows] = squared
        if not open_.any():
            break
        rows, damping, squared, residuals, slopes = (a[open_] for a in (rows, damping, squared, residuals, slopes))
        points, pixels, counted, exact = (array[open_] for array in (points, pixels, counted, exact))
        state = tuple(part[open_] for part in state)
    return final_state, final_squared


def _damped_step(residuals, slopes, counted, damping):
    flat = len(slopes), slopes.shape[1] * slopes.shape[2]
    weighted = np.where(counted[..., None] > 0, slopes, 0.0).reshape(*flat, slopes.shape[-1])
    remaining = np.where(counted > 0, residuals, 0.0).reshape(*flat, 1)
    transposed = np.swapaxes(weighted, 1, 2)
    normal = np.matmul(transposed, weighted)
    diagonal = np.einsum("npp->np", normal)
    diagonal += diagonal * damping[:, None] + 1e-12 * diagonal.max(axis=1, keepdims=True) + 1e-30
    return -np.linalg.solve(normal, np.matmul(transposed, remaining))[..., 0]


def _squared(residuals, counted):
    """Sum of squares (poses,); infinite where a visible joint lies behind the camera."""
    visible = np.where(counted > 0, residuals, 0.0)
    total = np.einsum("njd,njd->n", visible, visible)
    return np.where(np.isfinite(total), total, np.inf)


def choose_rows(flags: np.ndarray, yes: np.ndarray, no: np.ndarray) -> np.ndarray:
    """Rows of `yes` (batch, ...) where a flag (batch,) is set, else of `no`."""
    return np.where(flags.reshape(-1, *[1] * (yes.ndim - 1)), yes, no)
