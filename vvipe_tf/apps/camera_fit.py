"""The camera of a lifted pose: which rotation, scale and translation bring it onto its own keypoints.

A canonical pose knows nothing of the camera. With its keypoints it does: a closed form gives two starts (a flat body
seen at a slant looks the same as its mirror image in depth), damped Gauss-Newton steps refine both, and the better one
stays. Everything is batched. Camera axes are OpenCV's: x right, y down, z forward; `x_cam = rotation @ x`.
"""

from typing import NamedTuple

import numpy as np

from vvipe_tf.apps.batched_least_squares import choose_rows, refine

MIN_JOINTS = 4
# Share of the pose's mean extent that is added to each axis: the depth of a flat body is hardly known.
_RIDGE = 1e-3
# Depth of the nearest joint at the start, in sizes of the body.
_LEAST_DEPTH = 0.2


class WeakCamera(NamedTuple):
    """A camera far away (scaled orthographic projection): `keypoint = scale * (rotation @ x)[:2] + translation`.

    Args:
        rotation: From the frame of the pose to the camera's (..., 3, 3).
        scale: Pixels per unit of the pose (...).
        translation: Pixel at which the pose's origin (mid-hip) is seen (..., 2).
        error: Root mean square distance (...) between projected and given keypoints, pixels.
    """

    rotation: np.ndarray
    scale: np.ndarray
    translation: np.ndarray
    error: np.ndarray

    def place(self, poses: np.ndarray) -> np.ndarray:
        """Poses (..., joints, 3) turned into the camera's axes; unit and origin stay those of the pose."""
        return np.matmul(poses, np.swapaxes(self.rotation, -1, -2))

    def project(self, poses: np.ndarray) -> np.ndarray:
        """Pixels (..., joints, 2) of poses (..., joints, 3)."""
        return self.scale[..., None, None] * self.place(poses)[..., :2] + self.translation[..., None, :]


class PerspectiveCamera(NamedTuple):
    """A pinhole camera of known focal length: `x_cam = rotation @ x + translation`.

    Args:
        rotation: From the frame of the pose to the camera's (..., 3, 3).
        translation: The pose's origin in the camera frame (..., 3), unit of the pose.
        focal_length: Focal length in pixels.
        principal_point: Pixel of the optical axis (2,).
        error: Root mean square distance (...) between projected and given keypoints, pixels.
    """

    rotation: np.ndarray
    translation: np.ndarray
    focal_length: float
    principal_point: np.ndarray
    error: np.ndarray

    def place(self, poses: np.ndarray) -> np.ndarray:
        """Poses (..., joints, 3) in the camera frame, origin at the camera, unit of the pose."""
        return np.matmul(poses, np.swapaxes(self.rotation, -1, -2)) + self.translation[..., None, :]

    def project(self, poses: np.ndarray) -> np.ndarray:
        """Pixels (..., joints, 2) of poses (..., joints, 3)."""
        placed = self.place(poses)
        return self.focal_length * placed[..., :2] / placed[..., 2:] + self.principal_point


def fit_weak_camera(poses: np.ndarray, keypoints_2d: np.ndarray, mask: np.ndarray | None = None) -> WeakCamera:
    """Fits a camera of unknown focal length, far away.

    Args:
        poses: Poses (..., joints, 3), any unit, e.g. canonical ones.
        keypoints_2d: Their keypoints (..., joints, 2) in pixels, y down.
        mask: Visibility (..., joints), boolean or {0, 1}; missing joints do not count and may hold anything. None when
            every joint is there.

    Returns:
        The camera with the least reprojection error found.

    Raises:
        ValueError: If shapes do not fit, fewer than 4 joints are visible, or a visible joint is not finite.
    """
    points, pixels, weights, shape = _checked(poses, keypoints_2d, mask)
    fits = [
        refine(_weak_residuals, _weak_step, start, points, pixels, weights)
        for start in _weak_starts(points, pixels, weights)
    ]
    (rotation, scale, translation), squared = _better(*fits)
    return WeakCamera(
        rotation.reshape(*shape, 3, 3),
        scale[:, 0].reshape(shape),
        translation.reshape(*shape, 2),
        _error(squared, weights).reshape(shape),
    )


