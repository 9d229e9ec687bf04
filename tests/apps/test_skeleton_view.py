"""What a drawn skeleton consists of."""

import numpy as np
import pytest

from vvipe_tf.apps.skeleton_view import LEFT_COLOUR, RIGHT_COLOUR, TRUNK_COLOUR, view_keypoints, view_pose
from vvipe_tf.keypoints import COCO_13, COCO_17, H36M_17, MOCAP_22, map_keypoints


@pytest.fixture
def standing():
    """A canonical person who stands with hanging arms: left at -y, up at +z, looking along -x."""
    places = {
        "nose": (-0.2, 0.0, 1.3),
        "shoulder": (0.0, 0.35, 1.0),
        "elbow": (0.0, 0.4, 0.45),
        "wrist": (-0.1, 0.42, 0.0),
        "hip": (0.0, 0.2, 0.0),
        "knee": (0.0, 0.22, -0.85),
        "ankle": (0.0, 0.24, -1.7),
    }
    pose = []
    for name in COCO_13.keypoint_names:
        side, _, joint = name.rpartition("_")
        x, y, z = places[joint]
        pose.append((x, -y if side == "left" else y, z))
    return np.array(pose)


def middle(view, colour):
    return np.mean([stroke.points for stroke in view.strokes if stroke.colour == colour], axis=(0, 1))


def test_the_head_is_above_the_feet_and_the_floor_below_them(standing):
    view = view_pose(standing)
    ankle = view.joints[COCO_13.index("left_ankle")]
    assert view.head[1] < view.trunk[:, 1].min() < ankle[1] <= view.floor[:, 1].max()


def test_a_person_seen_from_the_front_has_the_left_side_at_the_right_of_the_picture(standing):
    view = view_pose(standing)
    assert middle(view, LEFT_COLOUR)[0] > middle(view, RIGHT_COLOUR)[0]


def test_the_nearer_arm_is_painted_last(standing):
    # The camera stands on the person's right.
    arms = [stroke.colour for stroke in view_pose(standing).strokes if stroke.colour != TRUNK_COLOUR]
    assert arms[0] == LEFT_COLOUR
    assert arms[-1] == RIGHT_COLOUR
    depths = [stroke.depth for stroke in view_pose(standing).strokes]
    assert depths == sorted(depths, reverse=True)


def test_limbs_have_the_colour_of_their_side_and_the_trunk_is_neutral(standing):
    colours = [stroke.colour for stroke in view_pose(standing).strokes]
    # Two bones an arm, two a leg; shoulders, hips, both flanks and a neck.
    assert (colours.count(LEFT_COLOUR), colours.count(RIGHT_COLOUR), colours.count(TRUNK_COLOUR)) == (4, 4, 5)


@pytest.mark.parametrize("profile", [COCO_13, COCO_17, H36M_17, MOCAP_22], ids=lambda profile: profile.name)
def test_every_profile_with_limbs_can_be_drawn(profile):
    pose = np.random.default_rng(3).normal(size=(profile.num_joints, 3))
    view = view_pose(pose, profile)
    assert len(view.strokes) >= len(profile.bones)
    assert view.trunk is not None
    assert view.joints.shape == (profile.num_joints, 2)


def test_no_neck_is_invented_where_the_profile_has_one():
    assert len(view_pose(np.random.default_rng(3).normal(size=(17, 3)), H36M_17).strokes) == len(H36M_17.bones)


def test_the_view_is_orthographic_so_that_poses_keep_their_size(standing):
    near, far = view_pose(standing), view_pose(standing + [5.0, -2.0, 7.0])
    np.testing.assert_allclose(np.diff(near.bounds(), axis=0), np.diff(far.bounds(), axis=0), atol=1e-12)


def test_bounds_leave_room_for_the_head(standing):
    view = view_pose(standing)
    assert view.bounds()[0, 1] == pytest.approx(view.head[1] - 0.15)


def test_the_head_of_2d_keypoints_follows_their_scale(standing):
    keypoints = view_pose(standing).joints
    small, large = view_keypoints(keypoints), view_keypoints(700 * keypoints)
    assert large.head_radius == pytest.approx(700 * small.head_radius)
    assert small.head_radius == pytest.approx(view_pose(standing).head_radius, rel=0.3)


def test_shadows_lie_on_the_floor_even_of_raised_arms(standing):
    standing[COCO_13.index("left_wrist")] = (0.0, -0.5, 2.0)
    view = view_pose(standing)
    assert view.shadows[..., 1].min() > view.joints[COCO_13.index("left_knee"), 1]


def test_keypoints_are_drawn_as_they_are():
    keypoints = map_keypoints(np.random.default_rng(5).normal(size=(17, 2)), COCO_17, COCO_13)
    view = view_keypoints(keypoints)
    np.testing.assert_array_equal(view.joints, keypoints)
    assert view.floor is None
    assert view.shadows is None


def test_bones_with_a_missing_joint_are_left_out():
    keypoints, mask = np.random.default_rng(5).normal(size=(13, 2)), np.ones(13)
    whole = view_keypoints(keypoints)
    for name in ("left_elbow", "nose", "right_hip"):
        mask[COCO_13.index(name)], keypoints[COCO_13.index(name)] = 0, np.nan
    view = view_keypoints(keypoints, mask)
    # Without the elbow two bones go, without the nose the neck, without the hip the pelvis, a flank and a thigh.
    assert len(view.strokes) == len(whole.strokes) - 6
    assert view.head is None
    assert view.trunk is None
    assert np.isfinite(view.bounds()).all()


@pytest.mark.parametrize(
    ("keypoints", "mask", "message"),
    [
        (np.zeros((12, 2)), None, r"Expected points of shape \(13, 2\) for COCO_13. Received: shape=\(12, 2\)"),
        (np.zeros((13, 2)), np.ones(12), r"Expected a mask of shape \(13,\). Received: shape=\(12,\)"),
        (np.zeros((13, 2)), np.zeros(13), "Expected at least one visible joint"),
        (np.full((13, 2), np.nan), None, "all visible ones finite"),
    ],
)
def test_keypoints_that_cannot_be_drawn_are_refused(keypoints, mask, message):
    with pytest.raises(ValueError, match=message):
        view_keypoints(keypoints, mask)


def test_a_pose_that_is_not_finite_is_refused(standing):
    standing[4, 2] = np.inf
    with pytest.raises(ValueError, match="Expected a finite pose"):
        view_pose(standing)
