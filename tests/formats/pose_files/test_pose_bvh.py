"""BVH out: read back with forward kinematics of its own, and with the project's reader."""

import re

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from vvipe_tf.formats.motion_capture.bvh import read_bvh
from vvipe_tf.formats.motion_capture.bvh_poses import read_bvh_poses
from vvipe_tf.formats.pose_files.bvh_skeleton import fit_skeleton, hierarchy_of, swing
from vvipe_tf.formats.pose_files.pose_bvh import write_bvh
from vvipe_tf.formats.pose_files.pose_sequence import PoseSequence
from vvipe_tf.keypoints import COCO_13, H36M_17, MOCAP_22, map_keypoints

_LIMBS = ("Arm", "ForeArm", "Hand", "UpLeg", "Leg", "Foot")


def articulated(frames, profile, seed=0):
    """Poses in metres, Z up, of a body with constant bones that moves wildly: built joint by joint."""
    rng = np.random.default_rng(seed)

    def turned(vector, spread):
        return Rotation.from_rotvec(rng.normal(0, spread, (frames, 3))).apply(np.tile(vector, (frames, 1)))

    body = Rotation.from_rotvec(rng.normal(0, 1.0, (frames, 3)))
    place = {"pelvis": np.cumsum(rng.normal(0, 0.1, (frames, 3)), axis=0)}
    for side, y in (("left", 0.13), ("right", -0.13)):
        place[f"{side}_hip"] = place["pelvis"] + body.apply(np.tile([0, y, 0], (frames, 1)))
    place["spine"] = place["pelvis"] + body.apply(turned([0, 0, 0.24], 0.2))
    place["neck"] = place["spine"] + body.apply(turned([0, 0, 0.26], 0.2))
    trunk = place["neck"] - place["spine"]
    across = np.cross(trunk, body.apply(turned([1.0, 0, 0], 0.3)))
    across *= 0.18 / np.linalg.norm(across, axis=-1, keepdims=True)
    place["left_shoulder"], place["right_shoulder"] = place["neck"] + across, place["neck"] - across
    place["nose"] = place["neck"] + body.apply(turned([0.1, 0, 0.2], 0.3))
    place["head_top"] = place["nose"] + body.apply(turned([-0.05, 0, 0.2], 0.3))
    for side in ("left", "right"):
        for upper, lower, length in (("shoulder", "elbow", 0.3), ("elbow", "wrist", 0.25)):
            place[f"{side}_{lower}"] = place[f"{side}_{upper}"] + turned([0, 0, -length], 1.0)
        for upper, lower, length in (("hip", "knee", 0.45), ("knee", "ankle", 0.43)):
            place[f"{side}_{lower}"] = place[f"{side}_{upper}"] + turned([0, 0, -length], 1.0)
    return np.stack([place[name] for name in profile.keypoint_names], axis=1)


def read_back(path):
    """Joint names, parents, offsets, and positions (frames, joints, 3) by SciPy rotations: an oracle of its own."""
    head, motion = path.read_text().split("MOTION\n")
    names, parents, offsets, stack = [], [], [], []
    for line in head.splitlines():
        words = line.split()
        if words[0] in ("ROOT", "JOINT"):
            parents.append(stack[-1] if stack else -1)
            stack.append(len(names))
            names.append(words[1])
        elif words[0] == "End":
            stack.append(None)
        elif words[0] == "OFFSET" and stack[-1] is not None:
            offsets.append([float(word) for word in words[1:]])
        elif words[0] == "}":
            stack.pop()
    lines = motion.splitlines()
    frames = int(re.match(r"Frames: (\d+)", lines[0]).group(1))
    frame_time = float(lines[1].removeprefix("Frame Time: "))
    values = np.array([[float(word) for word in line.split()] for line in lines[2:]])
    assert values.shape == (frames, 3 + 3 * len(names))
    places, turns = [], []
    for number, parent in enumerate(parents):
        local = Rotation.from_euler("ZXY", values[:, 3 + 3 * number : 6 + 3 * number], degrees=True)
        places.append(values[:, :3] if parent < 0 else places[parent] + turns[parent].apply(offsets[number]))
        turns.append(local if parent < 0 else turns[parent] * local)
    return names, np.array(offsets), np.stack(places, axis=1), frame_time, values


@pytest.mark.parametrize("profile", [COCO_13, H36M_17], ids=lambda profile: profile.name)
def test_a_body_of_constant_bones_comes_back_exactly(tmp_path, profile):
    poses = articulated(23, profile)
    sequence = PoseSequence(poses, profile, "world", "m", fps=50.0)
    if profile is COCO_13:  # its trunk is one bone, whose length changes as the spine bends
        poses = poses.copy()
    fit = write_bvh(tmp_path / "motion.bvh", sequence)
    names, _, places, frame_time, _ = read_back(tmp_path / "motion.bvh")
    assert frame_time == pytest.approx(0.02)
    x, y, z = np.moveaxis(poses, -1, 0)
    truth = np.stack([x, z, -y], axis=-1) * 100
    errors = []
    for joint in hierarchy_of(profile):
        expected = truth[:, list(profile.sources_of(joint.position))].mean(axis=1)
        errors.append(np.linalg.norm(places[:, names.index(joint.name)] - expected, axis=-1) * 10)
    np.testing.assert_allclose(np.mean(errors), fit.mean_error_mm, atol=0.01)
    np.testing.assert_allclose(np.max(errors), fit.max_error_mm, atol=0.01)
    if profile is H36M_17:
        assert fit.max_error_mm < 0.01
    else:
        assert fit.mean_error_mm < 15


