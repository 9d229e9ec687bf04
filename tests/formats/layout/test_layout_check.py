"""Wrong joint orders are found; true ones, acrobats and people lying down are left alone."""

import numpy as np
import pytest

from vvipe_tf.formats.detections.detection_table import DetectionTable
from vvipe_tf.formats.layout.finding import LayoutFinding
from vvipe_tf.formats.layout.layout_check import check_layout, sides_checked
from vvipe_tf.keypoints import COCO_13, COCO_17, H36M_17, MOCAP_22, OPENPOSE_BODY_25, OPENPOSE_BODY_25B, map_keypoints

_NAMES = COCO_17.keypoint_names
_BODY = {
    "nose": (0.2, 0, 1.35),
    "eye": (0.17, 0.06, 1.42),
    "ear": (0.02, 0.14, 1.4),
    "head": (0.05, 0, 1.45),
    "head_top": (0.05, 0, 1.7),
    "neck": (0, 0, 1.0),
    "spine": (0, 0, 0.5),
    "pelvis": (0, 0, 0),
    "shoulder": (0, 0.36, 1.0),
    "hip": (0, 0.2, 0),
}


def walker(frames, profile=COCO_17, azimuth=None, seed=0, noise=0.01):
    """Pixels (frames, joints, 2) of somebody walking in place while turning, seen by a level camera."""
    rng = np.random.default_rng(seed)
    phase = np.linspace(0, 4 * np.pi, frames) + rng.uniform(0, 6)
    turn = np.linspace(0, 2 * np.pi, frames) + rng.uniform(0, 6) if azimuth is None else np.full(frames, azimuth)
    pose = np.zeros((frames, MOCAP_22.num_joints, 3))
    for name in MOCAP_22.keypoint_names:
        part, side = name.removeprefix("left_").removeprefix("right_"), -1 if name.startswith("right_") else 1
        swing = 0.5 * np.sin(phase + (0 if side > 0 else np.pi))
        if part in _BODY:
            x, y, z = _BODY[part]
            joint = np.tile([x, side * y, z], (frames, 1))
        elif part in ("elbow", "wrist"):
            shoulder = np.array([0, side * 0.36, 1.0])
            upper = np.stack([-np.sin(swing), np.full(frames, side * 0.25), -np.cos(swing)], axis=-1) * 0.58
            bent = -swing + 0.5
            fore = np.stack([np.sin(bent), np.full(frames, 0.05 * side), -np.cos(bent)], axis=-1) * 0.5
            joint = shoulder + upper + (fore if part == "wrist" else 0)
        else:
            hip = np.array([0, side * 0.2, 0])
            thigh = np.stack([np.sin(swing), np.zeros(frames), -np.cos(swing)], axis=-1) * 0.85
            flexed = swing - 0.3 - 0.3 * np.cos(phase)
            shank = np.stack([np.sin(flexed), np.zeros(frames), -np.cos(flexed)], axis=-1) * 0.82
            joint = hip + thigh + (shank if part == "ankle" else 0)
        pose[:, MOCAP_22.index(name)] = joint
    pose += rng.normal(0, noise, pose.shape)
    # The camera's right and down of somebody turned by `turn`; at 0 the person faces the camera.
    right = pose[..., 1] * np.cos(turn)[:, None] + pose[..., 0] * np.sin(turn)[:, None]
    depth = 8 - pose[..., 0] * np.cos(turn)[:, None] + pose[..., 1] * np.sin(turn)[:, None]
    points = np.stack([right / depth, -pose[..., 2] / depth], axis=-1) * 1500 + 600
    return map_keypoints(points, MOCAP_22, profile)


@pytest.mark.parametrize("profile", [COCO_13, COCO_17, H36M_17], ids=lambda profile: profile.name)
@pytest.mark.parametrize("frames", [1, 4, 60])
def test_a_true_order_is_left_alone(profile, frames):
    for seed in range(8):
        assert check_layout(walker(frames, profile, seed=seed), None, profile) == ()


@pytest.mark.parametrize(("true", "claimed"), [(H36M_17, COCO_17), (COCO_17, H36M_17)])
@pytest.mark.parametrize("frames", [1, 60])
def test_another_profile_of_the_same_size_is_named(true, claimed, frames):
    points = walker(frames, true)
    (finding,) = check_layout(points, None, claimed)
    assert finding.kind == "joint_order"
    assert finding.profile is true
    assert finding.confidence > 0.8
    assert true.name in finding.message


