"""What a layout check found, and how it says so."""

from dataclasses import dataclass

import numpy as np

from vvipe_tf.keypoints import KeypointProfile


class LayoutWarning(UserWarning):
    """The keypoints look as if their joints were in another order, or the picture turned over."""


@dataclass(frozen=True)
class LayoutFinding:
    """One thing that is wrong with a keypoint layout.

    Args:
        kind: `"joint_order"`, `"limb_order"`, `"left_right"`, `"y_up"` or `"transposed"`.
        confidence: How sure, between 0 and 1.
        message: One sentence for the user, with what is likely meant.
        profile: The profile whose order the keypoints are likely in, or `None`.
        permutation: Indices (joints,) such that `keypoints[:, permutation]` is in the claimed order, or `None`.
    """

    kind: str
    confidence: float
    message: str
    profile: KeypointProfile | None = None
    permutation: np.ndarray | None = None

    def likely_order(self, claimed: KeypointProfile) -> str | None:
        """The permutation in joint names, `None` where there is none.

        Args:
            claimed: Profile that the keypoints are said to be in.
        """
        if self.permutation is None:
            return None
        if np.array_equal(self.permutation, claimed.flip_indices):
            return "every left joint exchanged with its right one"
        names = claimed.keypoint_names
        exchanged, moved = [], []
        for place, column in enumerate(self.permutation):
            if self.permutation[column] == place and place < column:
                exchanged.append(f"{names[place]} exchanged with {names[column]}")
            elif self.permutation[column] != place:
                moved.append(f"{names[place]} where {names[column]} is due")
        return ", ".join(exchanged + moved)
