"""Rigs: virtual cameras against a camera worked out independently, and calibrated ones."""

import numpy as np
import pytest

from vvipe_tf.data.rigs import CHEST, RIGS, UNSEEN, CalibratedRig, VirtualRig, crossed_pairs, get_rig, ordered_pairs
from vvipe_tf.data.synthetic import generate_synthetic
from vvipe_tf.geometry.camera import Camera
from vvipe_tf.keypoints import COCO_13


@pytest.fixture(scope="module")
def dataset():
    return generate_synthetic(num_poses=70, seed=3, num_subjects=2)


def look_at_origin(azimuth_deg, elevation_deg, distance):
    """World-to-camera rotation and centre, built from axes: forward to the origin, right level, down the rest."""
    azimuth, elevation = np.radians(azimuth_deg), np.radians(elevation_deg)
    direction = np.array([np.cos(elevation) * np.cos(azimuth), np.cos(elevation) * np.sin(azimuth), np.sin(elevation)])
    forward = -direction
    right = np.cross(forward, [0, 0, 1])
    right /= np.linalg.norm(right)
    return np.stack([right, np.cross(forward, right), forward]), direction * distance


def turns_of(dataset, seed):
    return np.degrees(np.random.default_rng(seed).uniform(-np.pi, np.pi, len(dataset)))


def test_chest_rig_has_the_twelve_ordered_pairs_of_four_cameras():
    assert CHEST.num_cameras == 4
    assert len(CHEST.pairs) == len(set(CHEST.pairs)) == 12
    assert all(query != gallery for query, gallery in CHEST.pairs)
    assert set(CHEST.elevations_deg) == {8.0}
    assert np.diff(CHEST.azimuths_deg).tolist() == [90.0, 90.0, 90.0]


def test_every_pair_of_the_unseen_rig_has_exactly_one_chest_camera():
    assert len(UNSEEN.pairs) == len(set(UNSEEN.pairs)) == 32
    assert all((UNSEEN.elevations_deg[a] == 8.0) != (UNSEEN.elevations_deg[b] == 8.0) for a, b in UNSEEN.pairs)
    assert UNSEEN.azimuths_deg[:4] == CHEST.azimuths_deg
    assert set(zip(UNSEEN.elevations_deg[4:], UNSEEN.azimuths_deg[4:], strict=True)) == {
        (-15.0, 45.0),
        (30.0, 135.0),
        (45.0, 225.0),
        (60.0, 315.0),
    }


def test_pairs_of_the_papers_rigs_have_the_papers_number():
    assert len(ordered_pairs(4)) == 12
    assert len(ordered_pairs(11)) == 110
    assert len(crossed_pairs((0, 2, 4, 7, 8), (1, 3, 5, 6, 9, 10))) == 60


def test_virtual_views_equal_a_camera_worked_out_by_axes(dataset):
    rig = VirtualRig("three", (0.0, 100.0, -30.0), (8.0, -15.0, 60.0), ((0, 1),), distance_mm=3100.0)
    views = rig.project(dataset, seed=11)
    poses, turns = dataset.centred(COCO_13), turns_of(dataset, 11)
    assert views.shape == (3, 70, 13, 2)
    for camera in range(3):
        for index in (0, 1, 42, 69):
            rotation, centre = look_at_origin(
                rig.azimuths_deg[camera] + turns[index],
                rig.elevations_deg[camera],
                3100.0 / dataset.torso_lengths_mm[index],
            )
            points = (poses[index] - centre) @ rotation.T
            np.testing.assert_allclose(views[camera, index], points[:, :2] / points[:, 2:], atol=1e-6)


def test_virtual_camera_sees_what_a_calibrated_camera_in_its_place_sees(dataset):
    one = dataset.select(np.array([17]))
    rotation, centre = look_at_origin(90.0 + turns_of(one, 5)[0], 8.0, 4.5)
    pelvis = one.poses[0, one.profile.index("pelvis")] * one.torso_lengths_mm[0] / 1000
    camera = Camera("real", rotation, centre + pelvis, np.eye(3), np.zeros(5), None)
    real = CalibratedRig("real", (camera, camera), ((0, 1),))
    np.testing.assert_allclose(real.project(one)[0, 0], CHEST.project(one, seed=5)[1, 0], atol=1e-6)


def test_rig_turns_differently_for_each_pose_and_alike_for_all_cameras(dataset):
    same = dataset.select(np.zeros(9, dtype=int))
    rig = VirtualRig("twins", (20.0, 20.0, 200.0), (8.0, 8.0, 8.0), ((0, 1),))
    views = rig.project(same, seed=1)
    np.testing.assert_array_equal(views[0], views[1])
    assert np.abs(views[0, 1:] - views[0, :1]).max(axis=(1, 2)).min() > 1e-3
    np.testing.assert_array_equal(views, rig.project(same, seed=1))
    assert not np.allclose(views, rig.project(same, seed=2))