def test_a_permuted_order_is_found_with_its_permutation():
    parts = np.array([name.removeprefix("left_").removeprefix("right_") for name in COCO_17.keypoint_names])
    for seed in range(5):
        order = np.random.default_rng(seed).permutation(17)
        (finding,) = check_layout(walker(80, seed=seed)[:, order], None, COCO_17)
        assert finding.kind == "joint_order"
        assert finding.profile is None
        mended = order[finding.permutation]
        np.testing.assert_array_equal(parts[mended][5:], parts[5:])  # sides and the face cannot be told apart
        assert set(mended[:5]) == set(range(5))


def test_limbs_grouped_by_side_are_found():
    order = np.arange(17)
    order[5:] = order[5:].reshape(6, 2).T.ravel()
    findings = check_layout(walker(60)[:, order], None, COCO_17)
    assert [finding.kind for finding in findings] == ["joint_order"]
    np.testing.assert_array_equal(order[findings[0].permutation][5:], np.arange(5, 17))


@pytest.mark.parametrize("pair", [("elbow", "wrist"), ("knee", "ankle")])
def test_joints_exchanged_in_both_limbs_are_mended(pair):
    order = np.arange(17)
    for side in ("left_", "right_"):
        a, b = (COCO_17.index(side + part) for part in pair)
        order[[a, b]] = order[[b, a]]
    findings = check_layout(walker(60)[:, order], None, COCO_17)
    assert findings[0].kind == "limb_order"
    np.testing.assert_array_equal(order[findings[0].permutation], np.arange(17))


@pytest.mark.parametrize("parts", [("nose", "eye", "ear"), ("hip", "knee", "ankle")])
def test_sides_that_disagree_within_the_body_are_found(parts):
    moving = [name.removeprefix("left_").removeprefix("right_") in parts for name in COCO_17.keypoint_names]
    order = np.where(moving, COCO_17.flip_indices, np.arange(17))
    findings = check_layout(walker(60)[:, order], None, COCO_17)
    assert "left_right" in [finding.kind for finding in findings]


def test_sides_exchanged_everywhere_show_only_in_a_detectors_scores():
    flip = COCO_17.flip_indices
    points = walker(40, azimuth=0.2)
    scores = np.random.default_rng(0).uniform(0.6, 0.95, points.shape[:2])
    assert check_layout(points, scores, COCO_17) == ()
    assert check_layout(points[:, flip], None, COCO_17) == ()  # a mirror image: undecidable
    (finding,) = check_layout(points[:, flip], scores[:, flip], COCO_17)
    assert finding.kind == "left_right"
    np.testing.assert_array_equal(flip[finding.permutation], np.arange(17))


def _scores(points, front, seed=0):
    """Scores of a face that is seen, or of the back of a head."""
    scores = np.random.default_rng(seed).uniform(0.7, 0.8, points.shape[:2])
    if not front:
        scores[:, :3] = 0.1
    return scores


@pytest.mark.parametrize("azimuth", [0.2, np.pi - 0.3], ids=["front", "back"])
@pytest.mark.parametrize("frames", [1, 40])
def test_scores_tell_exchanged_sides_from_the_front_and_from_the_back(azimuth, frames):
    points = walker(frames, azimuth=azimuth)
    scores = _scores(points, azimuth < 1)
    assert check_layout(points, scores, COCO_17) == ()
    (finding,) = check_layout(points[:, COCO_17.flip_indices], scores, COCO_17)
    assert finding.kind == "left_right"
    assert (finding.confidence >= 0.8) == (frames > 1)
    assert finding.likely_order(COCO_17) == "every left joint exchanged with its right one"


@pytest.mark.parametrize("kind", ["y_up", "transposed"])
def test_a_mirror_image_proves_that_the_picture_is_turned_over(kind):
    points = walker(40, azimuth=0.2)
    scores = _scores(points, front=True)
    turned = points[..., ::-1] if kind == "transposed" else points * [1, -1]
    rotated = points[..., ::-1] * [1, -1] if kind == "transposed" else -points
    (finding,) = check_layout(turned, scores, COCO_17)
    assert finding.kind == kind
    assert finding.confidence >= 0.8
    if kind == "transposed":  # a turned camera, or somebody lying: no mirror image
        assert check_layout(rotated, scores, COCO_17)[0].confidence < 0.8


