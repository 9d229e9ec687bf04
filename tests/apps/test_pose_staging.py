"""Where people stand in a picture."""

from dataclasses import replace

import numpy as np
import pytest

from tests.apps.scenes import waving_scene
from tests.small_models import STANDING_POSE
from vvipe_tf.apps.pose_staging import is_rooted, spread_people, stage_poses, upright_rotation, view_from
from vvipe_tf.keypoints import COCO_13

LEFT_HIP, RIGHT_HIP = COCO_13.index("left_hip"), COCO_13.index("right_hip")


def test_azimuth_0_looks_at_the_front_and_90_at_the_left_side():
    left_hip = STANDING_POSE[LEFT_HIP]
    from_front, from_left = (view_from(azimuth, 0.0) @ left_hip for azimuth in (0.0, 90.0))
    # Seen from the front the left hip is at the right of the picture, from the left side it is nearest.
    assert from_front[0] == pytest.approx(np.linalg.norm(left_hip))
    assert from_left[2] == pytest.approx(-np.linalg.norm(left_hip))


def test_people_without_a_place_stand_beside_each_other_without_overlap():
    scene = waving_scene()
    staged = stage_poses(scene)
    first, second = (staged[(scene.person == person) & scene.valid, :, 1] for person in (4, 9))
    assert first.min() > second.max()
    # The wrists reach farthest, to both sides and forward.
    moved = (staged - scene.poses)[scene.person == 4]
    np.testing.assert_allclose(moved - [0.0, 1.15 * np.hypot(0.5, 0.2), 0.0], 0.0, atol=1e-12)
    assert np.isnan(staged[~scene.valid]).all()


def test_one_person_stays_at_the_origin():
    scene = waving_scene(people=(4,))
    np.testing.assert_array_equal(stage_poses(scene), scene.poses)


def test_people_in_a_world_face_the_viewer_at_first_and_are_followed():
    scene = waving_scene(people=(4,))
    turn = np.array([[0.0, -1, 0], [1, 0, 0], [0, 0, 1]])
    walk = np.array([0.0, 300.0, 0.0]) * (scene.frame - 10)[:, None, None]
    world = replace(
        scene, poses=480 * scene.poses @ turn.T + walk + [5000, 0, 900], coordinate_frame="world", unit="mm"
    )
    assert not is_rooted(world)
    staged = stage_poses(world)
    pelvis = staged[:, [LEFT_HIP, RIGHT_HIP]].mean(axis=1)
    np.testing.assert_allclose(pelvis[:, :2], 0.0, atol=1e-9)
    np.testing.assert_allclose(staged - pelvis[:, None], scene.poses, atol=0.02)


def test_a_camera_s_axes_become_upright():
    rotation = upright_rotation(waving_scene(coordinate_frame="camera"))
    assert np.linalg.det(rotation) == pytest.approx(1.0)
    np.testing.assert_array_equal(rotation @ [0, -1, 0], [0, 0, 1])
    # A person who faces the camera has their right side at its left, and looks along -x afterwards.
    np.testing.assert_array_equal(rotation @ [-1, 0, 0], [0, 1, 0])
    np.testing.assert_array_equal(rotation @ [0, 0, -1], [-1, 0, 0])


def test_wide_people_get_more_room():
    places = spread_people([1.0, 3.0, 2.0])
    assert places.mean() == pytest.approx(0.0)
    np.testing.assert_allclose(np.diff(places), [1.15 * 2.0, 1.15 * 2.5])
