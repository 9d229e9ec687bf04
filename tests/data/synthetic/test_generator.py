"""The generated data set: people of human proportions who move like people."""

import numpy as np
import pytest

from vvipe_tf.data.synthetic.actions import ACTIONS, LYING_ACTIONS
from vvipe_tf.data.synthetic.generator import LICENSE, generate_synthetic, perform_actions
from vvipe_tf.data.synthetic.skeleton import (
    FREEDOMS,
    JOINT_LIMITS,
    PROPORTION_SPREAD,
    PROPORTION_SPREAD_LIMIT,
    PROPORTIONS,
    SEX_FACTORS,
    forward_kinematics,
)
from vvipe_tf.keypoints import COCO_13, H36M_17

_SEGMENT_BONES = {
    "upper_arm": ("shoulder", "elbow"),
    "forearm": ("elbow", "wrist"),
    "thigh": ("hip", "knee"),
    "shank": ("knee", "ankle"),
}


@pytest.fixture(scope="module")
def dataset():
    return generate_synthetic(num_poses=8003, seed=7, num_subjects=4)


@pytest.fixture(scope="module")
def action(dataset):
    return np.array([name.split("/")[1].rsplit("_", 1)[0] for name in dataset.sequence])


def _metres(dataset):
    return dataset.poses.astype(np.float64) * dataset.torso_lengths_mm[:, None, None] / 1000.0


def _joint(poses, name):
    return poses[:, H36M_17.index(name)]


def _length(poses, start, end):
    return np.linalg.norm(_joint(poses, start) - _joint(poses, end), axis=-1)


def _direction(poses, start, end):
    return (_joint(poses, end) - _joint(poses, start)) / _length(poses, start, end)[:, None]


def test_a_seed_gives_the_same_data_set_again_and_another_seed_another():
    first, again, other = (generate_synthetic(211, seed=seed, num_subjects=3) for seed in (5, 5, 6))
    np.testing.assert_array_equal(first.poses, again.poses)
    np.testing.assert_array_equal(first.sequence, again.sequence)
    assert np.abs(first.poses - other.poses).max() > 0.1


def test_a_subject_does_not_depend_on_how_many_others_there_are():
    few, many = generate_synthetic(2 * 61, num_subjects=2), generate_synthetic(5 * 61, num_subjects=5)
    np.testing.assert_array_equal(few.poses, many.poses[: len(few)])


def test_the_data_set_says_what_it_is(dataset):
    assert len(dataset) == 8003
    assert dataset.profile is H36M_17
    assert dataset.fps == 10.0
    assert dataset.synthetic
    assert dataset.licenses == {"synthetic": LICENSE}
    assert np.unique(dataset.subject).tolist() == [f"synthetic_{number:02d}" for number in range(4)]
    assert dataset.poses.dtype == np.float32


def test_every_subject_performs_every_action(dataset, action):
    for subject in np.unique(dataset.subject):
        assert set(action[dataset.subject == subject]) == set(ACTIONS)


def test_sequences_are_unbroken_and_last_two_to_six_seconds_where_there_are_poses_enough(dataset):
    _, start, count = np.unique(dataset.sequence, return_index=True, return_counts=True)
    for first, length in zip(start, count, strict=True):
        np.testing.assert_array_equal(dataset.frame[first : first + length], np.arange(length))
    assert 19 <= count.min() < 30
    assert 50 < count.max() <= 61


@pytest.mark.parametrize(("num_poses", "num_subjects"), [(69, 2), (400, 0)])
def test_too_few_poses_for_every_action_are_refused(num_poses, num_subjects):
    with pytest.raises(ValueError, match="one for each action"):
        generate_synthetic(num_poses, num_subjects=num_subjects)


def test_bones_keep_their_length_within_a_subject_and_are_alike_left_and_right(dataset):
    poses = _metres(dataset)
    for subject in np.unique(dataset.subject):
        own = poses[dataset.subject == subject]
        for start, end in _SEGMENT_BONES.values():
            lengths = np.concatenate([_length(own, f"{side}_{start}", f"{side}_{end}") for side in ("left", "right")])
            assert np.ptp(lengths) < 1e-5
        for start, end in (("neck", "left_shoulder"), ("pelvis", "spine"), ("neck", "nose"), ("nose", "head_top")):
            assert np.ptp(_length(own, start, end)) < 1e-5


