"""The canonical pose: root at the origin, hips along y, spine along z, torso length 1 (paper 3.1, Eq. 1).

Row vectors throughout: `canonical = centred_pose @ rotation / torso_length`. Every function that is used in the graph
takes the array library as `xp`, NumPy or `keras.ops`, and has one body for both.
"""

from typing import NamedTuple

import numpy as np

from vvipe_tf.keypoints import KeypointProfile

# Sine squared of the angle between hips and spine below which no rotation is defined.
_MIN_SINE_SQUARED = 1e-10


class CanonicalFrame(NamedTuple):
    """Where a canonical pose came from; `restore_pose` puts it back.

    Args:
        root: Root joint in the original frame (..., 3), original unit.
        rotation: Rotation (..., 3, 3); `canonical = centred_pose @ rotation`.
        torso_length: Torso length (...), original unit.
    """

    root: np.ndarray
    rotation: np.ndarray
    torso_length: np.ndarray


def torso_length(pose, profile: KeypointProfile, xp=np):
    """Torso length |pelvis - spine| + |spine - neck|, or |pelvis - neck| where the profile has no spine.

    Args:
        pose: Poses (..., joints, 3), any unit.
        profile: Profile of `pose`.
        xp: `numpy` or `keras.ops`.

    Returns:
        Lengths (...) in the unit of `pose`.

    Raises:
        ValueError: If the shape does not fit the profile, or the profile lacks hips or shoulders.
    """
    pose = _checked(pose, profile, xp)
    pelvis, neck = _joint(pose, profile, "pelvis"), _joint(pose, profile, "neck")
    if not profile.has("spine"):
        return _norm(_components(neck - pelvis), xp)
    spine = _joint(pose, profile, "spine")
    return _norm(_components(spine - pelvis), xp) + _norm(_components(neck - spine), xp)


def canonical_rotation(pose, profile: KeypointProfile, xp=np):
    """Rotation of Eq. 1 in closed form: left hip to -y, right hip to +y, spine (else neck) to +z.

    The polar factor of the 3 x 2 matrix [hips spine]; it equals `scipy.spatial.transform.Rotation.align_vectors` with
    the un-normalised root-centred joints, without an SVD. Degenerate poses get a finite matrix that is no rotation;
    `degenerate_poses` tells which they are.

    Args:
        pose: Poses (..., joints, 3), any unit and position.
        profile: Profile of `pose`.
        xp: `numpy` or `keras.ops`.

    Returns:
        Rotations (..., 3, 3) for row vectors: `canonical = centred_pose @ rotation`.

    Raises:
        ValueError: If the shape does not fit the profile, or the profile lacks hips or shoulders.
    """
    hips, spine = _hips_and_spine(_checked(pose, profile, xp), profile)
    hips_sq, spine_sq, hips_spine = _dot(hips, hips), _dot(spine, spine), _dot(hips, spine)
    normal = _cross(hips, spine)
    normal_sq = _dot(normal, normal)
    # Selected before the root: a square root at 0 has an infinite gradient even where its value is not used.
    normal_length = xp.sqrt(xp.where(normal_sq > _MIN_SINE_SQUARED * hips_sq * spine_sq, normal_sq, 1.0))
    trace_root = xp.sqrt(hips_sq + spine_sq + 2.0 * normal_length)
    inverse = 1.0 / (normal_length * trace_root)
    from_hips, from_spine = (spine_sq + normal_length) * inverse, (hips_sq + normal_length) * inverse
    across = -hips_spine * inverse
    rows = [
        xp.stack([n / normal_length, h * from_hips + s * across, h * across + s * from_spine], axis=-1)
        for h, s, n in zip(hips, spine, normal, strict=True)
    ]
    return xp.stack(rows, axis=-2)