def test_whether_the_sides_were_checked_depends_on_the_scores():
    points = walker(12, azimuth=0.2).astype(np.float32)
    scores = _scores(points, front=True).astype(np.float32)
    frames, nobody = np.arange(12), np.full(12, -1)
    assert sides_checked(DetectionTable(points, scores, COCO_17, frames, nobody, "test"))
    assert not sides_checked(DetectionTable(points, np.ones_like(scores), COCO_17, frames, nobody, "test"))
    body = map_keypoints(points, COCO_17, COCO_13)
    assert not sides_checked(DetectionTable(body, scores[:, :13], COCO_13, frames, nobody, "test"))


@pytest.mark.parametrize("frames", [1, 3, 12])
def test_no_random_order_goes_unnoticed(frames):
    for seed in range(40):
        order = np.random.default_rng(seed).permutation(17)
        findings = check_layout(walker(frames, seed=seed)[:, order], None, COCO_17, find_permutation=False)
        assert findings, seed


@pytest.mark.parametrize("frames", [1, 30])
def test_two_joints_exchanged_far_apart_stretch_their_bones(frames):
    order = np.arange(17)
    order[[0, 9]] = order[[9, 0]]
    findings = check_layout(walker(frames, azimuth=0.3)[:, order], None, COCO_17)
    assert "too long for the rest of the body" in " ".join(finding.message for finding in findings)
    assert (findings[0].confidence >= 0.8) == (frames == 30)


def test_exchanged_legs_are_noticed_in_a_single_frame_and_named():
    moving = [name.removeprefix("left_").removeprefix("right_") in ("hip", "knee", "ankle") for name in _NAMES]
    order = np.where(moving, COCO_17.flip_indices, np.arange(17))
    (finding,) = check_layout(walker(1, azimuth=0.3)[:, order], None, COCO_17)
    assert finding.confidence < 0.8
    assert finding.likely_order(COCO_17) == (
        "left_hip exchanged with right_hip, left_knee exchanged with right_knee, left_ankle exchanged with right_ankle"
    )


def test_exchanged_arms_are_told_from_exchanged_legs_by_the_scores():
    moving = [name.removeprefix("left_").removeprefix("right_") in ("shoulder", "elbow", "wrist") for name in _NAMES]
    order = np.where(moving, COCO_17.flip_indices, np.arange(17))
    points = walker(40, azimuth=0.3)
    findings = check_layout(points[:, order], _scores(points, front=True), COCO_17)
    likely = next(each.likely_order(COCO_17) for each in findings if "shoulders and hips" in each.message)
    assert likely.startswith("left_shoulder exchanged with right_shoulder")


def test_an_order_in_words_names_what_is_where():
    permutation = np.arange(17)
    permutation[[0, 5, 6]] = [5, 6, 0]
    finding = LayoutFinding("joint_order", 0.9, "", permutation=permutation)
    expected = (
        "nose where left_shoulder is due, left_shoulder where right_shoulder is due, right_shoulder where nose is due"
    )
    assert finding.likely_order(COCO_17) == expected
    assert LayoutFinding("joint_order", 0.9, "").likely_order(COCO_17) is None


def test_y_up_is_certain_once_there_are_enough_frames():
    points = walker(40)
    points[..., 1] *= -1
    (finding,) = check_layout(points, None, COCO_17)
    assert finding.kind == "y_up"
    assert finding.confidence > 0.8
    (finding,) = check_layout(points[:3], None, COCO_17)
    assert finding.kind == "y_up"
    assert finding.confidence < 0.8


def test_exchanged_axes_are_found_by_boxes_or_by_the_pictures_size():
    points = walker(20) + [500, 0]
    low, high = points.min(axis=1), points.max(axis=1)
    box = np.concatenate([low, high - low], axis=1)
    assert check_layout(points, None, COCO_17, box=box, image_size=(1300, 950)) == ()
    turned = points[..., ::-1]
    assert [each.kind for each in check_layout(turned, None, COCO_17, box=box)] == ["transposed"]
    assert [each.kind for each in check_layout(turned, None, COCO_17, image_size=(1300, 950))] == ["transposed"]
    (finding,) = check_layout(turned, None, COCO_17)  # somebody lying down looks the same
    assert finding.kind == "transposed"
    assert finding.confidence < 0.8


