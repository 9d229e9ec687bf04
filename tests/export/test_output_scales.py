"""The rewritten layers compute what the layers with a scale for each output computed."""

import hashlib

import numpy as np
import pytest

from export import quantisation
from export.flatbuffer_model import iterate_ops, op_versions, read_model, tensor_name, tensor_type
from vvipe_tf.apps.lite_model import LiteModel

DYNAMIC = "vvipe_dynamic_range.tflite"


@pytest.fixture(scope="module")
def with_scales_inside(exported):
    """The float model, quantised with and without the rewriting."""
    content = exported.files["vvipe_float32.tflite"]
    rewritten = quantisation.quantise_dynamically(content)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(quantisation, "move_scales_out", lambda content: content)
        return quantisation.quantise_dynamically(content), rewritten


def test_outputs_stay_as_they_were(with_scales_inside):
    inside, outside = (LiteModel(each, hashlib.sha256(each).hexdigest()) for each in with_scales_inside)
    rng = np.random.default_rng(2)
    keypoints = np.concatenate([rng.uniform(0, 400, (20, 17, 2)), np.ones((20, 17, 1))], axis=-1)
    for before, after in zip(inside.lift(keypoints), outside.lift(keypoints), strict=True):
        assert np.abs(before).max() > 0
        # Where an activation lies between two steps of 8 bits, the last digit decides.
        np.testing.assert_allclose(after, before, atol=2e-3 * np.abs(before).max())
    embedding = rng.normal(size=(20, 7))
    np.testing.assert_allclose(outside.decode(embedding), inside.decode(embedding), atol=1e-3)


def test_old_runtimes_have_what_is_left(with_scales_inside):
    before, after = (op_versions(read_model(content)) for content in with_scales_inside)
    assert (before.pop("FULLY_CONNECTED"), after.pop("FULLY_CONNECTED")) == (12, 9)
    assert before == after


def test_layers_are_rewritten_in_every_signature_and_keep_their_names(exported):
    model = read_model(exported.files[DYNAMIC])
    float_model = read_model(exported.files["vvipe_float32.tflite"])
    outputs = {tensor_name(model, op.subgraph, op.outputs[0]) for op in iterate_ops(model)}
    layers = {
        tensor_name(float_model, op.subgraph, op.outputs[0])
        for op in iterate_ops(float_model)
        if op.name == "FULLY_CONNECTED"
    }
    assert layers <= outputs
    matrices = [op for op in iterate_ops(model) if op.name == "FULLY_CONNECTED"]
    dynamic = [op for op in matrices if tensor_type(model, op.subgraph, op.inputs[1]) == "INT8"]
    # Two networks with four inner layers each in `lift`, one of them in each other signature.
    assert len(dynamic) == 8 + 3 * 4
    for op in dynamic:
        weights = model.subgraphs[op.subgraph].tensors[op.inputs[1]]
        assert weights.quantization.scale.tolist() == [1.0]
        assert op.inputs[2] == -1
