"""From the networks of a run to the bytes of each variant."""

import tempfile
from collections.abc import Mapping
from functools import cached_property

import numpy as np
import tensorflow as tf

from export.flatbuffer_model import move_first, read_model, write_model
from export.folded_network import FoldedNetwork, equalise_network, fold_network, run_network
from export.layer_names import name_layers
from export.lift_module import LiftConfig, LiftModule
from export.quantisation import (
    Range,
    cast_to_float16,
    find_ranges,
    quantise_dynamically,
    quantise_statically,
)
from export.weight_rounding import round_network
from vvipe_tf.models.run_folder import Networks

VARIANTS = ("float32", "float16", "dynamic_range", "int8", "int16x8")
# 16 bits have room to spare: activations beyond those of the samples are not cut off.
_INT16_HEADROOM = 1.5


class VariantBuilder:
    """Builds the variants of one model; what several of them need is made once.

    Args:
        networks: Trained networks.
        config: What is built into the graph.
        keypoints: Detections of training poses (samples, 17, 3), for rounding and ranges.
        poses: Canonical training poses (samples, 13, 3); None leaves `encode_pose` out.
    """

    def __init__(self, networks: Networks, config: LiftConfig, keypoints: np.ndarray, poses: np.ndarray | None):
        self.config = config
        self.networks = {
            "keypoint_encoder": fold_network(networks.keypoint_encoder, "z_mean"),
            "pose_decoder": fold_network(networks.pose_decoder, "pose"),
        }
        inputs = LiftModule(config, self.networks).prepare(tf.constant(keypoints, tf.float32)).numpy()
        embeddings = run_network(self.networks["keypoint_encoder"], inputs.astype(np.float64))
        self.inputs = {"keypoint_encoder": inputs.astype(np.float64), "pose_decoder": embeddings}
        if poses is not None:
            self.networks["pose_encoder"] = fold_network(networks.pose_encoder, "z_mean")
            self.inputs["pose_encoder"] = np.asarray(poses, np.float64).reshape(len(poses), -1)

    def build(self, variant: str) -> bytes:
        """Builds one variant.

        Args:
            variant: One of VARIANTS.

        Returns:
            Content of a TFLite file, without metadata.

        Raises:
            ValueError: If there is no such variant.
        """
        if variant not in VARIANTS:
            raise ValueError(f"Expected a variant among {', '.join(VARIANTS)}. Received: {variant!r}")
        if variant == "float32":
            return self._exact
        if variant == "float16":
            return cast_to_float16(self._exact)
        if variant == "dynamic_range":
            rounded = self._for_each(lambda network, inputs: round_network(network, inputs, integer_activations=True))
            return quantise_dynamically(self._convert(rounded))
        networks, content = self._equalised
        samples = {name: (network, self.inputs[name]) for name, network in networks.items()}
        if variant == "int8":
            return quantise_statically(content, find_ranges(samples, clip=True), activation_bits=8)
        ranges = find_ranges(samples, clip=False)
        wide = {place: Range(low, _INT16_HEADROOM * high) for place, (low, high) in ranges.items()}
        return quantise_statically(content, wide, activation_bits=16)

    @cached_property
    def _exact(self):
        return self._convert(self.networks)

    @cached_property
    def _equalised(self):
        networks = self._for_each(
            lambda network, inputs: round_network(equalise_network(network, inputs), inputs, integer_activations=False)
        )
        return networks, self._convert(networks)

    def _for_each(self, change):
        return {name: change(network, self.inputs[name]) for name, network in self.networks.items()}

    def _convert(self, networks):
        return convert_networks(self.config, networks)


def convert_networks(config: LiftConfig, networks: Mapping[str, FoldedNetwork]) -> bytes:
    """Converts networks to a float32 TFLite model with `lift` as its first subgraph and named layers.

    Args:
        config: What is built into the graph.
        networks: As for `LiftModule`.

    Returns:
        Content of a TFLite file.
    """
    module = LiftModule(config, networks)
    signatures = module.signatures()
    with tempfile.TemporaryDirectory() as folder:
        tf.saved_model.save(module, folder, signatures=signatures)
        converter = tf.lite.TFLiteConverter.from_saved_model(folder, signature_keys=list(signatures))
        # No Flex ops: conversion fails instead.
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
        content = converter.convert()
    model = read_model(content)
    move_first(model, "lift")
    name_layers(model, dict(networks))
    return write_model(model)
