import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from vvipe_tf.geometry.camera import Camera, project_view, view_rotation
from vvipe_tf.keypoints import OPENPOSE_BODY_25B

angles = st.floats(-3.2, 3.2)
INTRINSICS = ((1200.0, 0.5, 540.0), (0.0, 1210.0, 960.0), (0.0, 0.0, 1.0))
LENS = (-0.05, 0.14, 6e-4, -7e-4, 0.02)


def camera(**changes):
    arguments = {
        "name": "left",
        "rotation": view_rotation(0.7, 0.3, -0.1),
        "centre": (2.0, -1.0, 1.5),
        "intrinsics": INTRINSICS,
        "distortion": LENS,
        "image_size": (1080, 1920),
    }
    return Camera(**{**arguments, **changes})


def test_a_level_view_from_the_positive_x_axis_worked_by_hand():
    np.testing.assert_allclose(view_rotation(0.0, 0.0, 0.0), [[0, 1, 0], [0, 0, -1], [-1, 0, 0]], atol=1e-15)


def test_a_view_from_straight_above_still_has_an_up():
    rotation = view_rotation(0.0, np.pi / 2, 0.0)
    np.testing.assert_allclose(rotation @ [0, 0, 1], [0, 0, -1], atol=1e-15)
    np.testing.assert_allclose(rotation @ [-1, 0, 0], [0, -1, 0], atol=1e-15)


def test_positive_roll_turns_the_right_axis_towards_down():
    level, rolled = view_rotation(0.4, -0.2, 0.0), view_rotation(0.4, -0.2, np.pi / 2)
    np.testing.assert_allclose(rolled, [level[1], -level[0], level[2]], atol=1e-15)


@settings(max_examples=40, deadline=None)
@given(azimuth=angles, elevation=st.floats(-1.5, 1.5), roll=angles)
def test_a_view_is_a_rotation_that_looks_at_the_origin_with_world_z_up(azimuth, elevation, roll):
    rotation = view_rotation(azimuth, elevation, roll)
    np.testing.assert_allclose(rotation @ rotation.T, np.eye(3), atol=1e-12)
    assert np.linalg.det(rotation) == pytest.approx(1)
    cos_el = np.cos(elevation)
    direction = np.array([cos_el * np.cos(azimuth), cos_el * np.sin(azimuth), np.sin(elevation)])
    np.testing.assert_allclose(rotation @ direction, [0, 0, -1], atol=1e-12)
    up = view_rotation(azimuth, elevation, 0.0) @ [0, 0, 1]
    np.testing.assert_allclose(up[0], 0, atol=1e-12)
    assert up[1] < 0
    np.testing.assert_allclose(rotation @ [0, 0, 1], Rotation.from_euler("z", -roll).as_matrix() @ up, atol=1e-12)


def test_angles_broadcast_to_batches():
    rotation = view_rotation(np.zeros((4, 1)), np.linspace(-1, 1, 3), 0.25)
    assert rotation.shape == (4, 3, 3, 3)
    np.testing.assert_allclose(rotation[2, 1], view_rotation(0.0, 0.0, 0.25))


def test_projection_worked_by_hand():
    # Seen from +x at 5: the second point is one metre nearer, one to the right and two up.
    points = np.array([[0.0, 0.0, 0.0], [1.0, 1.0, 2.0]])
    np.testing.assert_allclose(
        project_view(points, view_rotation(0.0, 0.0, 0.0), 5), [[0, 0], [0.25, -0.5]], atol=1e-15
    )


def test_a_joint_behind_the_camera_is_kept_in_front_of_it():
    points = np.array([[9.0, 0.5, 0.0]])
    np.testing.assert_allclose(project_view(points, view_rotation(0.0, 0.0, 0.0), 5.0), [[0.5 / 0.05, 0]], atol=1e-12)


def test_a_view_is_what_a_calibrated_camera_in_the_same_place_sees():
    poses = np.random.default_rng(5).uniform(-0.8, 0.8, size=(6, 13, 3))
    rotation = view_rotation(1.1, -0.3, 0.2)
    twin = Camera("twin", rotation, -4.0 * rotation[2], np.eye(3))
    np.testing.assert_allclose(project_view(poses, rotation, 4.0), twin.project(poses), atol=1e-12)


def test_the_graph_projects_what_numpy_projects():
    rng = np.random.default_rng(11)
    poses = rng.normal(size=(8, 13, 3)).astype(np.float32)
    azimuth, elevation, roll = rng.uniform(-1.5, 1.5, size=(3, 8)).astype(np.float32)
    distance = rng.uniform(5, 9, size=8).astype(np.float32)

    @tf.function
    def view(poses, azimuth, elevation, roll, distance):
        rotation = view_rotation(azimuth, elevation, roll, xp=keras.ops)
        return rotation, project_view(poses, rotation, distance, xp=keras.ops)

    rotation, image = view(*(tf.constant(array) for array in (poses, azimuth, elevation, roll, distance)))
    expected = view_rotation(azimuth, elevation, roll)
    assert expected.dtype == project_view(poses, expected, 5.0).dtype == np.float32
    np.testing.assert_allclose(rotation, expected, atol=1e-6)
    np.testing.assert_allclose(image, project_view(poses, expected, distance), atol=1e-5)


