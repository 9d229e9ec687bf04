"""Hit@k of an index whose items have 3D poses: do the nearest embeddings show the same pose?"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from vvipe_tf.apps.index.pose_index import PoseIndex
from vvipe_tf.evaluation.hit_at_k import HIT_RANKS, HIT_THRESHOLD, hit_at_k
from vvipe_tf.evaluation.neighbours import drop_own_frame


class IndexScore(NamedTuple):
    """Hit@k of an index.

    Args:
        hits: Share of queries with a match among their k nearest items, by k.
        num_queries: Number of queries.
        num_items: Number of items they were searched among.
    """

    hits: dict[int, float]
    num_queries: int
    num_items: int


def evaluate_items(
    index: PoseIndex,
    ks: Sequence[int] = HIT_RANKS,
    queries: np.ndarray | None = None,
    within: np.ndarray | None = None,
    num_queries: int = 2000,
    seed: int = 0,
) -> IndexScore:
    """Hit@k with items of the index as queries; an item never answers itself.

    Frames of one video are close to each other: where the neighbours in time are among the items, they are easy hits.
    Choose queries and `within` of different cameras, people or files to measure more than that.

    Args:
        index: Index with 3D poses; items without one take no part.
        ks: Ranks to report.
        queries: Items to ask for; all by default.
        within: Items to search among; all by default.
        num_queries: Greatest number of queries; so many are drawn where there are more.
        seed: Seed of the draw.

    Returns:
        Hit@k.

    Raises:
        ValueError: If the index has no poses, or no query or too few items are left.
    """
    known = _items_with_poses(index)
    queries = known if queries is None else np.intersect1d(queries, known)
    everywhere = within is None and len(known) == len(index)
    gallery = known if within is None else np.intersect1d(within, known)
    if not len(queries):
        raise ValueError("Expected items with 3D poses as queries. Received: none")
    if len(queries) > num_queries:
        queries = np.sort(np.random.default_rng(seed).choice(queries, num_queries, replace=False))
    among_themselves = bool(np.isin(queries, gallery).any())
    k = max(ks) + among_themselves
    answers = index.search(index.embeddings(queries), k, within=None if everywhere else gallery).items
    if among_themselves:
        answers = drop_own_frame(answers, queries)
    return _score(index, answers, index.poses(queries), ks, len(gallery))


def evaluate_queries(
    index: PoseIndex,
    embeddings: np.ndarray,
    poses: np.ndarray,
    ks: Sequence[int] = HIT_RANKS,
    model_id: str | None = None,
    within: np.ndarray | None = None,
) -> IndexScore:
    """Hit@k with queries from outside whose 3D poses are known.

    Args:
        index: Index with 3D poses; items without one take no part.
        embeddings: Query embeddings (q, dim).
        poses: Their 3D poses (q, joints, 3) in torso units, joints as in the index.
        ks: Ranks to report.
        model_id: What made the queries.
        within: Items to search among; all by default.

    Returns:
        Hit@k.

    Raises:
        ValueError: If the index has no poses, or shapes do not fit.
    """
    known = _items_with_poses(index)
    everywhere = within is None and len(known) == len(index)
    gallery = known if within is None else np.intersect1d(within, known)
    answers = index.search(embeddings, max(ks), model_id=model_id, within=None if everywhere else gallery).items
    return _score(index, answers, poses, ks, len(gallery))


def _items_with_poses(index: PoseIndex) -> np.ndarray:
    everything = index.poses(np.arange(len(index)))
    return np.flatnonzero(np.isfinite(everything[:, 0, 0]))


def _score(
    index: PoseIndex, answers: np.ndarray, query_poses: np.ndarray, ks: Sequence[int], num_items: int
) -> IndexScore:
    items, places = np.unique(answers, return_inverse=True)
    poses = np.concatenate([query_poses, index.poses(items)])
    gallery_ids = len(query_poses) + np.arange(len(items))
    places = places.reshape(answers.shape)
    hits = hit_at_k(places, np.arange(len(query_poses)), gallery_ids, poses, ks, HIT_THRESHOLD)
    return IndexScore(hits, len(query_poses), num_items)