def test_proportions_lie_in_the_published_range_around_drillis_and_contini():
    for number in range(23):
        body = perform_actions(3, number, len(ACTIONS)).body
        assert 1.45 < body.stature < 1.93
        for name, fraction in PROPORTIONS.items():
            expected = fraction * SEX_FACTORS[body.sex].get(name, 1.0)
            deviation = body.segments[name] / body.stature / expected - 1.0
            assert abs(deviation) <= PROPORTION_SPREAD * PROPORTION_SPREAD_LIMIT + 1e-12


def test_the_angles_behind_the_poses_keep_the_joint_limits(dataset):
    performance = perform_actions(7, 0, 2001)
    segments = {name: np.full(2001, length) for name, length in performance.body.segments.items()}
    poses = forward_kinematics(performance.angles, segments) / performance.body.torso_length
    np.testing.assert_allclose(poses, dataset.centred()[:2001], atol=2e-5)
    angle = dict(zip(FREEDOMS, performance.angles.T, strict=True))
    for name, (low, high) in JOINT_LIMITS.items():
        assert low <= angle[name].min(), name
        assert angle[name].max() <= high, name


@pytest.mark.parametrize("side", ["left", "right"])
def test_knees_never_bend_backwards(dataset, side):
    poses = _metres(dataset)
    thigh = _direction(poses, f"{side}_hip", f"{side}_knee")
    shank = _direction(poses, f"{side}_knee", f"{side}_ankle")
    leftwards = _direction(poses, "right_hip", "left_hip")
    # thigh x shank is sin(flexion) times the knee's axis, which hip rotation keeps within 60 degrees of leftwards.
    assert np.einsum("ij,ij->i", np.cross(thigh, shank), leftwards).min() > -1e-4
    flexion = np.rad2deg(np.arccos(np.clip(np.einsum("ij,ij->i", thigh, shank), -1, 1)))
    assert 125 < flexion.max() <= 155.1


@pytest.mark.parametrize("side", ["left", "right"])
def test_elbows_never_fold_beyond_their_limit(dataset, side):
    poses = _metres(dataset)
    upper = _direction(poses, f"{side}_shoulder", f"{side}_elbow")
    fore = _direction(poses, f"{side}_elbow", f"{side}_wrist")
    flexion = np.rad2deg(np.arccos(np.clip(np.einsum("ij,ij->i", upper, fore), -1, 1)))
    assert 125 < flexion.max() <= 150.1


def test_elbows_never_bend_backwards_in_a_walk_where_arms_hang(dataset, action):
    poses = _metres(dataset)[action == "walk"]
    ahead = np.cross(_direction(poses, "right_hip", "left_hip"), [0.0, 0.0, 1.0])
    for side in ("left", "right"):
        upper = _direction(poses, f"{side}_shoulder", f"{side}_elbow")
        fore = _direction(poses, f"{side}_elbow", f"{side}_wrist")
        assert np.einsum("ij,ij->i", fore - upper, ahead).min() > -0.02


def test_trunks_are_level_when_lying_and_upright_when_walking(dataset, action):
    upwards = _direction(_metres(dataset), "pelvis", "neck")[:, 2]
    for name in LYING_ACTIONS:
        assert np.abs(upwards[action == name]).max() < 0.5, name
    assert upwards[action == "walk"].min() > 0.9


def test_the_chest_faces_up_on_the_back_and_down_on_the_front(dataset, action):
    poses = _metres(dataset)
    ahead = np.cross(_direction(poses, "right_hip", "left_hip"), _direction(poses, "pelvis", "spine"))[:, 2]
    assert ahead[action == "lie_on_back"].min() > 0.8
    assert ahead[action == "lie_on_front"].max() < -0.8


