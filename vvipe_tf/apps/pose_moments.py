"""Which moments a picture shows."""

from collections.abc import Sequence

import numpy as np

# Frame numbers with wider gaps than this, on average, are names of pictures rather than a clock.
_SPARSEST = 4


def timeline(frames: Sequence[np.ndarray]) -> np.ndarray:
    """Moments at which anything is known, and those in between at which nothing is.

    Args:
        frames: Frame numbers of each input, any order.

    Returns:
        Frame numbers (moments,), ascending, evenly spaced where the numbers are those of a sequence.
    """
    known = np.unique(np.concatenate(list(frames)))
    if len(known) < 2:
        return known
    step = int(np.gcd.reduce(np.diff(known)))
    every = (known[-1] - known[0]) // step + 1
    return np.arange(known[0], known[-1] + 1, step) if every <= _SPARSEST * len(known) else known


def choose_moments(moments: np.ndarray, wanted: str | None) -> np.ndarray:
    """Moments asked for.

    Args:
        moments: Frame numbers there are, ascending.
        wanted: Numbers separated by commas, or `START:STOP:STEP` in which each part may be missing and STOP is not
            included; None for all.

    Returns:
        Frame numbers, ascending.

    Raises:
        ValueError: If the text is neither, or no such moment is there.
    """
    if wanted is None:
        return moments
    try:
        numbers = [int(part) if part.strip() else None for part in wanted.split(":" if ":" in wanted else ",")]
    except ValueError:
        numbers = []
    if ":" in wanted and 2 <= len(numbers) <= 3:
        start, stop, step = (*numbers, None)[:3]
        start = moments[0] if start is None else start
        step = 1 if step is None else step
        if step < 1:
            raise ValueError(f"Expected frames with a step of at least 1. Received: {wanted!r}")
        chosen = (moments >= start) & ((moments - start) % step == 0)
        if stop is not None:
            chosen &= moments < stop
    elif ":" not in wanted and numbers and None not in numbers:
        chosen = np.isin(moments, numbers)
        absent = sorted(set(numbers) - set(moments.tolist()))
        if absent:
            raise ValueError(f"Expected frames from {moments[0]} to {moments[-1]}. Received: {absent}")
    else:
        raise ValueError(f"Expected frames as 3,7,12 or START:STOP:STEP. Received: {wanted!r}")
    if not chosen.any():
        raise ValueError(f"Expected frames from {moments[0]} to {moments[-1]}. Received: {wanted!r}, which has none")
    return moments[chosen]


def spread_out(moments: np.ndarray, most: int) -> np.ndarray:
    """At most so many of the moments, evenly spread from the first to the last."""
    if len(moments) <= most:
        return moments
    return moments[np.round(np.linspace(0, len(moments) - 1, most)).astype(int)]