def fit_perspective_camera(
    poses: np.ndarray,
    keypoints_2d: np.ndarray,
    focal_length: float,
    principal_point: tuple[float, float],
    mask: np.ndarray | None = None,
) -> PerspectiveCamera:
    """Fits the place of a pinhole camera. Pixels of a lens with distortion: undistort them first (`Camera.undistort`).

    Args:
        poses: Poses (..., joints, 3), any unit, e.g. canonical ones.
        keypoints_2d: Their keypoints (..., joints, 2) in pixels, y down.
        focal_length: Focal length in pixels.
        principal_point: Pixel of the optical axis, usually the picture's centre.
        mask: Visibility (..., joints), as for `fit_weak_camera`.

    Returns:
        The camera with the least reprojection error found, the body in front of it.

    Raises:
        ValueError: If shapes do not fit, fewer than 4 joints are visible, a visible joint is not finite, or the focal
            length is not positive.
    """
    if not (np.isfinite(focal_length) and focal_length > 0):
        raise ValueError(f"Expected a focal length above 0. Received: {focal_length}")
    points, pixels, weights, shape = _checked(poses, keypoints_2d, mask)
    centre = np.asarray(principal_point, np.float64)
    rays = (pixels - centre) / focal_length
    fits = []
    for start in _weak_starts(points, rays, weights):
        (rotation, scale, offset), _ = refine(_weak_residuals, _weak_step, start, points, rays, weights)
        translation = np.concatenate([offset, np.ones_like(scale)], axis=-1) / scale
        placed = np.matmul(points, np.swapaxes(rotation, -1, -2))
        nearest = np.where(weights > 0, placed[..., 2], np.inf).min(axis=-1)
        size = np.sqrt(np.square(points).sum(axis=-1).mean(axis=-1))
        translation[:, 2] = np.maximum(translation[:, 2], _LEAST_DEPTH * size - nearest)
        fits.append(refine(_pinhole_residuals, _pinhole_step, (rotation, translation), points, rays, weights))
    (rotation, translation), squared = _better(*fits)
    return PerspectiveCamera(
        rotation.reshape(*shape, 3, 3),
        translation.reshape(*shape, 3),
        float(focal_length),
        centre,
        focal_length * _error(squared, weights).reshape(shape),
    )


def _checked(poses, keypoints_2d, mask):
    poses, keypoints_2d = np.asarray(poses, np.float64), np.asarray(keypoints_2d, np.float64)
    if poses.ndim < 2 or poses.shape[-1] != 3 or keypoints_2d.shape != (*poses.shape[:-1], 2):
        raise ValueError(
            "Expected poses of shape (..., joints, 3) and keypoints of shape (..., joints, 2). "
            f"Received: shapes={poses.shape} and {keypoints_2d.shape}"
        )
    visible = np.ones(poses.shape[:-1], bool) if mask is None else np.asarray(mask) != 0
    if visible.shape != poses.shape[:-1]:
        raise ValueError(f"Expected a mask of shape {poses.shape[:-1]}. Received: shape={visible.shape}")
    if (visible.sum(axis=-1) < MIN_JOINTS).any():
        raise ValueError(
            f"Expected at least {MIN_JOINTS} visible joints. Received: {int(visible.sum(axis=-1).min())} in a pose"
        )
    if not (np.isfinite(poses[visible]).all() and np.isfinite(keypoints_2d[visible]).all()):
        raise ValueError("Expected finite coordinates of visible joints. Received: NaN or infinite ones")
    num_joints = poses.shape[-2]
    points = np.where(visible[..., None], poses, 0.0).reshape(-1, num_joints, 3)
    pixels = np.where(visible[..., None], keypoints_2d, 0.0).reshape(-1, num_joints, 2)
    return points, pixels, visible.reshape(-1, num_joints).astype(np.float64), poses.shape[:-2]


