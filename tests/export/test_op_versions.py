"""Flatbuffers: order of subgraphs, op versions, damaged files."""

import numpy as np
import pytest

from export.flatbuffer_model import iterate_ops, op_versions, read_model, tensor_shape, write_model
from export.op_versions import correct_versions


def test_lift_is_the_first_subgraph_and_signatures_still_point_right(exported):
    model = read_model(exported.files["vvipe_float32.tflite"])
    names = {item.signatureKey.decode(): item for item in model.signatureDefs}
    assert names["lift"].subgraphIndex == 0
    assert sorted(item.subgraphIndex for item in names.values()) == [0, 1, 2, 3]
    decode = names["decode"]
    assert tensor_shape(model, decode.subgraphIndex, decode.inputs[0].tensorIndex) == (-1, 7)


def test_versions_that_a_quantiser_left_behind_are_corrected(exported):
    for name, content in exported.files.items():
        model = read_model(content)
        for code in model.operatorCodes:
            code.version = 1 if code.version in (2, 4, 7, 9) else code.version
        corrected = correct_versions(write_model(model))
        assert op_versions(read_model(corrected)) == op_versions(read_model(content)), name


def test_float_and_integer_layers_in_one_file_get_versions_of_their_own(exported):
    ops = iterate_ops(read_model(exported.files["vvipe_dynamic_range.tflite"]))
    assert {op.version for op in ops if op.name == "FULLY_CONNECTED"} == {1, 9}


def test_writing_what_was_read_changes_no_output(exported):
    import hashlib

    from vvipe_tf.apps.lite_model import LiteModel

    content = exported.files["vvipe_float16.tflite"]
    again = write_model(read_model(content))
    embedding = np.random.default_rng(1).normal(size=(3, 7))
    first, second = (LiteModel(each, hashlib.sha256(each).hexdigest()) for each in (content, again))
    np.testing.assert_array_equal(first.decode(embedding), second.decode(embedding))


def test_what_is_no_model_is_refused(exported):
    for content in (b"", b"TFL3", b"PK\x03\x04" * 9, b"\x00" * 4 + b"TFL3" + b"\xff" * 40):
        with pytest.raises(ValueError, match="Expected a TFLite model"):
            read_model(content)
