"""Where people stand in a picture: upright, in torso lengths, beside each other where their places are unknown."""

import numpy as np

from vvipe_tf.apps.pose_scene import PoseScene
from vvipe_tf.geometry.camera import view_rotation
from vvipe_tf.geometry.canonical import torso_length
from vvipe_tf.keypoints import KeypointProfile

# A camera's axes (x right, y down, z forward) as those of a person who faces the camera: backwards, right, up.
_FROM_CAMERA = np.array([[0.0, 0.0, 1.0], [-1.0, 0.0, 0.0], [0.0, -1.0, 0.0]])
_ROOTED = 1e-3  # Torso lengths.
_ROOM = 1.15


def view_from(azimuth: float, elevation: float) -> np.ndarray:
    """Rotation (3, 3) into the axes of a camera that looks at a canonical person.

    Args:
        azimuth: Degrees about the spine: 0 looks at the person's front, 90 at their left side.
        elevation: Degrees above the horizon.
    """
    return view_rotation(np.radians(180.0 + azimuth), np.radians(elevation), 0.0)


def is_rooted(scene: PoseScene) -> bool:
    """Whether all poses have their pelvis at the origin, so that places in space are unknown."""
    poses = scene.poses[scene.valid]
    if not len(poses):
        return True
    return bool((np.linalg.norm(_pelvis(poses, scene.profile), axis=-1) < _ROOTED * _torso(scene)).all())


def upright_rotation(scene: PoseScene) -> np.ndarray:
    """Rotation (3, 3) from the scene's axes to those of a picture: Z up, a person who faces the viewer looks along -x.

    Canonical poses are so already, and a camera's axes are renamed. In a world the first pose is turned about z.
    """
    if scene.coordinate_frame == "camera":
        return _FROM_CAMERA
    if scene.coordinate_frame == "canonical" or not scene.valid.any():
        return np.eye(3)
    first = scene.poses[np.argmax(scene.valid)]
    left, right = (first[scene.profile.index(name)] for name in ("left_hip", "right_hip"))
    angle = np.pi / 2 - np.arctan2(right[1] - left[1], right[0] - left[0])
    cos, sin = np.cos(angle), np.sin(angle)
    return np.array([[cos, -sin, 0.0], [sin, cos, 0.0], [0.0, 0.0, 1.0]])


def stage_poses(scene: PoseScene) -> np.ndarray:
    """Poses as a picture shows them.

    Poses in a world are turned so that the first one faces as a canonical one, and followed as they move. Poses whose
    place is unknown stand beside each other in the order of their track ids, the first one to the person's right.

    Args:
        scene: What to show.

    Returns:
        Poses (rows, joints, 3), Z up, in torso lengths; NaN where the scene has none.
    """
    poses = scene.poses @ upright_rotation(scene).T / _torso(scene)
    return poses + (_beside(scene, poses) if is_rooted(scene) else _followed(scene, poses))[:, None]


def spread_people(widths: list[float]) -> np.ndarray:
    """Places (people,) of the middles of people of some widths beside each other, with some room; their mean is 0."""
    widths = _ROOM * np.asarray(widths, np.float64)
    places = np.cumsum(widths) - widths / 2
    return places - places.mean()


def _beside(scene, poses):
    offsets = np.zeros((len(scene), 3))
    people = scene.people
    if len(people) > 1:
        reach = np.linalg.norm(poses[..., :2], axis=-1)
        widths = [2 * np.nanmax(reach[scene.person == person]) for person in people]
        for person, place in zip(people, spread_people(widths), strict=True):
            offsets[scene.person == person, 1] = -place
    return offsets


def _followed(scene, poses):
    offsets = np.zeros((len(scene), 3))
    pelvis = _pelvis(poses, scene.profile)
    valid = scene.valid
    for frame in np.unique(scene.frame[valid]):
        rows = (scene.frame == frame) & valid
        offsets[rows, :2] = -pelvis[rows, :2].mean(axis=0)
    return offsets


def _pelvis(poses, profile: KeypointProfile):
    return poses[:, list(profile.sources_of("pelvis"))].mean(axis=1)


def _torso(scene) -> float:
    if scene.unit == "torso" or not scene.valid.any():
        return 1.0
    return float(np.median(torso_length(scene.poses[scene.valid], scene.profile)))
