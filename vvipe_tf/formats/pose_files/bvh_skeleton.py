"""The BVH hierarchy that poses are fitted to: joints, constant offsets, and rotations from positions.

Rest pose: T-pose, Y up, facing +Z, left towards +X. Two joints, hips and chest, turn as rigid bodies (their axis runs
from right to left, their height towards the next joint of the trunk); every other joint swings its one bone by the
smallest rotation. Bones keep the median length of the sequence. The head stands where the nose is, for the poses have
no joint of its own; a joint of that name says so to readers that tell the two apart.
"""

from dataclasses import dataclass

import numpy as np

from vvipe_tf.formats.pose_files.pose_sequence import PoseSequence
from vvipe_tf.keypoints import KeypointProfile


@dataclass(frozen=True)
class SkeletonJoint:
    """One joint of the hierarchy.

    Args:
        name: Name in the file.
        parent: Name of the parent, `None` for the root.
        position: Joint of the poses that it stands at (`pelvis` and `neck` may be midpoints).
        aims_at: Joint of the poses towards which its bone points; `None` for a rigid body or an end.
        sides: Left and right joint of a rigid body, or `None`.
        rest: Direction of its bone in the rest pose.
    """

    name: str
    parent: str | None
    position: str
    aims_at: str | None = None
    sides: tuple[str, str] | None = None
    rest: tuple[float, float, float] = (0.0, 1.0, 0.0)


def hierarchy_of(profile: KeypointProfile) -> tuple[SkeletonJoint, ...]:
    """Joints from the root outwards, parents first; spine and head top only where the profile has them."""
    joints = [SkeletonJoint("Hips", None, "pelvis", sides=("left_hip", "right_hip"))]
    chest_parent = "Spine"
    if profile.has("spine"):
        joints += [SkeletonJoint("Spine", "Hips", "pelvis", "spine"), SkeletonJoint("Spine1", "Spine", "spine", "neck")]
        chest_parent = "Spine1"
    else:
        joints.append(SkeletonJoint("Spine", "Hips", "pelvis", "neck"))
    joints.append(SkeletonJoint("Chest", chest_parent, "neck", sides=("left_shoulder", "right_shoulder")))
    joints.append(SkeletonJoint("Neck", "Chest", "neck", "nose", rest=(0.0, 0.8, 0.6)))
    if profile.has("head_top") and profile.index("head_top") != profile.index("nose"):
        joints.append(SkeletonJoint("Head", "Neck", "nose", "head_top", rest=(0.0, 0.8, -0.6)))
        joints.append(SkeletonJoint("HeadTop", "Head", "head_top"))
    else:
        joints.append(SkeletonJoint("Head", "Neck", "nose"))
    joints.append(SkeletonJoint("Nose", "Head", "nose"))
    for side, x in (("Left", 1.0), ("Right", -1.0)):
        low = side.lower()
        out, down = (x, 0.0, 0.0), (0.0, -1.0, 0.0)
        joints += [
            SkeletonJoint(f"{side}Arm", "Chest", f"{low}_shoulder", f"{low}_elbow", rest=out),
            SkeletonJoint(f"{side}ForeArm", f"{side}Arm", f"{low}_elbow", f"{low}_wrist", rest=out),
            SkeletonJoint(f"{side}Hand", f"{side}ForeArm", f"{low}_wrist"),
        ]
    for side in ("Left", "Right"):
        low = side.lower()
        joints += [
            SkeletonJoint(f"{side}UpLeg", "Hips", f"{low}_hip", f"{low}_knee", rest=down),
            SkeletonJoint(f"{side}Leg", f"{side}UpLeg", f"{low}_knee", f"{low}_ankle", rest=down),
            SkeletonJoint(f"{side}Foot", f"{side}Leg", f"{low}_ankle"),
        ]
    return tuple(joints)


@dataclass(frozen=True)
class BvhMotionFit:
    """A skeleton of constant bones and its motion.

    Args:
        joints: The hierarchy, parents first.
        offsets: Offset of each joint from its parent (joints, 3), in metres.
        root: Position of the root (frames, 3), in metres, Y up.
        rotations: Rotation of each joint in its parent's frame (joints, frames, 3, 3), acting on column vectors.
        fitted: Positions of the joints as the file will show them (frames, joints, 3).
        errors: Distance of each joint from where the pose had it (frames, joints), in metres.
    """

    joints: tuple[SkeletonJoint, ...]
    offsets: np.ndarray
    root: np.ndarray
    rotations: np.ndarray
    fitted: np.ndarray
    errors: np.ndarray


