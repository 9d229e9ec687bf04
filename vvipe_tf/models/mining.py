"""In-batch triplet mining by true 3D distance (paper 3.2).

For every anchor the positive is the nearest other pose of the batch. The negative is the next nearest pose to the
anchor that is at least `negative_distance` away from the positive: hard, but not so hard that it is noise.
"""

from typing import NamedTuple

import tensorflow as tf


class Triplets(NamedTuple):
    """Mined triplets, one for each anchor.

    Attributes:
        positive: (anchors,) int32 index of the positive among the candidates.
        negative: (anchors,) int32 index of the negative among the candidates; meaningless where not `valid`.
        valid: (anchors,) bool, whether the anchor has a negative.
    """

    positive: tf.Tensor
    negative: tf.Tensor
    valid: tf.Tensor


def pairwise_mpjpe(poses: tf.Tensor, candidates: tf.Tensor) -> tf.Tensor:
    """Mean joint distance between all pairs of canonical poses.

    One (batch, candidates) matrix is accumulated joint by joint, so that (batch, candidates, joints, 3) never exists.

    Args:
        poses: (batch, joints, 3), torso units.
        candidates: (candidates, joints, 3), torso units.

    Returns:
        (batch, candidates) float32, torso units.
    """
    poses, candidates = tf.cast(poses, tf.float32), tf.cast(candidates, tf.float32)
    num_joints = poses.shape[1]
    total = 0.0
    for joint in range(num_joints):
        squared = 0.0
        for axis in range(3):
            squared += tf.math.squared_difference(poses[:, None, joint, axis], candidates[None, :, joint, axis])
        total += tf.sqrt(squared)
    return total / num_joints


def pairwise_embedding_distance(embedding: tf.Tensor, candidates: tf.Tensor) -> tf.Tensor:
    """L2 distance of all pairs for mining, without gradient: (batch, dim), (candidates, dim) -> (batch, candidates)."""
    embedding, candidates = tf.stop_gradient(embedding), tf.stop_gradient(candidates)
    squared = tf.reduce_sum(tf.square(embedding), axis=1)[:, None] + tf.reduce_sum(tf.square(candidates), axis=1)
    return tf.sqrt(tf.nn.relu(squared - 2.0 * tf.matmul(embedding, candidates, transpose_b=True)))


def mine_triplets(
    poses: tf.Tensor,
    negative_distance: float,
    candidates: tf.Tensor | None = None,
    first_index=0,
    nearness: tf.Tensor | None = None,
    semi_hard: bool = False,
) -> Triplets:
    """Finds the positive and the negative of each anchor.

    Args:
        poses: (anchors, joints, 3) canonical poses of the anchors, torso units.
        negative_distance: Least MPJPE between positive and negative, torso units.
        candidates: (candidates, joints, 3) canonical poses to choose from where they are more than the anchors: the
            global batch when there are several replicas. The anchors are its rows from `first_index` on.
        first_index: Row of the first anchor among the candidates; int or int32 scalar.
        nearness: (anchors, candidates) distance by which the negative is the next nearest, e.g. in the embedding; the
            MPJPE by default.
        semi_hard: Whether the negative must be farther away than the positive by `nearness`.

    Returns:
        Triplets. Of equally near poses the one with the lowest index is taken.
    """
    distance = pairwise_mpjpe(poses, poses if candidates is None else candidates)
    num_anchors, num_candidates = tf.unstack(tf.shape(distance))
    own = tf.range(num_candidates)[None, :] == (tf.range(num_anchors) + first_index)[:, None]
    from_anchor = tf.where(own, float("inf"), distance)
    positive = tf.argmin(from_anchor, axis=1, output_type=tf.int32)
    if candidates is None:
        from_positive = tf.gather(distance, positive)
    else:
        from_positive = pairwise_mpjpe(tf.gather(candidates, positive), candidates)
    if nearness is not None:
        from_anchor = tf.where(own, float("inf"), nearness)
    if semi_hard:
        from_anchor = tf.where(
            from_anchor > tf.gather(from_anchor, positive, batch_dims=1)[:, None], from_anchor, float("inf")
        )
    # The positive is at distance 0 from itself, so it never passes; the anchor is at infinity.
    from_anchor = tf.where(from_positive >= negative_distance, from_anchor, float("inf"))
    negative = tf.argmin(from_anchor, axis=1, output_type=tf.int32)
    valid = tf.reduce_min(from_anchor, axis=1) < float("inf")
    return Triplets(positive, negative, valid)