def test_missing_joints_and_nobody_at_all_are_no_reason_to_warn():
    points = walker(30)
    scores = np.random.default_rng(1).uniform(0, 1, points.shape[:2]).round()
    assert check_layout(points * scores[..., None], scores, COCO_17) == ()
    assert check_layout(points[:0], None, COCO_17) == ()
    assert check_layout(points, np.zeros_like(scores), COCO_17) == ()
    assert check_layout(np.zeros_like(points), None, COCO_17) == ()


def test_wrong_shapes_are_refused():
    with pytest.raises(ValueError, match=r"\(detections, 17, 2\) for COCO_17"):
        check_layout(np.zeros((4, 16, 2)), None, COCO_17)
    with pytest.raises(ValueError, match="finite"):
        check_layout(np.full((4, 17, 2), np.nan), None, COCO_17)


def _one_view(xyz, rng):
    centred = xyz - xyz[:1, MOCAP_22.index("pelvis") : MOCAP_22.index("pelvis") + 1]
    azimuth, elevation = rng.uniform(-np.pi, np.pi), rng.uniform(-0.3, 0.6)
    back = np.array([np.cos(elevation) * np.cos(azimuth), np.cos(elevation) * np.sin(azimuth), np.sin(elevation)])
    right = np.cross(-back, [0, 0, 1.0])
    right /= np.linalg.norm(right)
    camera = centred @ np.stack([right, np.cross(-back, right), -back]).T
    return camera[..., :2] / (camera[..., 2:] + 6) * 1500 + 600


@pytest.mark.real_data
def test_acrobats_and_people_lying_down_raise_no_warning(shared_data):
    archive = np.load(shared_data / "deepmimic" / "deepmimic_10fps.npz", allow_pickle=False)
    rng = np.random.default_rng(2)
    for sequence in np.unique(archive["seq"]):
        xyz = archive["xyz"][archive["seq"] == sequence].astype(float)
        for _ in range(3):
            points = _one_view(xyz, rng)[:, :17]
            findings = check_layout(points, None, COCO_17)
            assert findings == (), (archive["names"][sequence], findings)


@pytest.mark.real_data
def test_real_detections_are_true_and_their_permutations_are_not(shared_data):
    joints = np.load(shared_data / "pose2sim_balancing" / "balancing.npz", allow_pickle=False)["kp2d"]
    for camera in range(4):
        points, scores = joints[:, camera, :, :2], joints[:, camera, :, 2]
        assert check_layout(points, scores, OPENPOSE_BODY_25B) == ()
        (finding,) = check_layout(points, scores, OPENPOSE_BODY_25)
        assert finding.profile is OPENPOSE_BODY_25B
        order = np.random.default_rng(camera).permutation(25)
        assert check_layout(points[:, order], scores[:, order], OPENPOSE_BODY_25B)[0].kind == "joint_order"
        mirrored = joints[:, camera][:, OPENPOSE_BODY_25B.flip_indices]
        (finding,) = check_layout(mirrored[..., :2], mirrored[..., 2], OPENPOSE_BODY_25B)
        assert (finding.kind, finding.confidence >= 0.8) == ("left_right", True)
        for turned, kind in ((points * [1, -1], "y_up"), (points[..., ::-1], "transposed")):
            (finding,) = check_layout(turned, scores, OPENPOSE_BODY_25B)
            assert (finding.kind, finding.confidence >= 0.8) == (kind, True)


@pytest.mark.real_data
def test_single_frames_of_real_detections_are_rarely_suspected_and_their_mirror_images_mostly(shared_data):
    joints = np.load(shared_data / "pose2sim_balancing" / "balancing.npz", allow_pickle=False)["kp2d"].reshape(
        -1, 25, 3
    )
    flip = OPENPOSE_BODY_25B.flip_indices
    true, mirrored = (
        [check_layout(each[None, :, :2], each[None, :, 2], OPENPOSE_BODY_25B) for each in frames]
        for frames in (joints, joints[:, flip])
    )
    assert np.mean([bool(each) for each in true]) < 0.05
    assert all(finding.confidence < 0.8 for each in true for finding in each)
    assert np.mean([bool(each) for each in mirrored]) > 0.85
