"""How a skeleton looks in the plane: coloured strokes, the farthest first. Renderers only have to paint them.

Planes have y down, as images do. Left limbs are blue, right limbs vermilion, the trunk is grey: three colours of Okabe
and Ito's palette that people with any colour vision tell apart, also in print.
"""

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from vvipe_tf.geometry.camera import view_rotation
from vvipe_tf.keypoints import COCO_13, KeypointProfile

LEFT_COLOUR, RIGHT_COLOUR, TRUNK_COLOUR = "#0072B2", "#D55E00", "#4D4D4D"
_HEAD_RADIUS = 0.15  # Torso units.
_HEAD_SHARE = 0.22  # Of the mean bone, where keypoints have no unit.
_FLOOR_RADIUS = 0.8
_TRUNK_OUTLINE = ("left_shoulder", "right_shoulder", "right_hip", "left_hip")
_FLOOR_CORNERS = 48

# A canonical person looks along -x: this camera stands in front of them, a little to their right and above.
VIEW_ROTATION = view_rotation(np.radians(150.0), np.radians(14.0), 0.0)
VIEW_ROTATION.setflags(write=False)


class Stroke(NamedTuple):
    """A bone in the plane.

    Args:
        points: Its two ends (2, 2), y down.
        colour: Colour of its side of the body, `#RRGGBB`.
        depth: Mean distance of its ends along the view, larger is farther; 0 for 2D keypoints.
        seen: Whether both ends were seen; False where the place of one is a guess.
    """

    points: np.ndarray
    colour: str
    depth: float
    seen: bool = True


class SkeletonView(NamedTuple):
    """A skeleton, ready to be painted in the order of the fields.

    Args:
        floor: Outline (corners, 2) of a disc below the pose; None for 2D keypoints.
        shadows: Bones dropped onto the floor (bones, 2, 2); None for 2D keypoints.
        trunk: Outline (4, 2) of the trunk; None where one of its joints is missing.
        strokes: Bones, farthest first.
        head: Centre (2,) of the head; None where it is missing.
        head_radius: Radius of the head.
        joints: Visible joints (joints, 2).
        head_seen: Whether the head was seen; False where its place is a guess.
    """

    floor: np.ndarray | None
    shadows: np.ndarray | None
    trunk: np.ndarray | None
    strokes: tuple[Stroke, ...]
    head: np.ndarray | None
    head_radius: float
    joints: np.ndarray
    head_seen: bool = True

    def bounds(self) -> np.ndarray:
        """Corner of least and corner of greatest coordinates (2, 2) of the body and its floor."""
        points = self.joints if self.floor is None else np.concatenate([self.joints, self.floor])
        if self.head is not None:
            points = np.concatenate([points, [self.head - self.head_radius, self.head + self.head_radius]])
        return np.stack([points.min(axis=0), points.max(axis=0)])


def view_pose(
    pose: np.ndarray,
    profile: KeypointProfile = COCO_13,
    rotation: np.ndarray = VIEW_ROTATION,
    seen: np.ndarray | None = None,
) -> SkeletonView:
    """Orthographic view of a 3D pose, standing on a floor at its lowest joint.

    The floor is level in the frame of the pose. In the canonical frame that means at right angles to the spine, which
    is not where gravity points when the person bends.

    Args:
        pose: Pose (joints, 3), Z up, any unit; the sizes of head and floor suit torso units.
        profile: Joints of `pose`.
        rotation: World-to-camera rotation (3, 3). The default looks at a canonical pose from the front.
        seen: Which joints were seen (joints,), None for all; the others are a guess.

    Returns:
        The view, in the unit of `pose`.

    Raises:
        ValueError: If the shape is wrong or a joint is not finite.
    """
    pose = _checked(pose, profile, 3)
    if not np.isfinite(pose).all():
        raise ValueError("Expected a finite pose. Received: joints that are not")
    middle = (pose.min(axis=0) + pose.max(axis=0)) / 2
    turn = np.linspace(0.0, 2 * np.pi, _FLOOR_CORNERS, endpoint=False)
    level = pose[:, 2].min()
    floor = np.stack(
        [
            middle[0] + _FLOOR_RADIUS * np.cos(turn),
            middle[1] + _FLOOR_RADIUS * np.sin(turn),
            np.full(_FLOOR_CORNERS, level),
        ],
        axis=1,
    )
    bones = np.array([_ends(pose, bone) for bone in bones_of(profile)])
    shadows = bones.copy()
    shadows[..., 2] = level
    everything = np.ones(profile.num_joints, dtype=bool)
    view = _view(pose @ rotation.T, everything, everything if seen is None else seen, profile)
    return view._replace(
        floor=(floor @ rotation.T)[:, :2], shadows=(shadows @ rotation.T)[..., :2], head_radius=_HEAD_RADIUS
    )


