"""Hit@k of an index."""

import numpy as np
import pytest

from vvipe_tf.apps.index import PoseIndex
from vvipe_tf.apps.index.evaluation import evaluate_items, evaluate_queries
from vvipe_tf.evaluation.hit_at_k import hit_at_k
from vvipe_tf.evaluation.neighbours import nearest_neighbours


@pytest.fixture(scope="module")
def posed():
    """Embeddings, poses in three shapes, and an index of them."""
    generator = np.random.default_rng(2)
    shapes = generator.normal(size=(3, 9, 3))
    shape = generator.integers(3, size=70)
    poses = shapes[shape] + 0.01 * generator.normal(size=(70, 9, 3))
    embeddings = (shapes[shape, 0] + 0.8 * generator.normal(size=(70, 3))).astype(np.float32)
    metadata = {"id": [f"{number}" for number in range(70)], "camera": (np.arange(70) % 2).tolist()}
    return embeddings, poses, PoseIndex.build(embeddings, metadata, "model", poses=poses)


def test_items_among_themselves_never_answer_themselves(posed):
    embeddings, poses, index = posed
    score = evaluate_items(index, (1, 4))
    hits = {k: 0 for k in (1, 4)}
    for query in range(70):
        others = np.delete(np.arange(70), query)
        order = others[np.linalg.norm(embeddings[others] - embeddings[query], axis=1).argsort()][:4]
        hit = hit_at_k(np.arange(4)[None], [0], np.arange(1, 5), poses[[query, *order]], (1, 4))
        hits = {k: hits[k] + hit[k] for k in hits}
    assert score.hits == pytest.approx({k: total / 70 for k, total in hits.items()})
    assert 0.3 < score.hits[1] < score.hits[4]
    assert (score.num_queries, score.num_items) == (70, 70)


def test_one_camera_searched_in_another_is_the_protocol_of_the_paper(posed):
    embeddings, poses, index = posed
    first, second = index.where(camera=0), index.where(camera=1)
    score = evaluate_items(index, (1, 5), queries=first, within=second)
    neighbours = nearest_neighbours(embeddings[first], embeddings[second], 5)
    assert score.hits == hit_at_k(neighbours, first, second, poses, (1, 5))
    assert (score.num_queries, score.num_items) == (35, 35)


def test_queries_from_outside_are_scored_with_their_own_poses(posed):
    embeddings, poses, index = posed
    assert evaluate_queries(index, embeddings[:20], poses[:20], (1,)).hits == {1: 1.0}
    assert evaluate_queries(index, embeddings[:20], poses[:20] * [-1, 1, 1], (1,)).hits == {1: 0.0}
    with pytest.raises(ValueError, match="another"):
        evaluate_queries(index, embeddings, poses, (1,), model_id="another")


def test_items_without_a_pose_take_no_part(posed):
    embeddings, poses, _ = posed
    partly = poses.copy()
    partly[::3] = np.nan
    index = PoseIndex.build(embeddings, {"id": [str(number) for number in range(70)]}, "model", poses=partly)
    known = np.flatnonzero(np.arange(70) % 3)
    score = evaluate_items(index, (1, 3))
    only = PoseIndex.build(embeddings[known], {"id": [str(n) for n in known]}, "model", poses=poses[known])
    assert score == evaluate_items(only, (1, 3))
    assert evaluate_items(index, (1, 3), num_queries=11).num_queries == 11


def test_an_index_without_poses_cannot_be_evaluated(posed):
    embeddings, poses, _ = posed
    index = PoseIndex.build(embeddings, {"id": [str(number) for number in range(70)]}, "model")
    with pytest.raises(ValueError, match="with 3D poses"):
        evaluate_items(index)
    index = PoseIndex.build(embeddings, {"id": [str(n) for n in range(70)]}, "model", poses=np.full_like(poses, np.nan))
    with pytest.raises(ValueError, match="as queries"):
        evaluate_items(index)
