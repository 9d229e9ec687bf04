"""Cameras: random views of root-centred poses, and calibrated cameras with Brown distortion.

Camera frames are OpenCV's: x right, y down, z forward. The world has Z up.
"""

from dataclasses import dataclass

import numpy as np

# Depth of a joint relative to the camera's distance; a limb that reaches behind the camera stays in front of it.
MIN_RELATIVE_DEPTH = 0.01
_ROTATION_TOLERANCE = 1e-4
_UNDISTORT_ITERATIONS = 30
_UNDISTORT_TOLERANCE = 1e-11


def view_rotation(azimuth, elevation, roll, xp=np):
    """World-to-camera rotation of a camera that looks at the origin.

    The camera stands in the direction (cos el cos az, cos el sin az, sin el) with the image's up along world Z, and is
    then rolled about its optical axis: positive roll turns the camera's right axis towards its down axis.

    Args:
        azimuth: Angles (...), radians.
        elevation: Angles (...), radians, positive above the horizon.
        roll: Angles (...), radians. The three broadcast.
        xp: `numpy` or `keras.ops`.

    Returns:
        Rotations (..., 3, 3) whose rows are the camera's right, down and forward axes: `x_cam = rotation @ x_world`.
    """
    shared = 0.0 * (azimuth + elevation + roll)
    cos_az, sin_az = xp.cos(azimuth + shared), xp.sin(azimuth + shared)
    cos_el, sin_el = xp.cos(elevation + shared), xp.sin(elevation + shared)
    cos_roll, sin_roll = xp.cos(roll + shared), xp.sin(roll + shared)
    right = (-sin_az, cos_az, xp.zeros_like(sin_az))
    down = (sin_el * cos_az, sin_el * sin_az, -cos_el)
    forward = (-cos_el * cos_az, -cos_el * sin_az, -sin_el)
    rows = (
        [cos_roll * r + sin_roll * d for r, d in zip(right, down, strict=True)],
        [cos_roll * d - sin_roll * r for r, d in zip(right, down, strict=True)],
        forward,
    )
    return xp.stack([xp.stack(row, axis=-1) for row in rows], axis=-2)


def project_view(pose, rotation, distance, xp=np):
    """Perspective projection (focal length 1) by a camera that looks at the origin.

    Args:
        pose: Root-centred poses (..., joints, 3).
        rotation: World-to-camera rotations (..., 3, 3), as `view_rotation` gives them.
        distance: Distance (...) of the camera from the origin, in the unit of `pose`.
        xp: `numpy` or `keras.ops`.

    Returns:
        Image coordinates (..., joints, 2), y down. Depths below 1 % of the distance count as 1 % of it.
    """
    if xp is np:
        distance = np.asarray(distance, dtype=np.result_type(pose, rotation))
    in_camera = xp.matmul(pose, xp.swapaxes(rotation, -1, -2))
    distance = xp.expand_dims(distance, -1)
    depth = xp.maximum(in_camera[..., 2] + distance, MIN_RELATIVE_DEPTH * distance)
    return in_camera[..., :2] / depth[..., None]


