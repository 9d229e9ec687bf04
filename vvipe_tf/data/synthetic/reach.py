"""Analytic two-bone inverse kinematics of the arm."""

import numpy as np

# Direction in which a relaxed elbow points away from the line between shoulder and hand: back, out and down.
_ELBOW_DIRECTION = np.array([-0.35, 0.40, -0.85])
_MAX_EXTENSION = 0.995


def reach_angles(side: str, target: np.ndarray, swivel: np.ndarray, arm_ratio: float) -> dict[str, np.ndarray]:
    """Joint angles that bring a wrist to a target (before joint limits).

    Args:
        side: `"left"` or `"right"`.
        target: Wrist positions (frames, 3) from the shoulder along the chest's axes (forward, outward to this side,
            up), in arm lengths. What lies out of reach is approached along the same line.
        swivel: Turn in degrees of the elbow about the line from shoulder to wrist; positive raises it outwards.
        arm_ratio: Upper arm as a fraction of the arm.

    Returns:
        Curves in degrees of the shoulder's three freedoms and of the elbow.
    """
    upper, fore = arm_ratio, 1.0 - arm_ratio
    length = np.linalg.norm(target, axis=-1, keepdims=True)
    line = target / np.maximum(length, 1e-6)
    distance = np.clip(length[:, 0], abs(upper - fore) + 0.12, _MAX_EXTENSION)
    elbow_flexion = np.pi - np.arccos(np.clip((upper**2 + fore**2 - distance**2) / (2.0 * upper * fore), -1.0, 1.0))
    at_shoulder = np.arccos(np.clip((upper**2 + distance**2 - fore**2) / (2.0 * upper * distance), -1.0, 1.0))
    down = _ELBOW_DIRECTION - line * (line @ _ELBOW_DIRECTION)[:, None]
    down /= np.maximum(np.linalg.norm(down, axis=-1, keepdims=True), 1e-6)
    turn = np.deg2rad(np.broadcast_to(swivel, distance.shape))[:, None]
    away = np.cos(turn) * down + np.sin(turn) * np.cross(line, down)
    arm = np.cos(at_shoulder)[:, None] * line + np.sin(at_shoulder)[:, None] * away
    hand = distance[:, None] * line - upper * arm
    abduction = np.arcsin(np.clip(arm[:, 1], -1.0, 1.0))
    flexion = np.arctan2(arm[:, 0], -arm[:, 2])
    # The forearm seen from the upper arm before its own rotation: which way the elbow has to face.
    facing_x = np.cos(flexion) * hand[:, 0] + np.sin(flexion) * hand[:, 2]
    level = -np.sin(flexion) * hand[:, 0] + np.cos(flexion) * hand[:, 2]
    facing_y = np.cos(abduction) * hand[:, 1] + np.sin(abduction) * level
    rotation = np.arctan2(-facing_y, facing_x)
    degrees = np.rad2deg(flexion)
    return {
        f"{side}_shoulder_flexion": np.where(degrees < -90.0, degrees + 360.0, degrees),
        f"{side}_shoulder_abduction": np.rad2deg(abduction),
        f"{side}_shoulder_rotation": np.rad2deg(rotation),
        f"{side}_elbow_flexion": np.rad2deg(elbow_flexion),
    }
