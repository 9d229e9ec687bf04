"""Two tracks, compared moment by moment."""

import numpy as np
import pytest

from tests.small_models import STANDING_POSE, LinearModel
from vvipe_tf.apps.compare import PoseTrack, compare_tracks, measure_timing, worst_steps
from vvipe_tf.apps.comparison_figure import comparison_figure
from vvipe_tf.apps.embedder import PoseEmbedder
from vvipe_tf.apps.figure_sheet import save_figure
from vvipe_tf.apps.similarity_scale import SimilarityScale, measure_scale
from vvipe_tf.apps.virtual_views import embed_seen_poses, has_pose_encoder
from vvipe_tf.keypoints import COCO_13

SCALE = SimilarityScale(same=1.0, chance=5.0)
WRIST = COCO_13.index("left_wrist")


def track(embeddings, poses=None, frame=None):
    embeddings = np.asarray(embeddings, float)
    poses = np.repeat(STANDING_POSE[None], len(embeddings), axis=0) if poses is None else poses
    return PoseTrack(np.arange(len(embeddings)) if frame is None else frame, embeddings, poses)


def ramp(length, speed=3.0):
    return np.outer(np.arange(length) * speed, [1.0, 0.5])


def test_scores_run_from_chance_to_one_pose_seen_twice():
    np.testing.assert_allclose(SCALE.score([0, 1, 2, 3, 5, 9]), [100, 100, 75, 50, 0, 0])


def test_a_sequence_is_the_same_motion_as_itself_in_step():
    result = compare_tracks(track(ramp(30)), track(ramp(30)), SCALE)
    assert result.score == 100
    assert result.verdict == "the same motion, in step"
    assert result.np_mpjpe.max() < 1e-6


def test_unrelated_sequences_are_different_motions():
    result = compare_tracks(track(ramp(20)), track(ramp(25) + 100), SCALE)
    assert (result.score, result.verdict) == (0, "different motions")


def test_the_worst_moment_names_the_joint_that_is_off():
    poses = np.repeat(STANDING_POSE[None], 30, axis=0)
    poses[17, WRIST] += [0.0, -0.6, 0.3]
    other = ramp(30)
    other[17] += [-1, 2]
    worst, *_ = compare_tracks(track(ramp(30)), track(other, poses), SCALE, num_worst=2).worst
    assert (worst.frame_a, worst.frame_b, worst.joint) == (17, 17, "left_wrist")
    assert 0.4 < worst.joint_error < 0.7
    assert worst.score == pytest.approx(100 * (5 - np.sqrt(5)) / 4)


def test_worst_moments_are_apart_in_time():
    distances = np.zeros(60)
    distances[[20, 21, 22, 40, 3]] = [8, 9, 7, 2, 5]
    assert worst_steps(distances, 3) == [21, 3, 40]
    assert worst_steps(distances, 0) == []
    assert len(worst_steps(np.ones(2), 5)) <= 2


@pytest.mark.parametrize(
    ("frame_a", "frame_b", "words"),
    [
        (np.arange(50), np.arange(50) + 1, "in step"),
        (np.arange(50), np.arange(50) + 20, "the second 20 frames later"),
        (np.arange(50) + 12, np.arange(50), "the second 12 frames earlier"),
        (np.repeat(np.arange(50), 2), np.arange(100), "the second at 0.50 times the pace"),
        (np.r_[np.arange(40), np.full(60, 40)], np.r_[np.zeros(40), np.arange(60)], "at a changing pace"),
        (np.array([4]), np.array([4]), "in step"),
    ],
)
def test_timing_in_words(frame_a, frame_b, words):
    assert measure_timing(frame_a, frame_b).description == words


def test_a_part_is_told_to_be_one():
    result = compare_tracks(track(ramp(12)[4:9]), track(ramp(12)), SCALE, "part")
    assert result.verdict == "where they meet the same motion, the second 4 frames later"


def test_the_scale_of_a_model_needs_no_data_and_is_repeatable():
    embedder = PoseEmbedder(LinearModel())
    scale = measure_scale(embedder)
    assert 0 < scale.same < scale.chance
    assert measure_scale(embedder) == scale


def test_poses_without_an_encoder_are_seen_by_cameras():
    model = LinearModel(description={"files": {"m": {"signatures": ["decode", "embed"]}}})
    assert not has_pose_encoder(PoseEmbedder(model))
    assert has_pose_encoder(PoseEmbedder(LinearModel()))
    embeddings = embed_seen_poses(PoseEmbedder(model), np.stack([STANDING_POSE, 2 * STANDING_POSE]))
    assert embeddings.shape == (2, 6)


def test_the_picture_is_written_whole(tmp_path):
    rng = np.random.default_rng(3)
    poses = STANDING_POSE + rng.normal(size=(25, 13, 3)) * 0.05
    a, b = track(ramp(25), poses), track(ramp(20), poses[:20])
    for k, name in ((4, "four.png"), (0, "none.png")):
        save_figure(comparison_figure(a, b, compare_tracks(a, b, SCALE, num_worst=k)), tmp_path / name)
        assert (tmp_path / name).stat().st_size > 10_000