def canonicalise(pose, profile: KeypointProfile, xp=np):
    """Moves poses into the canonical frame and torso units.

    Args:
        pose: Poses (..., joints, 3), any unit and position.
        profile: Profile of `pose`.
        xp: `numpy` or `keras.ops`. In the graph nothing is raised for degenerate poses; what they become is finite,
            has finite gradients, and means nothing.

    Returns:
        Canonical poses (..., joints, 3) in torso units, and their `CanonicalFrame`.

    Raises:
        ValueError: If the shape does not fit the profile, the profile lacks hips or shoulders, or (NumPy) a pose is
            degenerate or not finite.
    """
    pose = _checked(pose, profile, xp)
    if xp is np:
        _raise_for_degenerate(pose, profile)
    root = _joint(pose, profile, "pelvis")
    length = torso_length(pose, profile, xp)
    rotation = canonical_rotation(pose, profile, xp)
    scale = 1.0 / xp.where(length > 0, length, 1.0)
    canonical = xp.matmul(pose - root[..., None, :], rotation * scale[..., None, None])
    return canonical, CanonicalFrame(root, rotation, length)


def restore_pose(canonical, frame: CanonicalFrame, xp=np):
    """Puts canonical poses back into their original frame and unit.

    Args:
        canonical: Canonical poses (..., joints, 3), torso units; any profile.
        frame: The frame that `canonicalise` returned.
        xp: `numpy` or `keras.ops`.

    Returns:
        Poses (..., joints, 3).
    """
    inverse = xp.swapaxes(frame.rotation, -1, -2) * frame.torso_length[..., None, None]
    return xp.matmul(canonical, inverse) + frame.root[..., None, :]


def degenerate_poses(pose, profile: KeypointProfile) -> np.ndarray:
    """Which poses have no canonical frame: not finite, no torso or hip extent, or hips parallel to the spine.

    Args:
        pose: Poses (..., joints, 3), any unit.
        profile: Profile of `pose`.

    Returns:
        Boolean array (...).

    Raises:
        ValueError: If the shape does not fit the profile, or the profile lacks hips or shoulders.
    """
    pose = _checked(pose, profile, np)
    with np.errstate(invalid="ignore", over="ignore"):
        hips, spine = _hips_and_spine(pose, profile)
        normal = _cross(hips, spine)
        # NaN compares false, so a joint that is not finite falls out here; the other joints are looked at below.
        sound = _dot(normal, normal) > _MIN_SINE_SQUARED * _dot(hips, hips) * _dot(spine, spine)
    finite = np.isfinite(pose)
    if not finite.all():
        sound &= finite.all(axis=(-2, -1))
    return ~sound


def _raise_for_degenerate(pose, profile):
    degenerate = degenerate_poses(pose, profile)
    if degenerate.any():
        first = tuple(int(i) for i in np.argwhere(degenerate)[0])
        where = "" if not first else f", the first at index {first[0] if len(first) == 1 else first}"
        raise ValueError(
            "Expected finite poses with hips and spine of non-zero length that are not parallel. "
            f"Received: {int(degenerate.sum())} degenerate of {degenerate.size}{where}"
        )


def _checked(pose, profile, xp):
    if xp is np:
        pose = np.asarray(pose)
        if not np.issubdtype(pose.dtype, np.floating):
            pose = pose.astype(np.float64)
    if len(pose.shape) < 2 or tuple(pose.shape[-2:]) != (profile.num_joints, 3):
        raise ValueError(
            f"Expected poses of shape (..., {profile.num_joints}, 3) for {profile.name}. "
            f"Received: shape={tuple(pose.shape)}"
        )
    return pose


def _joint(pose, profile, name):
    sources = profile.sources_of(name)
    if len(sources) == 1:
        return pose[..., sources[0], :]
    first, second = sources
    return 0.5 * (pose[..., first, :] + pose[..., second, :])


def _hips_and_spine(pose, profile):
    top = _joint(pose, profile, "spine" if profile.has("spine") else "neck")
    hips = _joint(pose, profile, "right_hip") - _joint(pose, profile, "left_hip")
    return _components(hips), _components(top - _joint(pose, profile, "pelvis"))


def _components(vectors):
    return vectors[..., 0], vectors[..., 1], vectors[..., 2]


# On tuples of components: a reduction over an axis of length 3 is several times slower in NumPy.
def _dot(u, v):
    return u[0] * v[0] + u[1] * v[1] + u[2] * v[2]


def _cross(u, v):
    return u[1] * v[2] - u[2] * v[1], u[2] * v[0] - u[0] * v[2], u[0] * v[1] - u[1] * v[0]


def _norm(vector, xp):
    squared = _dot(vector, vector)
    positive = squared > 0
    return xp.where(positive, xp.sqrt(xp.where(positive, squared, 1.0)), 0.0)
