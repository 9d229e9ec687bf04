"""NP-MPJPE between all poses of a batch, in the graph (labels of PR-VIPE, Sun et al. 2020)."""

import tensorflow as tf

# Newton's method from above on Horn's quartic; quadratic convergence, and labels need three digits.
_NEWTON_STEPS = 12
# Below this the rotation is hardly determined; then the root mean square, an upper bound, stands for the mean.
_MIN_SEPARATION = 1e-6


def pairwise_np_mpjpe(targets: tf.Tensor, sources: tf.Tensor) -> tf.Tensor:
    """Mean joint distance of each source aligned onto each target by rotation, scale and translation.

    The closed form of `geometry.alignment` without its SVD, so that it runs on any device and under XLA. It is made
    for the batches of PR-VIPE: the (targets, sources) matrices, some thirty of them in float64, take 16 MB at 256
    poses and grow with the square; (targets, sources, joints, 3) never exists. No gradient passes.

    Args:
        targets: (targets, joints, 3), any unit; in torso units the result is NP-MPJPE.
        sources: (sources, joints, 3), any unit.

    Returns:
        (targets, sources) float32, unit of the targets.
    """
    targets, sources = (tf.stop_gradient(tf.cast(poses, tf.float64)) for poses in (targets, sources))
    targets -= tf.reduce_mean(targets, axis=1, keepdims=True)
    sources -= tf.reduce_mean(sources, axis=1, keepdims=True)
    target_extent = tf.reduce_sum(tf.square(targets), axis=(1, 2))[:, None]
    source_extent = tf.reduce_sum(tf.square(sources), axis=(1, 2))[None]
    # covariance[i][j] is (targets, sources): sum over joints of source_i * target_j.
    covariance = [[tf.matmul(targets[..., j], sources[..., i], transpose_b=True) for j in range(3)] for i in range(3)]
    norm = tf.sqrt(sum(tf.square(entry) for row in covariance for entry in row))
    unit = [[tf.math.divide_no_nan(entry, norm) for entry in row] for row in covariance]
    rotation, root, is_determined = _optimal_rotation(unit)
    scale = tf.math.divide_no_nan(root * norm, source_extent)
    # What is left, joint after joint, is most of the work and needs no more than float32.
    scaled = [[tf.cast(scale * entry, tf.float32) for entry in row] for row in rotation]
    from_joints, to_joints = (tf.cast(poses, tf.float32) for poses in (sources[None], targets[:, None]))
    distance = tf.zeros_like(scaled[0][0])
    for joint in range(targets.shape[1]):
        aligned = [sum(from_joints[:, :, joint, i] * scaled[i][axis] for i in range(3)) for axis in range(3)]
        distance += tf.sqrt(
            sum(tf.math.squared_difference(aligned[axis], to_joints[:, :, joint, axis]) for axis in range(3))
        )
    num_joints = targets.shape[1]
    residual = tf.nn.relu(target_extent - scale * root * norm)
    bound = tf.cast(tf.sqrt(residual / num_joints), tf.float32)
    return tf.where(is_determined, distance / num_joints, bound)


def _optimal_rotation(matrix):
    """Rotation, its trace with the matrix, and whether it is determined (Markley's FOAM, see `geometry.alignment`)."""
    first, second, third = matrix
    cofactors = [_cross(second, third), _cross(third, first), _cross(first, second)]
    determinant = sum(a * b for a, b in zip(first, cofactors[0], strict=True))
    cofactors_sq = sum(tf.square(entry) for row in cofactors for entry in row)
    root = tf.sqrt(1.0 + 2.0 * tf.sqrt(cofactors_sq + 2.0 * 3.0**0.5 * tf.nn.relu(determinant)))
    for _ in range(_NEWTON_STEPS):
        excess = root * root - 1.0
        value = excess * excess - 8.0 * root * determinant - 4.0 * cofactors_sq
        slope = 4.0 * (root * excess - 2.0 * determinant)
        root -= tf.where(slope > 0, tf.math.divide_no_nan(value, slope), 0.0)
    kappa = 0.5 * (root * root - 1.0)
    separation = kappa * root - determinant
    gram = [[sum(matrix[i][n] * matrix[j][n] for n in range(3)) for j in range(3)] for i in range(3)]
    rotation = [
        [
            tf.math.divide_no_nan(
                (kappa + 1.0) * matrix[i][j]
                + root * cofactors[i][j]
                - sum(gram[i][n] * matrix[n][j] for n in range(3)),
                separation,
            )
            for j in range(3)
        ]
        for i in range(3)
    ]
    return rotation, root, separation > _MIN_SEPARATION


def _cross(u, v):
    return [u[1] * v[2] - u[2] * v[1], u[2] * v[0] - u[0] * v[2], u[0] * v[1] - u[1] * v[0]]
