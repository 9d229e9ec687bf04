"""The part of a training set that real cameras recorded, with what they saw of it."""

import numpy as np

from vvipe_tf.data.dataset import PoseDataset
from vvipe_tf.data.recorded_keypoints import RecordedKeypoints
from vvipe_tf.data.view_set import ViewSet


def select_recorded(
    dataset: PoseDataset, views: ViewSet, kind: str, use_mask: bool
) -> tuple[PoseDataset, RecordedKeypoints]:
    """Chooses the poses that have a recorded view to train on.

    Args:
        dataset: Training poses.
        views: Recorded views, of these poses and of any others; found by source, subject, sequence and frame.
        kind: `"ground_truth"` or the name of a detector.
        use_mask: Whether the model takes views with missing joints.

    Returns:
        The poses of `dataset` of which a camera saw enough, and their keypoints.

    Raises:
        ValueError: If there are no such keypoints, or no pose has a view.
    """
    views.of_kind(kind)
    dataset = dataset.select(views.holds(dataset))
    if len(dataset):
        recorded = views.of_poses(dataset).of_kind(kind)
        usable = recorded.usable(all_joints=not use_mask).any(axis=0)
        dataset, recorded = dataset.select(usable), recorded.select(slice(None), np.flatnonzero(usable))
    if not len(dataset):
        raise ValueError(f"Expected recorded views of training poses that show a whole body, {kind}. Received: none")
    return dataset, recorded
