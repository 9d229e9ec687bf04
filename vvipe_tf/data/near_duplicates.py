"""Near-duplicate poses: NP-MPJPE below 0.02 torso lengths to a pose that was kept (PR-VIPE's test protocol).

Greedy and exact. A cheap lower bound of NP-MPJPE leaves a few per cent of the pairs to be aligned.
"""

import numpy as np
from scipy.spatial.distance import cdist

from vvipe_tf.data.dataset import PoseDataset
from vvipe_tf.geometry.pose_error import paired_p_mpjpe

DEFAULT_THRESHOLD = 0.02
_BLOCK = 256
_BOUNDS = 4
_SLACK = 1e-9


def select_gallery(dataset: PoseDataset, size: int, seed: int, threshold: float = DEFAULT_THRESHOLD) -> np.ndarray:
    """Chooses frames at random, none of them a near-duplicate of another.

    Frames are visited in a seeded random order; one is kept if its NP-MPJPE to every kept one is at least `threshold`.

    Args:
        dataset: Poses to choose from.
        size: Number of frames wanted.
        seed: Seed of the order.
        threshold: NP-MPJPE in torso units, all joints of the data set, below which two poses are near-duplicates.

    Returns:
        Indices (at most `size`,), ascending; fewer where the data set does not hold so many different poses.

    Raises:
        ValueError: If `size` or `threshold` is not positive.
    """
    if size < 1 or not threshold > 0:
        raise ValueError(f"Expected a positive size and threshold. Received: size={size}, threshold={threshold}")
    order = np.random.default_rng(seed).permutation(len(dataset))
    return np.sort(_keep_distinct(dataset.centred().astype(np.float64), order, threshold, size))


def distinct_in_sequences(dataset: PoseDataset, threshold: float = DEFAULT_THRESHOLD) -> np.ndarray:
    """Thins out each sequence: a frame leaves if it is a near-duplicate of an earlier kept one of its sequence.

    Sequences do not see each other, so the result for one does not depend on which others there are.

    Args:
        dataset: Poses.
        threshold: NP-MPJPE in torso units, all joints of the data set, below which two poses are near-duplicates.

    Returns:
        Indices (num_kept,), ascending.

    Raises:
        ValueError: If `threshold` is not positive.
    """
    if not threshold > 0:
        raise ValueError(f"Expected a positive threshold. Received: {threshold}")
    poses = dataset.centred().astype(np.float64)
    kept = [_keep_distinct(poses, frames, threshold, len(frames)) for frames in dataset.sequence_frames().values()]
    return np.sort(np.concatenate(kept)) if kept else np.zeros(0, dtype=np.intp)


def similarity_lower_bound(poses_a: np.ndarray, poses_b: np.ndarray) -> np.ndarray:
    """A number never above `p_mpjpe(a, b)`, for every pair, from distances between joints.

    If a similarity of scale s brings joint j of a within e_j of b, a distance between joints i and j changes by at most
    e_i + e_j. Over pairs of joints that share no joint these sum to at most sum(e) = J p_mpjpe: |d_b - s d_a|_1 <=
    sum(e), hence also |sum(d_b) - s sum(d_a)| <= sum(e), and with the scale divided out
    |d_b / sum(d_b) - d_a / sum(d_a)|_1 <= 2 sum(e) / sum(d_b). The best of several such pairings is taken.

    Args:
        poses_a: Poses (n, joints, 3), any unit.
        poses_b: Poses (m, joints, 3).

    Returns:
        Bounds (n, m) in the unit of `poses_b`.
    """
    bound = np.zeros((len(poses_a), len(poses_b)))
    for shares_a, _, shares_b, sums_b in zip(*_features(poses_a), *_features(poses_b), strict=True):
        np.maximum(bound, cdist(shares_a, shares_b, "cityblock") * sums_b, out=bound)
    return bound / (2 * poses_b.shape[1])


def _features(poses: np.ndarray) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """For each pairing of joints: distances as shares of their sum (n, pairs), and the sums (n,)."""
    shares, sums = [], []
    for first, second in _pairings(poses.shape[1]):
        distances = np.linalg.norm(poses[:, first] - poses[:, second], axis=-1)
        sums.append(distances.sum(axis=-1))
        shares.append(distances / np.maximum(sums[-1], np.finfo(np.float64).tiny)[:, None])
    return shares, sums


def _pairings(joints: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Pairings of the joints, none twice in a pairing: rounds of a round-robin tournament, spread evenly."""
    rounds = joints if joints % 2 else joints - 1
    pairings = []
    for turn in np.unique(np.linspace(0, rounds, _BOUNDS, endpoint=False).astype(int)):
        offsets = np.arange(1, (rounds + 1) // 2)
        pairings.append(((turn + offsets) % rounds, (turn - offsets) % rounds))
    return pairings


def _keep_distinct(poses: np.ndarray, order: np.ndarray, threshold: float, size: int) -> np.ndarray:
    """Indices (at most `size`,) kept by a greedy visit of `order`."""
    kept = np.zeros(0, dtype=np.intp)
    for start in range(0, len(order), _BLOCK):
        block = order[start : start + _BLOCK]
        block = block[~_near(poses, block, kept, threshold).any(axis=1)]
        near = _near(poses, block, block, threshold)
        chosen: list[int] = []
        for position in range(len(block)):
            if not near[position, chosen].any():
                chosen.append(position)
        kept = np.concatenate([kept, block[chosen]])
        if len(kept) >= size:
            break
    return kept[:size]


def _near(poses: np.ndarray, candidates: np.ndarray, kept: np.ndarray, threshold: float) -> np.ndarray:
    """Whether each candidate is a near-duplicate of each kept pose (candidates, kept)."""
    candidates, kept = poses[candidates], poses[kept]
    near = similarity_lower_bound(candidates, kept) < threshold + _SLACK
    first, second = np.nonzero(near)
    near[first, second] = paired_p_mpjpe(candidates, first, kept, second) < threshold
    return near
