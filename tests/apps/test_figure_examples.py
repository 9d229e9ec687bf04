"""Which examples the figures show."""

import numpy as np
import pytest

from vvipe_tf.apps.figure_examples import generation_example, lift_examples, retrieval_examples, spread_over_errors
from vvipe_tf.data.rigs import CHEST, UNSEEN
from vvipe_tf.data.synthetic import generate_synthetic
from vvipe_tf.geometry.pose_error import mpjpe, p_mpjpe
from vvipe_tf.keypoints import COCO_13


class ShiftModel:
    """Knows the pose of every view and lifts it 0.1 torso lengths too high; embeds a view as its true pose."""

    def __init__(self, dataset, shift=0.1):
        self.poses, self.shift = dataset.canonical(COCO_13), shift

    def embed_poses(self, canonical_pose):
        return canonical_pose.reshape(len(canonical_pose), -1)

    def embed_keypoints(self, keypoints_2d, mask=None):
        return np.tile(self.embed_poses(self.poses), (len(keypoints_2d) // len(self.poses), 1))

    def decode(self, embedding):
        return embedding.reshape(-1, 13, 3) + [0, 0, self.shift]


class WrongModel(ShiftModel):
    """Takes every query for a pose of another person."""

    def embed_keypoints(self, keypoints_2d, mask=None):
        right = super().embed_keypoints(keypoints_2d).reshape(UNSEEN.num_cameras, len(self.poses), -1)
        return np.concatenate([np.roll(right[:4], -60, axis=1), right[4:]]).reshape(-1, right.shape[-1])


@pytest.fixture(scope="module")
def dataset():
    return generate_synthetic(num_poses=150, seed=4, num_subjects=3)


def test_errors_of_lifts_are_in_millimetres_of_each_body(dataset):
    examples = lift_examples(ShiftModel(dataset), dataset, seed=1)
    chosen = [int(np.argmin(np.abs(dataset.canonical(COCO_13) - pose).sum(axis=(1, 2)))) for pose in examples.poses]
    assert examples.errors_mm.shape == (4, 4)
    np.testing.assert_allclose(examples.errors_mm, np.tile(0.1 * dataset.torso_lengths_mm[chosen, None], 4), rtol=1e-4)


def test_each_example_is_shown_with_its_own_views_and_lifts(dataset):
    examples = lift_examples(ShiftModel(dataset), dataset, seed=1, quantiles=(0.2, 0.5, 0.9))
    poses, views = dataset.canonical(COCO_13), CHEST.project(dataset, 1)
    for pose, keypoints, lifted in zip(examples.poses, examples.keypoints_2d, examples.lifted, strict=True):
        index = int(np.argmin(np.abs(poses - pose).sum(axis=(1, 2))))
        np.testing.assert_array_equal(keypoints, views[:, index])
        np.testing.assert_allclose(lifted, np.tile(pose + [0, 0, 0.1], (4, 1, 1)), atol=1e-6)


def test_a_perfect_model_retrieves_the_same_moment(dataset):
    examples = retrieval_examples(ShiftModel(dataset), dataset, seed=1)
    assert examples.same_frame.all()
    np.testing.assert_array_equal(examples.query_poses, examples.found_poses)
    np.testing.assert_allclose(examples.np_mpjpe, 0, atol=1e-6)


def test_a_wrong_answer_is_shown_with_its_errors_from_easy_to_hard(dataset):
    examples = retrieval_examples(WrongModel(dataset), dataset, seed=1)
    assert not examples.same_frame.any()
    assert (np.diff(examples.np_mpjpe) >= 0).all()
    poses, metric_poses = dataset.canonical(COCO_13), dataset.canonical()
    for example, (query, found) in enumerate(zip(examples.query_poses, examples.found_poses, strict=True)):
        places = [int(np.argmin(np.abs(poses - pose).sum(axis=(1, 2)))) for pose in (query, found)]
        assert (places[1] - places[0]) % len(poses) in (60, len(poses) - 60)
        error = p_mpjpe(metric_poses[places[1]], metric_poses[places[0]])
        np.testing.assert_allclose(examples.np_mpjpe[example], error, rtol=1e-5)
        error_mm = mpjpe(found, query) * dataset.torso_lengths_mm[places[0]]
        np.testing.assert_allclose(examples.mpjpe_mm[example], error_mm, rtol=1e-5)


def test_query_and_answer_come_from_a_pair_of_the_rig(dataset):
    examples = retrieval_examples(ShiftModel(dataset), dataset, seed=1)
    views, poses = UNSEEN.project(dataset, 1), dataset.canonical(COCO_13)
    for example, names in enumerate(examples.cameras):
        pair = tuple(UNSEEN.camera_names.index(name) for name in names)
        assert pair in UNSEEN.pairs
        index = int(np.argmin(np.abs(poses - examples.query_poses[example]).sum(axis=(1, 2))))
        np.testing.assert_array_equal(examples.query_keypoints[example], views[pair[0], index])
        np.testing.assert_array_equal(examples.found_keypoints[example], views[pair[1], index])


def test_the_generated_poses_start_from_the_decoded_one(dataset):
    example = generation_example(ShiftModel(dataset), dataset, seed=3, num_directions=3, alphas=(0.0, 0.2))
    assert example.generated.shape == (3, 2, 13, 3)
    np.testing.assert_allclose(example.generated[:, 0], np.broadcast_to(example.start, (3, 13, 3)), atol=1e-6)
    np.testing.assert_allclose(example.moved[:, 0], 0, atol=1e-6)
    np.testing.assert_allclose(example.moved, mpjpe(example.generated, example.start))


def test_choices_lie_at_their_quantiles_and_differ():
    rng = np.random.default_rng(0)
    errors, poses = rng.permutation(1000).astype(float), rng.normal(size=(1000, 13, 3))
    chosen = spread_over_errors(errors, poses, (0.1, 0.5, 0.5, 0.9))
    np.testing.assert_allclose(errors[chosen], [100, 500, 500, 900], atol=20)
    assert len(set(chosen)) == 4


def test_among_poses_of_one_error_the_most_unlike_are_chosen():
    poses = np.zeros((50, 13, 3))
    poses[17], poses[31] = 3.0, -2.0
    chosen = spread_over_errors(np.zeros(50), poses, (0.36, 0.62))
    assert chosen.tolist() == [17, 31]


def test_as_many_examples_as_poses_can_be_had():
    poses = np.random.default_rng(0).normal(size=(4, 13, 3))
    assert sorted(spread_over_errors(np.arange(4.0), poses, (0.1, 0.4, 0.7, 0.95))) == [0, 1, 2, 3]


def test_too_few_poses_are_refused():
    with pytest.raises(ValueError, match="Expected at least 4 poses to choose from. Received: 3"):
        spread_over_errors(np.zeros(3), np.zeros((3, 13, 3)), (0.1, 0.4, 0.7, 0.95))