def test_level_cameras_on_opposite_sides_see_mirror_images_from_far_away(dataset):
    rig = VirtualRig("opposite", (10.0, 190.0), (0.0, 0.0), ((0, 1), (1, 0)), distance_mm=1e9)
    front, back = rig.project(dataset, seed=4) * 1e6
    np.testing.assert_allclose(front, back * [-1, 1], atol=1e-4)


def test_people_look_smaller_from_farther_away_and_heads_are_up(dataset):
    near, far = (VirtualRig("one", (0.0, 90.0), (8.0, 8.0), ((0, 1),), d).project(dataset, 0) for d in (3000.0, 9000.0))
    assert (np.ptp(near, axis=2).max(axis=-1) > np.ptp(far, axis=2).max(axis=-1)).all()
    standing = dataset.centred(COCO_13)[:, 0, 2] > 0.8
    assert standing.any()
    assert (near[:, standing, 0, 1] < 0).all()


def test_calibrated_rig_projects_metres_of_the_world(dataset):
    cameras = tuple(
        Camera(f"cam{azimuth}", *look_at_origin(azimuth, 10.0, 6.0), np.diag([900.0, 900.0, 1.0]), np.zeros(5), None)
        for azimuth in (0.0, 70.0, 200.0)
    )
    rig = CalibratedRig("lab", cameras, ordered_pairs(3))
    left_knee = dataset.poses[8, dataset.profile.index("left_knee")] * dataset.torso_lengths_mm[8] / 1000
    views = rig.project(dataset)
    assert views.shape == (3, 70, 13, 2)
    assert rig.camera_names == ("cam0.0", "cam70.0", "cam200.0")
    np.testing.assert_allclose(
        views[1, 8, COCO_13.index("left_knee")], cameras[1].project(left_knee.astype(np.float64)), atol=1e-3
    )
    assert not rig.is_virtual
    assert CHEST.is_virtual


def test_virtual_rig_does_not_depend_on_where_the_person_stands(dataset):
    moved = type(dataset)(
        dataset.profile,
        dataset.poses + np.float32([3.0, -2.0, 0.5]),
        dataset.torso_lengths_mm,
        dataset.subject,
        dataset.sequence,
        dataset.source,
        dataset.frame,
        dataset.fps,
        dataset.licenses,
        dataset.synthetic,
    )
    np.testing.assert_allclose(CHEST.project(moved, 0), CHEST.project(dataset, 0), atol=1e-5)


@pytest.mark.parametrize("pairs", [(), ((0, 0),), ((0, 2),), ((-1, 0),)])
def test_pairs_that_are_none_are_refused(pairs):
    with pytest.raises(ValueError, match="Expected pairs of two different cameras among the 2 of rig odd"):
        VirtualRig("odd", (0.0, 90.0), (8.0, 8.0), pairs)


def test_rigs_that_do_not_fit_together_are_refused():
    with pytest.raises(ValueError, match="2 azimuths, 1 elevations"):
        VirtualRig("odd", (0.0, 90.0), (8.0,), ((0, 1),))
    with pytest.raises(ValueError, match="positive camera distance"):
        VirtualRig("odd", (0.0, 90.0), (8.0, 8.0), ((0, 1),), distance_mm=0.0)


def test_rigs_are_found_by_name():
    assert get_rig("unseen") is UNSEEN
    assert set(RIGS) == {"chest", "unseen"}
    with pytest.raises(ValueError, match="among chest, unseen. Received: 'ceiling'"):
        get_rig("ceiling")


def test_poses_in_the_axes_of_a_virtual_camera_project_onto_its_view(dataset):
    rig = VirtualRig("two", (10.0, 200.0), (8.0, 45.0), ((0, 1),))
    poses = rig.camera_poses(dataset, 5, COCO_13)
    depth = poses[..., 2] + (rig.distance_mm / dataset.torso_lengths_mm)[None, :, None]
    np.testing.assert_allclose(poses[..., :2] / depth[..., None], rig.project(dataset, 5), atol=1e-6)


def test_poses_in_the_axes_of_a_real_camera_are_turned_with_it(dataset):
    rotation, centre = look_at_origin(70.0, 20.0, 4.0)
    camera = Camera("c", rotation, centre, np.eye(3))
    rig = CalibratedRig("lab", (camera, camera), ((0, 1),))
    poses = rig.camera_poses(dataset, None, COCO_13)
    assert poses.shape == (2, len(dataset), 13, 3)
    np.testing.assert_allclose(poses[1, 3, 4], rotation @ dataset.centred(COCO_13)[3, 4], atol=1e-6)
