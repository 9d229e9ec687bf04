"""BVH: kinematics by hand, joints by name, unit and axes, and files that are cut or wrong."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from vvipe_tf.formats.motion_capture.bvh import parse_bvh, read_bvh
from vvipe_tf.formats.motion_capture.bvh_joints import find_joints, split_name
from vvipe_tf.formats.motion_capture.bvh_poses import read_bvh_poses
from vvipe_tf.formats.motion_capture.mocap_archive import read_mocap_archive
from vvipe_tf.geometry.pose_error import p_mpjpe
from vvipe_tf.keypoints import COCO_13, MOCAP_22, map_keypoints

ARM = """HIERARCHY
ROOT upper arm {
  OFFSET 9 9 9
  CHANNELS 6 Xposition Yposition Zposition Zrotation Xrotation Yrotation
  JOINT fore
  {
    OFFSET 2 0 0
    CHANNELS 3 Xrotation Yrotation Zrotation
    End Site
    {
      OFFSET 1 0 0
    }
  }
  JOINT slider
  {
    OFFSET 0 5 7
    CHANNELS 2 Yposition Xrotation
    End Site
    {
      OFFSET 0 0 3
    }
  }
}
MOTION
Frames: 2
Frame Time: 0.04
1 2 3 90 0 0 0 0 90 4 0
0 0 0 30 40 50 60 70 80 -4 90
"""

Y_UP = np.eye(3)
# The standing body of the tests: name, parent, offset in metres, Y up, facing +z, left hand towards +x.
BODY = [
    ("Hips", None, (0, 1, 0)),
    ("Spine", "Hips", (0, 0.22, 0)),
    ("Neck", "Spine", (0, 0.26, 0)),
    ("Head", "Neck", (0, 0.08, 0)),
    *[(f"{side}Shoulder", "Spine", (sign * 0.05, 0.25, 0)) for side, sign in (("Left", 1), ("Right", -1))],
    *[(f"{side}Arm", f"{side}Shoulder", (sign * 0.12, 0, 0)) for side, sign in (("Left", 1), ("Right", -1))],
    *[(f"{side}ForeArm", f"{side}Arm", (sign * 0.28, 0, 0)) for side, sign in (("Left", 1), ("Right", -1))],
    *[(f"{side}Hand", f"{side}ForeArm", (sign * 0.25, 0, 0)) for side, sign in (("Left", 1), ("Right", -1))],
    *[(f"{side}UpLeg", "Hips", (sign * 0.1, 0, 0)) for side, sign in (("Left", 1), ("Right", -1))],
    *[(f"{side}Leg", f"{side}UpLeg", (0, -0.42, 0)) for side in ("Left", "Right")],
    *[(f"{side}Foot", f"{side}Leg", (0, -0.41, 0)) for side in ("Left", "Right")],
]


def body_bvh(body=BODY, frames=3, scale=1.0, axes=Y_UP, head_end=0.0, rotations=None):
    """Text of a BVH file of a body at rest, each joint turned by its rotation (degrees, z x y) if one is given."""
    names = {name for name, _, _ in body}
    order = []

    def lines(name, offset, depth):
        indent = "  " * depth
        x, y, z = scale * axes @ np.array(offset, dtype=float)
        kind = "JOINT" if depth else "ROOT"
        position = "6 Xposition Yposition Zposition " if not depth else "3 "
        order.append(name)
        yield f"{indent}{kind} {name}"
        yield f"{indent}{{"
        yield f"{indent}  OFFSET {x} {y} {z}"
        yield f"{indent}  CHANNELS {position}Zrotation Xrotation Yrotation"
        children = [(child, child_offset) for child, parent, child_offset in body if parent == name]
        for child, child_offset in children:
            yield from lines(child, child_offset, depth + 1)
        if not children:
            x, y, z = scale * axes @ (np.array([0, head_end, 0]) if name == "Head" else np.zeros(3))
            yield f"{indent}  End Site\n{indent}  {{\n{indent}    OFFSET {x} {y} {z}\n{indent}  }}"
        yield f"{indent}}}"

    root, _, offset = body[0]
    hierarchy = "\n".join(lines(root, offset, 0))
    root_position = scale * axes @ np.array(offset, dtype=float)
    values = [*root_position, *(angle for name in order for angle in (rotations or {}).get(name, (0, 0, 0)))]
    motion = "\n".join([" ".join(f"{value:.9f}" for value in values)] * frames)
    assert len(order) == len(names)
    return f"HIERARCHY\n{hierarchy}\nMOTION\nFrames:\t{frames}\nFrame Time:\t0.025\n{motion}\n"


def write(tmp_path, text, name="walk.bvh"):
    path = tmp_path / name
    path.write_text(text)
    return path


def joint(poses, name):
    return poses.capture.poses[:, MOCAP_22.index(name)]


def test_forward_kinematics_by_hand():
    """Frame 0: the root at (1, 2, 3) turned 90 degrees about z; the fore arm turned 90 degrees more."""
    motion = parse_bvh(ARM)
    assert [node.name for node in motion.joints] == [
        "upper arm",
        "fore",
        "fore End Site",
        "slider",
        "slider End Site",
    ]
    assert motion.fps == pytest.approx(25)
    positions, _ = motion.forward_kinematics()
    np.testing.assert_allclose(positions[0], [[1, 2, 3], [1, 4, 3], [0, 4, 3], [-3, 2, 10], [-3, 2, 13]], atol=1e-12)


def test_rotations_apply_in_file_order_and_positions_replace_offsets():
    positions, rotations = parse_bvh(ARM).forward_kinematics()
    root = Rotation.from_euler("ZXY", [30, 40, 50], degrees=True)
    fore = root * Rotation.from_euler("XYZ", [60, 70, 80], degrees=True)
    np.testing.assert_allclose(rotations[1, 1], fore.as_matrix(), atol=1e-12)
    np.testing.assert_allclose(positions[1, 2], root.apply([2, 0, 0]) + fore.apply([1, 0, 0]), atol=1e-12)
    np.testing.assert_allclose(positions[1, 3], root.apply([0, -4, 7]), atol=1e-12)
    np.testing.assert_allclose(positions[1, 4] - positions[1, 3], root.apply([0, -3, 0]), atol=1e-12)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("HIERARCHY", "", "line HIERARCHY"),
        ("MOTION\n", "", "line MOTION"),
        (ARM[ARM.index("MOTION") :], "", "cut short"),
        ("Frames: 2", "Frames: 3", "Expected 3 frames as announced. Received: 2"),
        ("Frames: 2", "Frames: 1", "Expected 1 frames as announced. Received: 2"),
        ("Frames: 2", "Frame count 2", "'Frames: NUMBER'"),
        ("Frame Time: 0.04", "Frame Time: 0", "positive Frame Time"),
        ("Frame Time: 0.04\n", "", "'Frame Time: NUMBER'"),
        ("80 -4 90", "80", "Expected 11 values in each frame. Received: 9 in frame 1"),
        ("1 2 3 90", "1 2 3 x", "Expected numbers in the motion"),
        ("OFFSET 2 0 0", "OFFSET 2 0", "line 7"),
        ("OFFSET 2 0 0\n", "\n", r"none for \['fore'\]"),
        ("CHANNELS 2 Y", "CHANNELS 3 Y", "line 17"),
        ("CHANNELS 2 Y", "CHANNELS 2 W", "line 17"),
        ("JOINT slider", "BONE slider", "line 14"),
        ("JOINT slider", "ROOT slider", "one ROOT"),
        ("}\nMOTION", "MOTION", "1 not closed"),
        ("}\nMOTION", "}\n}\nMOTION", "one too many"),
    ],
)
def test_a_file_that_is_cut_or_wrong_says_where(tmp_path, old, new, message):
    assert old in ARM
    with pytest.raises(ValueError, match=message) as error:
        read_bvh(write(tmp_path, ARM.replace(old, new, 1)))
    assert "walk.bvh" in str(error.value)


def test_a_file_cut_anywhere_is_an_error_never_another_motion(tmp_path):
    text = ARM.rstrip()
    for length in range(0, text.rindex(" "), 11):
        with pytest.raises(ValueError, match="walk.bvh"):
            read_bvh(write(tmp_path, text[:length]))


def test_files_that_cannot_be_read_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="absent.bvh"):
        read_bvh(tmp_path / "absent.bvh")
    (tmp_path / "folder.bvh").mkdir()
    with pytest.raises(ValueError, match="folder.bvh"):
        read_bvh(tmp_path / "folder.bvh")
    (tmp_path / "bytes.bvh").write_bytes(bytes(range(256)))
    with pytest.raises(ValueError, match="bytes.bvh"):
        read_bvh(tmp_path / "bytes.bvh")


@pytest.mark.parametrize(
    ("name", "side", "part"),
    [
        ("mixamorig:LeftUpLeg", "left", "upleg"),
        ("upper_arm.L", "left", "upperarm"),
        ("thigh.R.001", "right", "thigh"),
        ("lShldr", "left", "shldr"),
        ("Bip001 R UpperArm", "right", "upperarm"),
        ("J_Bip_L_LowerLeg", "left", "lowerleg"),
        ("LUArm", "left", "uarm"),
        ("hand_r", "right", "hand"),
        ("rfemur", "right", "femur"),
        ("m_avg_L_Knee", "left", "knee"),
        ("joint_Root", "", "root"),
        ("LowerBack", "", "lowerback"),
    ],
)
def test_names_are_a_side_and_a_part(name, side, part):
    assert split_name(name) == (side, part)


LIMBS = ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")


@pytest.mark.parametrize(
    ("centre", "left", "distractors"),
    [
        ("Hips Neck Head", "LeftArm LeftForeArm LeftHand LeftUpLeg LeftLeg LeftFoot", "LeftShoulder LHipJoint"),
        ("hip neck head", "lShldr lForeArm lHand lThigh lShin lFoot", "lCollar lButtock lThumb1"),
        ("Hips Neck Head", "UpperArm_L LowerArm_L Hand_L UpperLeg_L LowerLeg_L Foot_L", "Shoulder_L Toes_L joint_Root"),
        ("pelvis neck face", "upper_arm.L forearm.L hand.L thigh.L shin.L foot.L", "shoulder.L pelvis.L"),
        ("Hips Neck Head", "LeftShoulder LeftElbow LeftWrist LeftHip LeftKnee LeftAnkle", "LeftCollar LeftToe Chest2"),
        ("Hips Neck Head", "LeftUpperArm LeftForeArm LeftHand LeftUpperLeg LeftLowerLeg LeftFoot", "LeftShoulder"),
        ("Hip Neck Head", "LUArm LFArm LHand LThigh LShin LFoot", "LShoulder LToe Ab"),
        ("pelvis neck head", "left_shoulder left_elbow left_wrist left_hip left_knee left_ankle", "left_foot"),
        ("Pelvis Neck Head", "L_Shoulder L_Elbow L_Wrist L_Hip L_Knee L_Ankle", "L_Collar L_Hand L_Foot"),
        ("pelvis neck_01 head", "upperarm_l lowerarm_l hand_l thigh_l calf_l foot_l", "clavicle_l upperarm_twist_01_l"),
        ("Bip01_Pelvis Bip01_Neck Bip01_Head", "Bip01_L_UpperArm Bip01_L_Forearm Bip01_L_Hand Bip01_L_Thigh "
         "Bip01_L_Calf Bip01_L_Foot", "Bip01 Bip01_L_Clavicle"),
    ],
)  # fmt: skip
def test_the_joints_of_common_skeletons_are_found(centre, left, distractors):
    expected = dict(zip(("pelvis", "neck", "head"), centre.split(), strict=True))
    expected |= {f"left_{part}": name for part, name in zip(LIMBS, left.split(), strict=True)}
    names = [*distractors.split(), *expected.values()]
    found = {part: names[index] for part, index in find_joints(names).items()}
    assert found == expected


@pytest.mark.parametrize("unit", ["mm", "cm", "m", "in"])
@pytest.mark.parametrize("up_axis", ["x", "y", "z"])
def test_unit_and_up_axis_are_guessed(tmp_path, unit, up_axis):
    axes = {
        "x": np.array([[0, 1, 0], [0, 0, 1], [1, 0, 0]]),
        "y": Y_UP,
        "z": np.array([[1, 0, 0], [0, 0, -1], [0, 1, 0]]),
    }[up_axis]
    scale = {"mm": 1000, "cm": 100, "m": 1, "in": 1 / 0.0254}[unit]
    poses = read_bvh_poses(write(tmp_path, body_bvh(scale=scale, axes=axes)))
    assert (poses.unit, poses.up_axis) == (unit, up_axis)
    np.testing.assert_allclose(joint(poses, "left_ankle")[:, 2], 0.17, atol=1e-6)
    np.testing.assert_allclose(joint(poses, "neck")[:, 2], 1.48, atol=1e-6)
    assert poses.capture.fps == pytest.approx(40)
    assert poses.capture.source == tmp_path.name
    assert set(poses.capture.sequence.tolist()) == {"walk"}


def test_the_world_stays_right_handed_and_the_face_looks_forward(tmp_path):
    poses = read_bvh_poses(write(tmp_path, body_bvh(rotations={"Head": (20, -35, 60)})))
    left = joint(poses, "left_hip") - joint(poses, "right_hip")
    up = joint(poses, "neck") - joint(poses, "pelvis")
    forward = np.cross(left, up)
    nose = joint(poses, "nose") - joint(poses, "head")
    cosine = np.sum(nose * forward, axis=-1) / np.linalg.norm(nose, axis=-1) / np.linalg.norm(forward, axis=-1)
    assert (cosine > 0.9).all()
    np.testing.assert_allclose(joint(poses, "left_ear")[:, 0] - joint(poses, "right_ear")[:, 0], 0.3 * 0.48, atol=1e-6)


def test_a_turned_head_turns_the_face(tmp_path):
    text = body_bvh(frames=2)
    head = text.splitlines()[-1].split()
    first_head_angle = 3 + 3 * 4 - 3
    head[first_head_angle + 2] = "60"
    poses = read_bvh_poses(write(tmp_path, text.rsplit("\n", 2)[0] + "\n" + " ".join(head) + "\n"))
    gaze = joint(poses, "nose") - joint(poses, "head")
    turned = Rotation.from_rotvec([0, 0, np.deg2rad(60)]).apply(gaze[0])
    np.testing.assert_allclose(gaze[1], turned, atol=1e-6)


@pytest.mark.parametrize(("end", "expected"), [(0.2, 0.2), (0.02, 0.36 * 0.48)])
def test_an_end_site_is_the_top_of_the_head_only_if_it_is_long_enough(tmp_path, end, expected):
    poses = read_bvh_poses(write(tmp_path, body_bvh(head_end=end)))
    np.testing.assert_allclose(joint(poses, "head_top")[:, 2] - joint(poses, "head")[:, 2], expected, atol=1e-6)


def test_pelvis_and_neck_are_midpoints_where_the_file_has_none(tmp_path):
    renamed = {"Hips": "Body", "Neck": "Cervical"}
    body = [(renamed.get(name, name), renamed.get(parent, parent), offset) for name, parent, offset in BODY]
    poses = read_bvh_poses(write(tmp_path, body_bvh(body)))
    for middle, part in (("pelvis", "hip"), ("neck", "shoulder")):
        middle_of_sides = (joint(poses, f"left_{part}") + joint(poses, f"right_{part}")) / 2
        np.testing.assert_allclose(joint(poses, middle), middle_of_sides, atol=1e-9)


def test_the_spine_is_the_joint_nearest_to_half_way(tmp_path):
    body = [*BODY[:1], ("Low", "Hips", (0, 0.05, 0)), ("Spine", "Low", (0, 0.17, 0)), *BODY[2:]]
    poses = read_bvh_poses(write(tmp_path, body_bvh(body)))
    np.testing.assert_allclose(joint(poses, "spine")[:, 2] - joint(poses, "pelvis")[:, 2], 0.22, atol=1e-6)


def test_joints_that_are_missing_are_named_beside_those_in_the_file(tmp_path):
    body = [(name.replace("LeftLeg", "Strut"), (parent or "").replace("LeftLeg", "Strut") or None, offset)
            for name, parent, offset in BODY]  # fmt: skip
    with pytest.raises(ValueError, match="skeleton with left_knee. Received: joints Hips, .*Strut") as error:
        read_bvh_poses(write(tmp_path, body_bvh(body)))
    assert "walk.bvh" in str(error.value)
    no_spine = [
        (name, "Hips" if parent == "Spine" else parent, offset) for name, parent, offset in BODY if name != "Spine"
    ]
    with pytest.raises(ValueError, match="spine joint between pelvis and neck"):
        read_bvh_poses(write(tmp_path, body_bvh(no_spine)))


def test_a_skeleton_without_a_spine_gives_13_joints_where_that_is_allowed(tmp_path):
    straight = [
        (name, "Hips" if parent == "Spine" else parent, np.add(offset, (0, 0.22, 0)) if parent == "Spine" else offset)
        for name, parent, offset in BODY
        if name != "Spine"
    ]
    whole = read_bvh_poses(write(tmp_path, body_bvh()), need_spine=False)
    found = read_bvh_poses(write(tmp_path, body_bvh(straight)), need_spine=False)
    assert (whole.capture.profile, found.capture.profile) == (MOCAP_22, COCO_13)
    expected = map_keypoints(whole.capture.poses, MOCAP_22, COCO_13)
    np.testing.assert_allclose(found.capture.poses, expected, atol=1e-6)


def test_a_nose_of_its_own_is_taken_as_it_is(tmp_path):
    poses = read_bvh_poses(write(tmp_path, body_bvh([*BODY, ("Nose", "Head", (0.01, 0.05, 0.13))])))
    np.testing.assert_allclose(joint(poses, "nose") - joint(poses, "head"), [[0.01, -0.13, 0.05]] * 3, atol=1e-6)


def test_a_frame_that_is_not_finite_becomes_a_lost_pose(tmp_path):
    lines = body_bvh(frames=3).splitlines()
    lines[-3] = lines[-3].replace(lines[-3].split()[5], "nan", 1)
    poses = read_bvh_poses(write(tmp_path, "\n".join(lines)))
    lost = np.isnan(poses.capture.poses).all(axis=(1, 2))
    assert lost.tolist() == [True, False, False]
    assert np.isfinite(poses.capture.poses[1:]).all()


def test_a_motion_without_a_single_finite_frame_is_an_error(tmp_path):
    with pytest.raises(ValueError, match="Received: none of 0"):
        read_bvh_poses(write(tmp_path, body_bvh(frames=0)))


@pytest.mark.parametrize("flags", [{"up_axis": "w"}, {"unit": "yd"}])
def test_an_unknown_unit_or_axis_is_an_error(tmp_path, flags):
    with pytest.raises(ValueError, match="Expected an up axis among"):
        read_bvh_poses(write(tmp_path, body_bvh()), **flags)


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("sample", "archive", "sequence"),
    [
        ("bandai_dataset-1_bye_feminine_001", "bandai_namco/bandai1_10fps", "dataset-1_bye_feminine_001"),
        ("bandai_dataset-1_walk-left_tired_001", "bandai_namco/bandai1_10fps", "dataset-1_walk-left_tired_001"),
        ("reactidle_003_genuine", "reactidle/reactidle_10fps", "003_genuine"),
    ],
)
def test_real_files_give_the_positions_of_the_archives(shared_data, sample, archive, sequence):
    """Body joints agree in the world itself, to a micrometre; the face is approximate in both."""
    poses = read_bvh_poses(shared_data / "bvh_samples" / f"{sample}.bvh").capture.poses
    capture = read_mocap_archive(shared_data / f"{archive}.npz")
    chosen = capture.sequence == sequence
    expected, poses = capture.poses[chosen], poses[capture.frame[chosen]]
    body = [MOCAP_22.index(name) for name in (*COCO_13.keypoint_names[1:], "pelvis", "spine", "neck", "head")]
    np.testing.assert_allclose(poses[:, body], expected[:, body], atol=1e-6)
    assert p_mpjpe(poses[:, body], expected[:, body]).max() < 1e-6
    assert p_mpjpe(poses, expected).mean() < 0.02