def test_bones_have_one_length_and_the_fit_error_is_told(tmp_path):
    rng = np.random.default_rng(5)
    poses = articulated(31, COCO_13) * rng.uniform(0.9, 1.1, (31, 1, 1))
    fit = write_bvh(tmp_path / "motion.bvh", PoseSequence(poses, COCO_13, "world", "m"))
    assert 5 < fit.mean_error_mm < fit.max_error_mm
    names, offsets, places, _, _ = read_back(tmp_path / "motion.bvh")
    thigh = np.linalg.norm(places[:, names.index("LeftLeg")] - places[:, names.index("LeftUpLeg")], axis=-1)
    expected = np.median(np.linalg.norm(poses[:, 9] - poses[:, 7], axis=-1)) * 100
    np.testing.assert_allclose(thigh, expected, atol=1e-4)
    np.testing.assert_allclose(np.linalg.norm(offsets[names.index("LeftLeg")]), expected, atol=1e-4)
    assert fit.joint_errors_mm["Hips"] == pytest.approx(0, abs=1e-6)


def test_torso_units_become_centimetres(tmp_path):
    poses = articulated(4, COCO_13)
    write_bvh(tmp_path / "a.bvh", PoseSequence(poses, COCO_13, torso_length_mm=500.0))
    write_bvh(tmp_path / "b.bvh", PoseSequence(poses * 0.5, COCO_13, unit="m"))
    assert (tmp_path / "a.bvh").read_text() == (tmp_path / "b.bvh").read_text()


def test_rotations_have_no_jumps_of_a_full_turn(tmp_path):
    angles = np.linspace(0, 6 * np.pi, 90)
    poses = Rotation.from_rotvec(np.outer(angles, [0, 0, 1])).as_matrix() @ articulated(1, H36M_17)[0].T
    write_bvh(tmp_path / "turn.bvh", PoseSequence(np.swapaxes(poses, 1, 2), H36M_17, "world", "m"))
    values = read_back(tmp_path / "turn.bvh")[4]
    assert np.abs(np.diff(values[:, 3:6], axis=0)).max() < 60


def test_the_smallest_rotation_reaches_its_target():
    rest = np.array([0.0, 0.8, 0.6])
    target = np.concatenate([np.random.default_rng(0).normal(size=(20, 3)), [-rest, rest, np.zeros(3), -rest + 1e-8]])
    rotation = swing(rest, target)
    np.testing.assert_allclose(np.linalg.det(rotation), 1, atol=1e-9)
    np.testing.assert_allclose(rotation @ np.swapaxes(rotation, 1, 2), np.tile(np.eye(3), (24, 1, 1)), atol=1e-7)
    np.testing.assert_allclose(
        (rotation @ rest)[:22] * np.linalg.norm(target[:22], axis=1)[:, None], target[:22], atol=1e-7
    )
    np.testing.assert_allclose(rotation[22], np.eye(3), atol=1e-12)


def test_collapsed_poses_are_written_without_nan(tmp_path):
    fit = write_bvh(tmp_path / "flat.bvh", PoseSequence(np.zeros((3, 13, 3)), COCO_13))
    assert fit.max_error_mm == 0
    assert "nan" not in (tmp_path / "flat.bvh").read_text()


def test_no_poses_are_refused_and_leave_no_file(tmp_path):
    with pytest.raises(ValueError, match="at least one pose"):
        write_bvh(tmp_path / "none.bvh", PoseSequence(np.zeros((0, 13, 3)), COCO_13))
    assert list(tmp_path.iterdir()) == []


def test_the_projects_reader_agrees(tmp_path):
    sequence = PoseSequence(articulated(9, H36M_17, seed=3), H36M_17, "world", "m", fps=25.0)
    write_bvh(tmp_path / "motion.bvh", sequence)
    motion = read_bvh(tmp_path / "motion.bvh")
    positions, _ = motion.forward_kinematics()
    names = [joint.name for joint in motion.joints]
    fit = fit_skeleton(sequence)
    for number, joint in enumerate(fit.joints):
        np.testing.assert_allclose(positions[:, names.index(joint.name)], fit.fitted[:, number] * 100, atol=1e-3)


@pytest.mark.parametrize("profile", [COCO_13, H36M_17], ids=lambda profile: profile.name)
def test_what_was_written_is_read_as_poses_with_the_nose_where_it_was(tmp_path, profile):
    standing = np.repeat(articulated(1, profile, seed=4), 6, axis=0)
    written = standing + np.arange(6.0)[:, None, None] * [0.2, 0, 0]
    write_bvh(tmp_path / "motion.bvh", PoseSequence(written, profile, "world", "m"))
    found = read_bvh_poses(tmp_path / "motion.bvh", up_axis="y", unit="cm", need_spine=False).capture
    assert found.profile is (COCO_13 if profile is COCO_13 else MOCAP_22)
    body = map_keypoints(found.poses, found.profile, COCO_13)
    np.testing.assert_allclose(body, map_keypoints(written, profile, COCO_13), atol=1e-6)


@pytest.mark.real_data
def test_real_motion_loses_little(shared_data, tmp_path):
    archive = np.load(shared_data / "bandai_namco" / "bandai1_10fps.npz", allow_pickle=False)
    xyz = archive["xyz"][archive["seq"] == archive["seq"][0]].astype(float)
    for profile, limit in ((COCO_13, 25), (H36M_17, 15)):
        poses = map_keypoints(xyz, MOCAP_22, profile)
        fit = write_bvh(tmp_path / f"{profile.name}.bvh", PoseSequence(poses, profile, "world", "m", fps=10.0))
        assert fit.mean_error_mm < limit, (profile.name, fit)