def _weak_starts(points, pixels, weights):
    """Two rotations, scales and translations: the affine camera's own, tilted either way until they explain it.

    The least squares affine map (2, 3) has singular values s1 >= s2. A scaled rotation has s1 = s2; a flat body at a
    slant shows s2 < s1, and its tilt is the angle of cosine s2 / s1, to one side or to the other.
    """
    share = weights[..., None] / weights.sum(axis=-1)[:, None, None]
    centre, middle = (share * points).sum(axis=1), (share * pixels).sum(axis=1)
    centred = points - centre[:, None]
    spread = np.matmul(np.swapaxes(share * centred, 1, 2), centred)
    ridge = np.maximum(_RIDGE * np.trace(spread, axis1=1, axis2=2) / 3, np.finfo(np.float64).tiny)
    seen = np.matmul(np.swapaxes(share * centred, 1, 2), pixels - middle[:, None])
    affine = np.swapaxes(np.linalg.solve(spread + ridge[:, None, None] * np.eye(3), seen), 1, 2)
    left, sizes, right = np.linalg.svd(affine, full_matrices=False)
    scale = np.maximum(sizes[:, :1], np.finfo(np.float64).tiny)
    cosine = np.clip(sizes[:, 1:] / scale, 0.0, 1.0)
    normal = np.cross(right[:, 0], right[:, 1])
    starts = []
    for side in (1.0, -1.0):
        tilted = cosine * right[:, 1] + side * np.sqrt(1 - cosine**2) * normal
        rows = np.matmul(left, np.stack([right[:, 0], tilted], axis=1))
        rotation = np.concatenate([rows, np.cross(rows[:, 0], rows[:, 1])[:, None]], axis=1)
        translation = middle - scale * np.einsum("nij,nj->ni", rows, centre)
        starts.append((rotation, scale, translation))
    return starts


def _weak_residuals(state, points, pixels):
    rotation, scale, translation = state
    turned = np.matmul(points, np.swapaxes(rotation, 1, 2))
    residuals = scale[..., None] * turned[..., :2] + translation[:, None] - pixels
    slopes = np.zeros((*residuals.shape, 6))
    slopes[..., :3] = scale[:, None, None] * _turning(turned)[..., :2, :]
    slopes[..., 3] = turned[..., :2] * scale[..., None]
    slopes[..., 4:] = np.eye(2)
    return residuals, slopes


def _weak_step(state, step):
    rotation, scale, translation = state
    grown = scale * np.exp(np.clip(step[:, 3:4], -2.0, 2.0))
    return _rotated(rotation, step[:, :3]), grown, translation + step[:, 4:]


def _pinhole_residuals(state, points, rays):
    rotation, translation = state
    turned = np.matmul(points, np.swapaxes(rotation, 1, 2))
    placed = turned + translation[:, None]
    depth = np.where(placed[..., 2:] > 0, placed[..., 2:], np.nan)
    seen = placed[..., :2] / depth
    moving = np.concatenate([_turning(turned), np.broadcast_to(np.eye(3), (*turned.shape, 3))], axis=-1)
    slopes = (moving[..., :2, :] - seen[..., None] * moving[..., 2:, :]) / depth[..., None]
    return seen - rays, slopes


def _pinhole_step(state, step):
    rotation, translation = state
    return _rotated(rotation, step[:, :3]), translation + step[:, 3:]


def _turning(points):
    """Derivative (..., 3, 3) of rotated points by a further small rotation vector."""
    x, y, z = np.moveaxis(points, -1, 0)
    zero = np.zeros_like(x)
    rows = [[zero, z, -y], [-z, zero, x], [y, -x, zero]]
    return np.stack([np.stack(row, axis=-1) for row in rows], axis=-2)


def _rotated(rotation, vector):
    """Rotations followed by those of rotation vectors (poses, 3), by Rodrigues' formula."""
    angle = np.linalg.norm(vector, axis=-1)[:, None, None]
    skew = np.swapaxes(np.cross(vector[:, None], np.eye(3)), 1, 2)
    square = np.matmul(skew, skew)
    turn = np.eye(3) + np.sinc(angle / np.pi) * skew + 0.5 * np.sinc(angle / (2 * np.pi)) ** 2 * square
    return np.matmul(turn, rotation)


def _better(first, second):
    (first_state, first_squared), (second_state, second_squared) = first, second
    keep = first_squared <= second_squared
    state = tuple(choose_rows(keep, a, b) for a, b in zip(first_state, second_state, strict=True))
    return state, np.where(keep, first_squared, second_squared)


def _error(squared, weights):
    return np.sqrt(squared / weights.sum(axis=-1))
