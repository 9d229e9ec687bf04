"""The networks of a model and their weights by name; what their NumPy forms have in common."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields

import keras
import numpy as np

from vvipe_tf.geometry.keypoints_2d import normalise_keypoints
from vvipe_tf.models.network_config import NetworkConfig

_INFERENCE_BATCH = 4096


@dataclass(frozen=True)
class NetworkSet:
    """Networks and layers of one model; each field of a subclass is one, named as the field."""

    def get_weights(self) -> dict[str, np.ndarray]:
        """Weights by name, `network/layer/.../weight`; the state of random generators is left out."""
        return {name: variable.value.numpy() for name, variable in self._named_variables()}

    def set_weights(self, weights: Mapping[str, np.ndarray]) -> None:
        """Sets weights by name.

        Raises:
            ValueError: If a name is missing or unknown, or a shape differs.
        """
        variables = dict(self._named_variables())
        if set(variables) != set(weights):
            difference = sorted(set(variables) ^ set(weights))
            raise ValueError(f"Expected the weights of these networks. Received other names, e.g. {difference[:3]}")
        for name, variable in variables.items():
            if tuple(variable.shape) != weights[name].shape:
                raise ValueError(
                    f"Expected {name} of shape {tuple(variable.shape)}. Received: shape={weights[name].shape}"
                )
            variable.assign(weights[name])

    def _named_variables(self):
        for field in fields(self):
            for variable in getattr(self, field.name).weights:
                if "seed_generator" not in variable.path:
                    name = variable.path.removeprefix(f"{field.name}/")
                    yield f"{field.name}/{name}", variable


def keypoint_inputs(config: NetworkConfig, keypoints_2d: np.ndarray, mask: np.ndarray | None = None) -> np.ndarray:
    """Brings keypoints of any scale and place to the input of a keypoint network.

    Args:
        config: Size of the network.
        keypoints_2d: (poses, 13, 2), y down.
        mask: (poses, 13), true where a joint is visible; None means all are.

    Returns:
        (poses, 13, 3 with the mask or 2 without) float32.

    Raises:
        ValueError: If a shape is wrong, or joints are missing and the network takes no mask.
    """
    keypoints_2d = checked_array(keypoints_2d, (config.num_joints, 2), "keypoints_2d")
    visible = np.ones(keypoints_2d.shape[:2], np.float32) if mask is None else np.asarray(mask, np.float32)
    if visible.shape != keypoints_2d.shape[:2]:
        raise ValueError(f"Expected a mask of shape {keypoints_2d.shape[:2]}. Received: shape={visible.shape}")
    normalised, _ = normalise_keypoints(keypoints_2d, visible)
    if config.use_mask:
        normalised = np.concatenate([normalised, visible[..., None]], axis=-1)
    elif not visible.all():
        raise ValueError("Expected all joints: this model was trained without a mask. Received: missing joints")
    return normalised.astype(np.float32)


def checked_array(array, shape: tuple[int, ...], name: str) -> np.ndarray:
    """Returns `array` as float32, or raises `ValueError` unless its shape is (poses, *shape)."""
    array = np.asarray(array, np.float32)
    if array.shape[1:] != shape:
        sizes = ", ".join(map(str, shape))
        raise ValueError(f"Expected {name} of shape (poses, {sizes}). Received: shape={array.shape}")
    return array


def apply_in_batches(function: Callable, array: np.ndarray) -> np.ndarray:
    """Applies a network to many rows, a bounded number at a time."""
    parts = [
        keras.ops.convert_to_numpy(function(array[start : start + _INFERENCE_BATCH]))
        for start in range(0, max(len(array), 1), _INFERENCE_BATCH)
    ]
    return np.concatenate(parts)