@dataclass(frozen=True, eq=False)
class Camera:
    """A calibrated camera: `x_cam = rotation @ (x_world - centre)`, Brown distortion, then the intrinsics.

    Args:
        name: Name of the camera.
        rotation: World-to-camera rotation (3, 3).
        centre: Optical centre in the world (3,), in the unit of the world.
        intrinsics: Upper triangular matrix (3, 3), pixels.
        distortion: Brown coefficients (k1, k2, p1, p2, k3), OpenCV's order.
        image_size: (width, height) in pixels, or None.

    Raises:
        ValueError: If an array has the wrong shape or is not finite, the rotation is none, or the intrinsics are not
            those of a pinhole camera.
    """

    name: str
    rotation: np.ndarray
    centre: np.ndarray
    intrinsics: np.ndarray
    distortion: np.ndarray = (0.0, 0.0, 0.0, 0.0, 0.0)
    image_size: tuple[int, int] | None = None

    def __post_init__(self):
        """Converts to read-only float64 arrays and checks them."""
        for field, shape in (("rotation", (3, 3)), ("centre", (3,)), ("intrinsics", (3, 3)), ("distortion", (5,))):
            array = np.array(getattr(self, field), dtype=np.float64)
            if array.shape != shape or not np.isfinite(array).all():
                raise ValueError(
                    f"Expected a finite {field} of shape {shape} for camera {self.name!r}. "
                    f"Received: shape={array.shape}, {array.tolist()}"
                )
            array.setflags(write=False)
            object.__setattr__(self, field, array)
        self._check_rotation()
        self._check_intrinsics()

    def _check_rotation(self):
        product = self.rotation @ self.rotation.T
        if np.abs(product - np.eye(3)).max() > _ROTATION_TOLERANCE or np.linalg.det(self.rotation) < 0:
            raise ValueError(
                f"Expected a rotation matrix (orthonormal, determinant 1) for camera {self.name!r}. "
                f"Received: {self.rotation.tolist()}"
            )

    def _check_intrinsics(self):
        k = self.intrinsics
        if not (k[0, 0] > 0 and k[1, 1] > 0 and k[1, 0] == 0 and np.array_equal(k[2], (0, 0, 1))):
            raise ValueError(
                "Expected intrinsics [[fx, skew, cx], [0, fy, cy], [0, 0, 1]] with fx, fy > 0 for camera "
                f"{self.name!r}. Received: {k.tolist()}"
            )
        if self.image_size is not None and (len(self.image_size) != 2 or min(self.image_size) <= 0):
            raise ValueError(
                f"Expected image_size (width, height) above 0 for camera {self.name!r}. Received: {self.image_size}"
            )

    def world_to_camera(self, points: np.ndarray) -> np.ndarray:
        """World points (..., 3) in the camera frame (..., 3)."""
        return (np.asarray(points) - self.centre) @ self.rotation.T

    def camera_to_world(self, points: np.ndarray) -> np.ndarray:
        """Camera-frame points (..., 3) in the world (..., 3)."""
        return np.asarray(points) @ self.rotation + self.centre

    def project(self, points: np.ndarray) -> np.ndarray:
        """Projects world points to pixels.

        Args:
            points: World points (..., 3).

        Returns:
            Pixels (..., 2), y down; NaN for points that are not in front of the camera.
        """
        in_camera = self.world_to_camera(points)
        depth = np.where(in_camera[..., 2:] > 0, in_camera[..., 2:], np.nan)
        distorted = self._distort(in_camera[..., :2] / depth)
        return distorted @ self.intrinsics[:2, :2].T + self.intrinsics[:2, 2]

    def undistort(self, pixels: np.ndarray) -> np.ndarray:
        """Inverts intrinsics and distortion, by Newton's method.

        Args:
            pixels: Pixels (..., 2).

        Returns:
            Normalised image coordinates (..., 2): the ray of a pixel is (x, y, 1) in the camera frame. NaN where the
            pixel is NaN, or where the lens model maps no nearby point to it (far outside a real image).
        """
        target = (np.asarray(pixels, dtype=np.float64) - self.intrinsics[:2, 2]) @ np.linalg.inv(
            self.intrinsics[:2, :2]
        ).T
        if not self.distortion.any():
            return target
        estimate = target.copy()
        with np.errstate(all="ignore"):  # Diverging points overflow; they are told apart below.
            for _ in range(_UNDISTORT_ITERATIONS):
                error = self._distort(estimate) - target
                if not np.nanmax(np.abs(error), initial=0.0) > _UNDISTORT_TOLERANCE:
                    break
                xx, xy, yy = self._distortion_slopes(estimate)
                step = yy * error[..., 0] - xy * error[..., 1], xx * error[..., 1] - xy * error[..., 0]
                estimate -= np.stack(step, axis=-1) / (xx * yy - xy * xy)[..., None]
            error = np.abs(self._distort(estimate) - target).max(axis=-1)
            xx, xy, yy = self._distortion_slopes(estimate)
            # Where the lens model folds back, other points share the pixel; there the Jacobian is not positive.
            found = (error <= _UNDISTORT_TOLERANCE) & (xx + yy > 0) & (xx * yy > xy * xy)
        return np.where(found[..., None], estimate, np.nan)

    def _distort(self, points):
        k1, k2, p1, p2, k3 = self.distortion
        x, y = points[..., 0], points[..., 1]
        r2 = x * x + y * y
        radial = 1 + r2 * (k1 + r2 * (k2 + r2 * k3))
        return np.stack(
            [
                x * radial + 2 * p1 * x * y + p2 * (r2 + 2 * x * x),
                y * radial + p1 * (r2 + 2 * y * y) + 2 * p2 * x * y,
            ],
            axis=-1,
        )

    def _distortion_slopes(self, points):
        """Jacobian of `_distort`, which is symmetric: dx'/dx, dx'/dy, dy'/dy."""
        k1, k2, p1, p2, k3 = self.distortion
        x, y = points[..., 0], points[..., 1]
        r2 = x * x + y * y
        radial = 1 + r2 * (k1 + r2 * (k2 + r2 * k3))
        slope = 2 * (k1 + r2 * (2 * k2 + r2 * 3 * k3))
        return (
            radial + slope * x * x + 2 * p1 * y + 6 * p2 * x,
            slope * x * y + 2 * p1 * x + 2 * p2 * y,
            radial + slope * y * y + 6 * p1 * y + 2 * p2 * x,
        )