def view_keypoints(
    keypoints_2d: np.ndarray,
    mask: np.ndarray | None = None,
    profile: KeypointProfile = COCO_13,
    seen: np.ndarray | None = None,
) -> SkeletonView:
    """View of 2D keypoints as they are; bones with a missing joint are left out.

    Args:
        keypoints_2d: Keypoints (joints, 2), y down, any unit.
        mask: Visibility (joints,), boolean or {0, 1}; None for all.
        profile: Joints of `keypoints_2d`.
        seen: As for `view_pose`, where the keypoints are those of a projected pose.

    Returns:
        The view, in the unit of the keypoints.

    Raises:
        ValueError: If a shape is wrong, no joint is visible, or a visible joint is not finite.
    """
    keypoints_2d = _checked(keypoints_2d, profile, 2)
    visible = np.ones(profile.num_joints, dtype=bool) if mask is None else np.asarray(mask, dtype=bool)
    if visible.shape != (profile.num_joints,):
        raise ValueError(f"Expected a mask of shape ({profile.num_joints},). Received: shape={visible.shape}")
    if not visible.any() or not np.isfinite(keypoints_2d[visible]).all():
        raise ValueError("Expected at least one visible joint, and all visible ones finite. Received: others")
    return _view(keypoints_2d, visible, visible if seen is None else seen, profile)


def _checked(points, profile, dims):
    points = np.asarray(points, dtype=np.float64)
    if points.shape != (profile.num_joints, dims):
        raise ValueError(
            f"Expected points of shape ({profile.num_joints}, {dims}) for {profile.name}. "
            f"Received: shape={points.shape}"
        )
    return points


def _view(points, visible, seen, profile):
    strokes = []
    for bone in bones_of(profile):
        joints = [joint for end in bone.ends for joint in end]
        if visible[joints].all():
            ends = _ends(points, bone)
            depth = float(ends[:, 2].mean()) if points.shape[1] == 3 else 0.0
            strokes.append(Stroke(ends[:, :2], bone.colour, depth, bool(seen[joints].all())))
    # A stable sort: bones at one depth keep the order of the profile.
    strokes.sort(key=lambda stroke: -stroke.depth)
    lengths = [np.linalg.norm(stroke.points[1] - stroke.points[0]) for stroke in strokes]
    outline = [profile.index(name) for name in _TRUNK_OUTLINE] if all(map(profile.has, _TRUNK_OUTLINE)) else None
    nose = profile.index("nose") if profile.has("nose") else None
    return SkeletonView(
        floor=None,
        shadows=None,
        trunk=points[outline, :2] if outline is not None and visible[outline].all() else None,
        strokes=tuple(strokes),
        head=points[nose, :2] if nose is not None and visible[nose] else None,
        head_radius=_HEAD_SHARE * float(np.mean(lengths)) if lengths else 0.0,
        joints=points[visible, :2],
        head_seen=nose is None or bool(seen[nose]),
    )


class Bone(NamedTuple):
    """A bone to draw.

    Args:
        ends: For each of its two ends, the joints whose mean it is.
        colour: Colour of its side of the body, `#RRGGBB`.
    """

    ends: tuple[tuple[int, ...], tuple[int, ...]]
    colour: str


@lru_cache
def bones_of(profile: KeypointProfile) -> tuple[Bone, ...]:
    """Bones of a profile with their colour, and a neck where the profile itself has none."""
    names = list(profile.bones)
    if profile.has("nose") and not any("nose" in bone and "neck" in bone for bone in names):
        names.append(("neck", "nose"))
    return tuple(Bone(tuple(profile.sources_of(joint) for joint in bone), _colour(bone)) for bone in names)


def _ends(points, bone):
    return np.stack([points[list(sources)].mean(axis=0) for sources in bone.ends])


def _colour(bone: tuple[str, str]) -> str:
    if {name.partition("_")[2] for name in bone} == {"shoulder", "hip"}:
        return TRUNK_COLOUR
    for side, colour in (("left_", LEFT_COLOUR), ("right_", RIGHT_COLOUR)):
        if all(name.startswith(side) for name in bone):
            return colour
    return TRUNK_COLOUR