def fit_skeleton(sequence: PoseSequence) -> BvhMotionFit:
    """Fits constant bones and rotations to poses.

    Args:
        sequence: Poses of one person in order of time; the profile needs the joints of COCO_13.

    Returns:
        The fit, in metres and Y up, with its errors.

    Raises:
        ValueError: If there are no poses, or the profile lacks a joint.
    """
    if not len(sequence):
        raise ValueError("Expected at least one pose for a BVH file. Received: none")
    profile = sequence.profile
    points = sequence.metres_y_up()
    place = {}
    joints = hierarchy_of(profile)
    for name in {each for joint in joints for each in (joint.position, joint.aims_at) if each}:
        place[name] = points[:, list(profile.sources_of(name))].mean(axis=1)
    index = {joint.name: number for number, joint in enumerate(joints)}
    spine_end = "spine" if profile.has("spine") else "neck"
    offsets = np.zeros((len(joints), 3))
    world = np.empty((len(joints), len(points), 3, 3))
    rotations = np.empty_like(world)
    fitted = np.empty((len(points), len(joints), 3))
    for number, joint in enumerate(joints):
        if joint.parent is None:
            parent_world = np.broadcast_to(np.eye(3), world[0].shape)
            fitted[:, number] = place[joint.position]
        else:
            parent = index[joint.parent]
            parent_world = world[parent]
            offsets[number] = _offset(joint, joints[parent], place, parent_world)
            fitted[:, number] = fitted[:, parent] + parent_world @ offsets[number]
        if joint.sides is not None:
            across = place[joint.sides[0]] - place[joint.sides[1]]
            lower, upper = ("pelvis", spine_end) if joint.parent is None else (_below(profile), "neck")
            world[number] = _body_frame(across, place[upper] - place[lower], parent_world)
            rotations[number] = np.swapaxes(parent_world, -1, -2) @ world[number]
        elif joint.aims_at is not None:
            aim = place[joint.aims_at] - place[joint.position]
            local = np.einsum("nji,nj->ni", parent_world, aim)
            rotations[number] = swing(np.array(joint.rest), local)
            world[number] = parent_world @ rotations[number]
        else:
            rotations[number] = np.eye(3)
            world[number] = parent_world
    truth = np.stack([place[joint.position] for joint in joints], axis=1)
    errors = np.linalg.norm(fitted - truth, axis=-1)
    return BvhMotionFit(joints, offsets, place["pelvis"], rotations, fitted, errors)


def _below(profile: KeypointProfile) -> str:
    return "spine" if profile.has("spine") else "pelvis"


def _offset(
    joint: SkeletonJoint, parent: SkeletonJoint, place: dict[str, np.ndarray], parent_world: np.ndarray
) -> np.ndarray:
    if joint.position == parent.position:
        return np.zeros(3)
    bone = place[joint.position] - place[parent.position]
    length = np.median(np.linalg.norm(bone, axis=-1))
    if parent.aims_at == joint.position:
        return np.array(parent.rest) * length
    # A child of a rigid body: its usual place in the body's frame, at its usual distance.
    usual = np.median(np.einsum("nji,nj->ni", parent_world, bone), axis=0)
    return usual * (length / max(np.linalg.norm(usual), 1e-9))


def _body_frame(across: np.ndarray, up: np.ndarray, fallback: np.ndarray) -> np.ndarray:
    """Frames whose x axis is `across` and whose y axis is as near to `up` as can be (frames, 3, 3), columns = axes."""
    x = _unit(across)
    z = np.cross(x, up)
    degenerate = (np.linalg.norm(z, axis=-1) < 1e-9) | (np.linalg.norm(x, axis=-1) < 0.5)
    z = _unit(z)
    frame = np.stack([x, np.cross(z, x), z], axis=-1)
    return np.where(degenerate[:, None, None], fallback, frame)


def swing(rest: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Smallest rotations that turn one direction into others.

    Args:
        rest: Direction (3,), of length 1.
        target: Directions (frames, 3), of any length; a zero vector means no rotation.

    Returns:
        Rotation matrices (frames, 3, 3) with `rotation @ rest` along `target`.
    """
    aim = _unit(target)
    aim = np.where(np.linalg.norm(aim, axis=-1, keepdims=True) < 0.5, rest, aim)
    cosine = aim @ rest
    axis = np.cross(np.broadcast_to(rest, aim.shape), aim)
    skew = np.zeros((len(aim), 3, 3))
    skew[:, 0, 1], skew[:, 0, 2], skew[:, 1, 2] = -axis[:, 2], axis[:, 1], -axis[:, 0]
    skew -= np.swapaxes(skew, -1, -2)
    opposite = cosine < -1 + 1e-9
    factor = 1.0 / np.where(opposite, 1.0, 1.0 + cosine)
    rotation = np.eye(3) + skew + skew @ skew * factor[:, None, None]
    # Opposite directions: half a turn about any axis across.
    side = np.cross(rest, np.eye(3)[np.argmin(np.abs(rest))])
    side /= np.linalg.norm(side)
    half_turn = 2 * np.outer(side, side) - np.eye(3)
    return np.where(opposite[:, None, None], half_turn, rotation)


def _unit(vectors: np.ndarray) -> np.ndarray:
    length = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return vectors / np.where(length > 1e-9, length, np.inf)
