"""Which moment of one sequence belongs to which of another: dynamic time warping, whole, in part, or with an offset."""

from typing import NamedTuple

import numpy as np

MATCHES = ("whole", "part", "overlap")
# A full matrix of float64 takes half a gigabyte.
MAX_CELLS = 64_000_000


class Alignment(NamedTuple):
    """A path through two sequences.

    Args:
        rows_a: Row of the first sequence at each step (steps,), never falling.
        rows_b: Row of the second sequence at each step (steps,), never falling.
        distances: Distance of the two at each step (steps,).
    """

    rows_a: np.ndarray
    rows_b: np.ndarray
    distances: np.ndarray

    def __len__(self) -> int:
        """Number of steps."""
        return len(self.rows_a)


def distance_matrix(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Euclidean distances (n, m) float64 between embeddings (n, dim) and (m, dim).

    Raises:
        ValueError: If a shape does not fit, a value is not finite, or there are more than `MAX_CELLS` pairs.
    """
    a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
    if a.ndim != 2 or b.ndim != 2 or a.shape[1] != b.shape[1] or not (len(a) and len(b)):
        raise ValueError(f"Expected embeddings (n, dim) and (m, dim). Received: shapes={a.shape} and {b.shape}")
    if not (np.isfinite(a).all() and np.isfinite(b).all()):
        raise ValueError("Expected finite embeddings. Received: NaN or infinite ones")
    if len(a) * len(b) > MAX_CELLS:
        raise ValueError(f"Expected at most {MAX_CELLS} pairs of moments. Received: {len(a)} x {len(b)}; cut the clips")
    from scipy.spatial.distance import cdist

    return cdist(a, b)


def align_sequences(
    a: np.ndarray,
    b: np.ndarray,
    match: str = "whole",
    frame_a: np.ndarray | None = None,
    frame_b: np.ndarray | None = None,
    warp_cost: float = 0.0,
) -> Alignment:
    """Aligns two sequences by the least sum of distances.

    Args:
        a: Embeddings (n, dim), finite, by time.
        b: Embeddings (m, dim), finite, by time.
        match: `"whole"`: from first to last moment of both; `"part"`: the whole of the shorter one with that part of
            the longer one which suits it best; `"overlap"`: the two run at one pace, but one may begin or end earlier;
            what they share is aligned.
        frame_a: Frame numbers (n,), for `"overlap"`; consecutive by default.
        frame_b: Frame numbers (m,).
        warp_cost: What a step costs in which only one sequence goes on, so that a clip is not squeezed into a moment.

    Returns:
        The path.

    Raises:
        ValueError: If a shape does not fit, a value is not finite, or `match` is none of these.
    """
    if match not in MATCHES:
        raise ValueError(f"Expected a match among {MATCHES}. Received: {match!r}")
    distances = distance_matrix(a, b)
    if match == "overlap":
        frame_a = np.arange(len(a)) if frame_a is None else np.asarray(frame_a)
        frame_b = np.arange(len(b)) if frame_b is None else np.asarray(frame_b)
        shift = find_offset(distances, frame_a, frame_b)
        rows_a = np.flatnonzero((frame_a + shift >= frame_b.min()) & (frame_a + shift <= frame_b.max()))
        rows_b = np.flatnonzero((frame_b - shift >= frame_a.min()) & (frame_b - shift <= frame_a.max()))
        path_a, path_b = _warp(a[rows_a], b[rows_b], warp_cost, free=False)
        path_a, path_b = rows_a[path_a], rows_b[path_b]
    elif match == "part" and len(a) > len(b):
        path_b, path_a = _warp(b, a, warp_cost, free=True)
    else:
        path_a, path_b = _warp(a, b, warp_cost, free=match == "part")
    return Alignment(path_a, path_b, distances[path_a, path_b])


def find_offset(distances: np.ndarray, frame_a: np.ndarray, frame_b: np.ndarray) -> int:
    """The shift of time at which two sequences are most alike.

    Args:
        distances: Distances (n, m) between all moments.
        frame_a: Frame numbers (n,).
        frame_b: Frame numbers (m,).

    Returns:
        `frame_b - frame_a` of the least mean distance among shifts at which half of the shorter one has a partner.
    """
    shifts = np.asarray(frame_b)[None, :] - np.asarray(frame_a)[:, None]
    least = shifts.min()
    counts = np.bincount((shifts - least).ravel())
    sums = np.bincount((shifts - least).ravel(), weights=distances.ravel())
    enough = counts >= max(1, min(min(distances.shape) // 2, counts.max()))
    means = np.where(enough, sums / np.maximum(counts, 1), np.inf)
    return int(means.argmin() + least)


def _warp(a: np.ndarray, b: np.ndarray, warp_cost: float, free: bool) -> tuple[np.ndarray, np.ndarray]:
    """Rows of the best path; with `free`, b may begin and end anywhere."""
    from dtaidistance import dtw, dtw_ndim

    a, b = (np.ascontiguousarray(each, np.float64) for each in (a, b))
    ends = len(b) - 1 if free else 0
    # The library's own paths (`warping_path` in C, or with -1 for what is free) are not always the cheapest: its
    # matrix of costs is right, and so is its way back through it from a given cell.
    _, costs = dtw_ndim.warping_paths_fast(
        a, b, inner_dist="euclidean", penalty=warp_cost, psi=(0, 0, ends, ends), psi_neg=False
    )
    last = 1 + int(np.argmin(costs[len(a), 1:])) if free else len(b)
    path = np.array(dtw.best_path(costs, row=len(a), col=last, penalty=warp_cost), dtype=np.intp)
    return path[:, 0], path[:, 1]
