import dataclasses

import keras
import numpy as np
import pytest

from vvipe_tf.data.views import BONE_GROUPS, ViewConfig, ViewDraw, mirror_pose, render_views, scale_bones
from vvipe_tf.geometry.canonical import canonicalise
from vvipe_tf.keypoints import COCO_13


def standing_pose(shift=0.0):
    """A person in torso units who faces -x with the right side at +y; arms down, knees straight."""
    right = {
        "shoulder": (0.0, 0.4, 1.0),
        "elbow": (0.05, 0.45, 0.4),
        "wrist": (0.0, 0.5, -0.1),
        "hip": (0.0, 0.25, 0.0),
        "knee": (-0.05, 0.25, -0.9),
        "ankle": (0.1, 0.3, -1.7),
    }
    pose = [(-0.2, 0.0, 1.4)]
    for part in ("shoulder", "elbow", "wrist", "hip", "knee", "ankle"):
        x, y, z = right[part]
        pose += [(x + shift, -y, z), (x, y, z)]
    return np.array(pose)


def no_change(num_poses, num_views, rng=None):
    """A draw that changes nothing; with `rng`, from random cameras."""
    shape = (num_poses, num_views)
    angle = np.zeros(shape) if rng is None else rng.uniform(-1, 1, shape)
    return ViewDraw(
        azimuth=angle * np.pi,
        elevation=angle * 0.5,
        roll=angle * 0.3,
        distance=np.full(shape, 9.0),
        bone_factors=np.ones((*shape, len(BONE_GROUPS))),
        noise=np.zeros((*shape, 13, 2)),
        visible=np.ones((*shape, 13)),
    )


def test_factors_of_one_leave_the_pose_alone():
    pose = standing_pose()
    np.testing.assert_allclose(scale_bones(pose, np.ones(len(BONE_GROUPS))), pose, atol=1e-6)


def test_a_factor_scales_its_bones_and_no_other():
    pose = standing_pose()
    factors = np.where(np.array(list(BONE_GROUPS)) == "forearms", 1.5, 1.0)
    scaled = scale_bones(pose, factors)

    def length(points, a, b):
        return np.linalg.norm(points[COCO_13.index(a)] - points[COCO_13.index(b)])

    for a, b in COCO_13.bones:
        expected = 1.5 if {a, b} in ({"left_elbow", "left_wrist"}, {"right_elbow", "right_wrist"}) else 1.0
        assert length(scaled, a, b) == pytest.approx(expected * length(pose, a, b), rel=1e-5)


def test_directions_of_bones_do_not_change():
    pose = standing_pose()
    scaled = scale_bones(pose, np.random.default_rng(0).uniform(0.7, 1.4, len(BONE_GROUPS)))
    for a, b in (("left_hip", "left_knee"), ("right_elbow", "right_wrist")):
        before = pose[COCO_13.index(b)] - pose[COCO_13.index(a)]
        after = scaled[COCO_13.index(b)] - scaled[COCO_13.index(a)]
        np.testing.assert_allclose(np.cross(before, after), 0, atol=1e-6)


def test_the_canonical_pose_of_a_mirrored_world_pose_is_the_mirrored_canonical_pose():
    pose = standing_pose(shift=0.3)
    canonical, _ = canonicalise(pose, COCO_13)
    mirrored, _ = canonicalise(mirror_pose(pose, 1), COCO_13)
    np.testing.assert_allclose(mirrored, mirror_pose(canonical, 1), atol=1e-9)
    assert not np.allclose(mirrored, canonical, atol=1e-2)


def test_a_camera_in_front_sees_the_right_hand_at_the_left_of_the_picture_and_the_head_on_top():
    """The person faces -x, so the camera in front stands at azimuth 180 degrees."""
    draw = no_change(1, 1)._replace(azimuth=np.full((1, 1), np.pi))
    keypoints = render_views(standing_pose()[None], draw, use_mask=False)[0, 0]
    right, left = keypoints[COCO_13.index("right_wrist")], keypoints[COCO_13.index("left_wrist")]
    assert right[0] < -0.1 < 0.1 < left[0]
    assert keypoints[COCO_13.index("nose"), 1] < -0.4 < 0.6 < keypoints[COCO_13.index("left_ankle"), 1]


def test_missing_joints_are_zero_and_marked_in_the_third_channel():
    draw = no_change(2, 3)
    draw.visible[1, 2, 5] = 0
    keypoints = render_views(np.stack([standing_pose()] * 2), draw, use_mask=True)
    assert keypoints.shape == (2, 3, 13, 3)
    np.testing.assert_array_equal(keypoints[1, 2, 5], 0)
    assert keypoints[..., 2].sum() == 2 * 3 * 13 - 1


def test_the_graph_renders_what_numpy_renders():
    rng = np.random.default_rng(3)
    pose = np.stack([standing_pose()] * 4) + rng.normal(scale=0.1, size=(4, 13, 3))
    draw = no_change(4, 2, rng)._replace(bone_factors=rng.uniform(0.8, 1.2, (4, 2, len(BONE_GROUPS))))
    expected = render_views(pose, draw, use_mask=True)
    as_float32 = ViewDraw(*(part.astype(np.float32) for part in draw))
    found = render_views(pose.astype(np.float32), as_float32, use_mask=True, xp=keras.ops)
    np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize(
    "wrong",
    [{"views_per_pose": 0}, {"min_distance": 1.0}, {"min_distance": 9.0, "max_distance": 8.0}, {"max_roll": -0.1},
     {"augmented_fraction": 1.5}],
)  # fmt: skip
def test_settings_out_of_range_are_refused(wrong):
    with pytest.raises(ValueError, match="Expected"):
        dataclasses.replace(ViewConfig(), **wrong)
