"""Arrays that an index takes, checked."""

import numpy as np


def checked_embeddings(embeddings: np.ndarray, dim: int | None = None) -> np.ndarray:
    """Embeddings (n, dim) as contiguous float32.

    Raises:
        ValueError: If the shape is wrong or a value is not finite.
    """
    embeddings = np.asarray(embeddings)
    if embeddings.dtype.kind not in "fiu" or embeddings.ndim != 2 or embeddings.shape[1] == 0:
        raise ValueError(
            f"Expected embeddings of shape (n, dim). Received: shape={embeddings.shape}, dtype={embeddings.dtype}"
        )
    if dim is not None and embeddings.shape[1] != dim:
        raise ValueError(f"Expected embeddings of shape (n, {dim}). Received: shape={embeddings.shape}")
    with np.errstate(over="ignore"):
        embeddings = np.ascontiguousarray(embeddings, dtype=np.float32)
    # A norm beyond float32 would make every distance infinite.
    wrong = np.flatnonzero(~(np.abs(embeddings).max(axis=1, initial=0) < 1e15))
    if len(wrong):
        raise ValueError(f"Expected finite embeddings. Received: {len(wrong)} that are not, the first at {wrong[0]}")
    return embeddings


def checked_poses(poses: np.ndarray | None, count: int, joints: int | None) -> np.ndarray | None:
    """Poses (count, joints, 3) as float32, rows of NaN where unknown; None stays None.

    Raises:
        ValueError: If the shape is wrong, or a pose is finite in part.
    """
    if poses is None:
        return None
    poses = np.asarray(poses, dtype=np.float32)
    if (
        poses.ndim != 3
        or poses.shape[0] != count
        or poses.shape[2] != 3
        or poses.shape[1] != (joints or poses.shape[1])
    ):
        raise ValueError(f"Expected poses of shape ({count}, {joints or 'joints'}, 3). Received: shape={poses.shape}")
    known = np.isfinite(poses)
    if not (known.all(axis=(1, 2)) | ~known.any(axis=(1, 2))).all():
        raise ValueError("Expected poses that are finite or, where unknown, NaN as a whole. Received: others")
    return poses