def test_a_pinhole_projects_by_hand():
    pinhole = Camera("pinhole", view_rotation(0.0, 0.0, 0.0), (4, 0, 1), INTRINSICS)
    # One metre to the right and half a metre below the optical axis, at depth 4.
    np.testing.assert_allclose(
        pinhole.project([0.0, 1.0, 0.5]), [540 + 1200 / 4 + 0.5 * 0.5 / 4, 960 + 1210 * 0.5 / 4], atol=1e-12
    )


def test_distortion_follows_browns_formula():
    lens = Camera("lens", np.eye(3), np.zeros(3), np.eye(3), (0.1, 0.01, 0.002, 0.003, 0.001))
    x, y, r2 = 0.3, -0.4, 0.25
    radial = 1 + 0.1 * r2 + 0.01 * r2**2 + 0.001 * r2**3
    expected = [
        x * radial + 2 * 0.002 * x * y + 0.003 * (r2 + 2 * x * x),
        y * radial + 0.002 * (r2 + 2 * y * y) + 2 * 0.003 * x * y,
    ]
    np.testing.assert_allclose(lens.project([2 * x, 2 * y, 2.0]), expected, rtol=1e-14)


def test_undistort_inverts_project():
    points = np.random.default_rng(2).uniform((-0.9, -1.6, 2), (0.9, 1.6, 4), size=(3, 50, 3))
    rays = camera().undistort(camera().project(camera().camera_to_world(points)))
    np.testing.assert_allclose(rays, points[..., :2] / points[..., 2:], atol=1e-10)


def test_undistort_without_distortion_inverts_the_intrinsics():
    np.testing.assert_allclose(camera(distortion=np.zeros(5)).undistort([540.0 + 600 + 0.1, 960 + 242]), (0.5, 0.2))


def test_undistort_gives_nan_where_there_is_no_answer_and_leaves_the_rest_alone():
    barrel = camera(distortion=(-0.3, 0.0, 0.0, 0.0, 0.0))
    pixels = np.array([[540.0, 960.0], [np.nan, 3.0], [1e7, 1e7]])
    rays = barrel.undistort(pixels)
    np.testing.assert_allclose(rays[0], 0, atol=1e-15)
    assert np.isnan(rays[1:]).all()


def test_points_that_are_not_in_front_of_the_camera_have_no_pixel():
    points = camera().camera_to_world([[0.1, 0.2, 3.0], [0.1, 0.2, -3.0], [0.1, 0.2, 0.0]])
    np.testing.assert_array_equal(np.isnan(camera().project(points)), [[False] * 2, [True] * 2, [True] * 2])


def test_camera_and_world_frames_are_inverse():
    points = np.random.default_rng(4).normal(size=(7, 3))
    np.testing.assert_allclose(camera().camera_to_world(camera().world_to_camera(points)), points, atol=1e-14)
    np.testing.assert_allclose(camera().world_to_camera((2.0, -1.0, 1.5)), 0, atol=1e-15)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"rotation": np.eye(4)}, r"rotation of shape \(3, 3\) for camera 'left'. Received: shape=\(4, 4\)"),
        ({"rotation": np.diag([1.0, 1.0, -1.0])}, "Expected a rotation matrix"),
        ({"rotation": 2 * np.eye(3)}, "Expected a rotation matrix"),
        ({"centre": (0.0, np.nan, 1.0)}, "Expected a finite centre"),
        ({"intrinsics": np.diag([1.0, -1.0, 1.0])}, "Expected intrinsics"),
        ({"intrinsics": np.array(INTRINSICS).T}, "Expected intrinsics"),
        ({"distortion": (0.1, 0.2, 0.0, 0.0)}, r"distortion of shape \(5,\)"),
        ({"image_size": (0, 1920)}, "Expected image_size"),
    ],
)
def test_a_camera_that_cannot_be_is_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        camera(**changes)


def test_the_arrays_of_a_camera_are_its_own_and_read_only():
    centre = np.zeros(3)
    own = camera(centre=centre)
    centre[0] = 9
    assert own.centre[0] == 0
    with pytest.raises(ValueError, match="read-only"):
        own.centre[0] = 1


@pytest.mark.real_data
def test_real_cameras_project_the_triangulated_walker_onto_the_detections(shared_data):
    with np.load(shared_data / "pose2sim_balancing" / "balancing.npz", allow_pickle=False) as archive:
        data = dict(archive)
    columns, joints = [], []
    for column, name in enumerate(data["trc_names"]):
        for part in ("Shoulder", "Elbow", "Wrist", "Hip", "Knee", "Ankle"):
            if name[1:] == part:
                columns.append(column)
                joints.append(OPENPOSE_BODY_25B.index({"L": "left_", "R": "right_"}[name[0]] + part.lower()))
    assert len(columns) == 12
    medians = []
    for view in range(4):
        real = Camera(
            f"cam{view + 1}", *(data[key][view] for key in ("R", "C", "K", "dist")), tuple(map(int, data["wh"][view]))
        )
        projected = real.project(data["xyz_trc"][:, columns])
        detected = data["kp2d"][:, view, joints]
        distance = np.linalg.norm(projected - detected[..., :2], axis=-1)[detected[..., 2] > 0.3]
        medians.append(np.median(distance))
        rays = real.world_to_camera(data["xyz_trc"][:, columns])
        np.testing.assert_allclose(real.undistort(projected), rays[..., :2] / rays[..., 2:], atol=1e-10)
        width, height = real.image_size
        corners = real.undistort([[0, 0], [width, 0], [0, height], [width, height]])
        assert np.isfinite(corners).all()
    assert max(medians) < 25, medians
    assert min(medians) < 10, medians