def test_everybody_touches_the_ground_and_nobody_sinks_into_it(dataset, action):
    lowest = _metres(dataset)[..., 2].min(axis=1)
    airborne = np.isin(action, ["jump", "run", "jumping_jack"])
    assert lowest.min() > 0.0
    assert lowest[~airborne].max() < 0.12
    assert lowest[action == "jump"].max() > 0.15


def _swing(poses, joint, origin):
    ahead = np.cross(_direction(poses, "right_hip", "left_hip"), [0.0, 0.0, 1.0])
    return np.einsum("ij,ij->i", _joint(poses, joint) - _joint(poses, origin), ahead)


def test_walking_moves_arms_against_legs_and_legs_against_each_other(dataset, action):
    poses = _metres(dataset)
    for sequence in np.unique(dataset.sequence[action == "walk"]):
        own = poses[dataset.sequence == sequence]
        legs = [_swing(own, f"{side}_ankle", "pelvis") for side in ("left", "right")]
        arms = [_swing(own, f"{side}_wrist", "neck") for side in ("left", "right")]
        assert np.corrcoef(*legs)[0, 1] < -0.6
        for arm, leg in zip(arms, legs, strict=True):
            assert np.corrcoef(arm, leg)[0, 1] < -0.4


def test_walkers_go_where_they_face(dataset, action):
    poses = _metres(dataset)
    for sequence in np.unique(dataset.sequence[action == "walk"]):
        own = poses[dataset.sequence == sequence]
        ahead = np.cross(_direction(own, "right_hip", "left_hip"), [0.0, 0.0, 1.0])[:-1]
        step = np.diff(_joint(own, "pelvis"), axis=0)
        assert np.einsum("ij,ij->i", step, ahead).mean() > 0.03


def test_idle_feet_stay_where_they_are(dataset, action):
    poses = _metres(dataset)
    for sequence in np.unique(dataset.sequence[action == "stand_idle"]):
        own = poses[dataset.sequence == sequence]
        assert np.ptp(_joint(own, "left_ankle")[:, :2], axis=0).max() < 0.12


def test_no_joint_teleports_between_frames(dataset):
    poses = dataset.centred()
    step = np.linalg.norm(np.diff(poses, axis=0), axis=-1).max(axis=1)
    step = step[dataset.sequence[1:] == dataset.sequence[:-1]]
    assert step.max() < 2.0
    assert np.percentile(step, 50) < 0.25


def test_no_pose_is_degenerate(dataset):
    canonical = dataset.canonical(COCO_13)
    assert canonical.shape == (8003, 13, 3)
    assert np.isfinite(canonical).all()


def test_headings_cover_the_circle(dataset):
    across = _direction(_metres(dataset), "right_hip", "left_hip")
    counts, _ = np.histogram(np.arctan2(across[:, 1], across[:, 0]), bins=8, range=(-np.pi, np.pi))
    assert counts.min() > 0.04 * len(dataset)


def test_a_strangers_action_is_recognised_by_the_nearest_pose(dataset, action):
    canonical = dataset.canonical().reshape(len(dataset), -1)
    known = np.flatnonzero(dataset.subject != "synthetic_03")
    queries = np.flatnonzero(dataset.subject == "synthetic_03")[::9]
    distance = (canonical[known] ** 2).sum(1) - 2.0 * canonical[queries] @ canonical[known].T
    chance = 1.0 / len(ACTIONS)
    assert (action[known][distance.argmin(axis=1)] == action[queries]).mean() > 10 * chance


def test_the_population_is_as_often_left_as_right_handed(dataset):
    canonical = dataset.canonical()
    mirrored = canonical[:, H36M_17.flip_indices] * [1, -1, 1]
    assert np.linalg.norm(canonical.mean(0) - mirrored.mean(0), axis=-1).max() < 0.08
    throws = np.array(["throw" in name for name in dataset.sequence])
    raised = _joint(canonical, "left_wrist")[throws, 2] - _joint(canonical, "right_wrist")[throws, 2]
    assert raised.min() < -0.3 < 0.3 < raised.max()
