"""Near-duplicates: the greedy choice against loops over every pair."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from vvipe_tf.data.dataset import PoseDataset
from vvipe_tf.data.near_duplicates import distinct_in_sequences, select_gallery, similarity_lower_bound
from vvipe_tf.geometry.pose_error import p_mpjpe
from vvipe_tf.keypoints import H36M_17


def make_dataset(positions, sequence=None):
    count = len(positions)
    return PoseDataset.from_metres(
        H36M_17,
        positions,
        source=np.full(count, "lab"),
        subject=np.full(count, "anna"),
        sequence=np.full(count, "walk") if sequence is None else sequence,
        frame=np.arange(count),
        fps=10,
        licenses={"lab": "CC0"},
    )


def clustered_poses(num_clusters, per_cluster, noise, seed=0):
    """Random poses, each several times with noise, turned, scaled and moved."""
    rng = np.random.default_rng(seed)
    poses = np.repeat(rng.normal(size=(num_clusters, 17, 3)), per_cluster, axis=0)
    poses += rng.normal(scale=noise, size=poses.shape)
    rotations = Rotation.random(len(poses), random_state=int(seed)).as_matrix()
    poses = poses @ rotations * rng.uniform(0.5, 2, (len(poses), 1, 1)) + rng.normal(size=(len(poses), 1, 3))
    return poses[rng.permutation(len(poses))]


def greedy_by_loops(poses, order, threshold, size):
    kept = []
    for index in order:
        if len(kept) < size and (not kept or (p_mpjpe(poses[index], poses[kept]) >= threshold).all()):
            kept.append(index)
    return sorted(kept)


@pytest.mark.parametrize("size", [7, 300])
def test_the_gallery_is_what_loops_over_every_pair_choose(size):
    dataset = make_dataset(clustered_poses(19, 16, noise=0.04))
    chosen = select_gallery(dataset, size, seed=5, threshold=0.02)
    order = np.random.default_rng(5).permutation(len(dataset))
    assert chosen.tolist() == greedy_by_loops(dataset.centred().astype(float), order, 0.02, size)
    assert len(chosen) == 7 if size == 7 else 19 < len(chosen) < 300


def test_copies_at_any_place_and_size_are_one_pose():
    dataset = make_dataset(clustered_poses(23, 30, noise=0.0))
    assert len(select_gallery(dataset, 600, seed=1)) == 23
    assert len(distinct_in_sequences(dataset)) == 23


def test_a_mirrored_pose_is_no_duplicate():
    pose = np.random.default_rng(2).normal(size=(1, 17, 3))
    assert len(select_gallery(make_dataset(np.concatenate([pose, pose * [-1, 1, 1]])), 5, seed=0)) == 2


def test_the_seed_decides_which_frames_are_chosen():
    dataset = make_dataset(np.random.default_rng(3).normal(size=(60, 17, 3)))
    first, again, other = (select_gallery(dataset, 11, seed).tolist() for seed in (0, 0, 1))
    assert first == again
    assert first != other
    assert len(first) == 11


def test_sequences_are_thinned_out_each_by_itself_and_in_order():
    poses = np.random.default_rng(4).normal(size=(3, 17, 3))
    dataset = make_dataset(poses[[0, 0, 1, 0, 2, 2]], sequence=["a", "a", "a", "b", "b", "b"])
    assert distinct_in_sequences(dataset).tolist() == [0, 2, 3, 4]
    assert len(distinct_in_sequences(dataset.select([]))) == 0


@given(st.integers(0, 2**32 - 1), st.floats(0.0, 0.5), st.integers(4, 18))
@settings(max_examples=40, deadline=None)
def test_the_bound_is_never_above_the_error(seed, noise, joints):
    rng = np.random.default_rng(seed)
    a = rng.normal(size=(5, joints, 3))
    b = a[:4] * rng.uniform(0.3, 3) + rng.normal(scale=noise, size=(4, joints, 3))
    assert (similarity_lower_bound(a, b) <= p_mpjpe(a[:, None], b[None]) + 1e-9).all()


def test_the_bound_spares_most_pairs_of_different_poses():
    a, b = np.random.default_rng(6).normal(size=(2, 80, 17, 3))
    assert (similarity_lower_bound(a, b) > 0.02).mean() > 0.95


@pytest.mark.parametrize(("size", "threshold"), [(0, 0.02), (3, 0.0), (3, float("nan"))])
def test_a_size_or_threshold_that_is_not_positive_is_an_error(size, threshold):
    dataset = make_dataset(np.random.default_rng(0).normal(size=(4, 17, 3)))
    with pytest.raises(ValueError, match="positive"):
        select_gallery(dataset, size, seed=0, threshold=threshold)
