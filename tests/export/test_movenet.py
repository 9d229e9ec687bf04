"""The conversion of MoveNet: its parts; the whole is run by android_demo/test, which downloads the package."""

import base64
import io
import json
import tarfile

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter

import export.movenet
from export.movenet import convert_graph, main, read_package, read_weights, unfuse_node, write_detector
from vvipe_tf.keypoints import COCO_17


def fused(*steps, op="_FusedConv2D", inputs=("picture", "kernel", "offset")):
    steps = [base64.b64encode(step.encode()).decode() for step in steps]
    attributes = {
        "T": {"type": "DT_FLOAT"},
        "strides": {"list": {"i": ["1", "1", "1", "1"]}},
        "padding": {"s": base64.b64encode(b"SAME").decode()},
        "fused_ops": {"list": {"s": steps}},
        "num_args": {"i": "1"},
    }
    return {"name": "layer", "op": op, "input": list(inputs), "attr": attributes}


def test_a_fused_convolution_becomes_its_parts_and_the_last_keeps_the_name():
    parts = unfuse_node(fused("BiasAdd", "Relu6", op="FusedDepthwiseConv2dNative"))
    assert [part["op"] for part in parts] == ["DepthwiseConv2dNative", "BiasAdd", "Relu6"]
    assert parts[0]["input"] == ["picture", "kernel"]
    assert parts[1]["input"] == [parts[0]["name"], "offset"]
    assert parts[2] == {
        "name": "layer",
        "op": "Relu6",
        "input": [parts[1]["name"]],
        "attr": {"T": {"type": "DT_FLOAT"}},
    }
    assert "fused_ops" not in parts[0]["attr"]


@pytest.mark.parametrize(
    "node", [fused("Prelu"), fused("BiasAdd", "Relu", "Relu"), fused("BiasAdd", inputs=("picture", "kernel", "a", "b"))]
)
def test_what_else_is_fused_is_refused(node):
    with pytest.raises(ValueError, match="Expected a convolution with a bias and an activation"):
        unfuse_node(node)


def test_weights_are_read_one_after_the_other():
    half, whole = np.float16([[0.5, -2.0]]), np.int32([7, 8, 9])
    manifest = [
        {
            "weights": [
                {"name": "a", "shape": [1, 2], "dtype": "float32", "quantization": {"dtype": "float16"}},
                {"name": "b", "shape": [3], "dtype": "int32"},
            ]
        }
    ]
    arrays = read_weights(manifest, half.tobytes() + whole.tobytes())
    assert arrays["a"].dtype == np.float32
    np.testing.assert_array_equal(arrays["a"], half)
    np.testing.assert_array_equal(arrays["b"], whole)
    with pytest.raises(ValueError, match="Expected 16 bytes of weights. Received: 17"):
        read_weights(manifest, half.tobytes() + whole.tobytes() + b"x")


def test_a_small_graph_computes_what_it_says():
    kernel, offset = np.float32([[[[2.0], [-1.0]]]]), np.float32([0.5])
    weights = [
        {"name": "kernel", "shape": [1, 1, 2, 1], "dtype": "float32"},
        {"name": "offset", "shape": [1], "dtype": "float32"},
    ]
    shape = {"dim": [{"size": str(size)} for size in (1, 3, 4, 2)]}
    constants = [{"name": each["name"], "op": "Const", "attr": {"dtype": {"type": "DT_FLOAT"}}} for each in weights]
    picture = {
        "name": "picture",
        "op": "Placeholder",
        "attr": {"dtype": {"type": "DT_FLOAT"}, "shape": {"shape": shape}},
    }
    document = {
        "modelTopology": {"node": [picture, *constants, fused("BiasAdd", "Relu")]},
        "weightsManifest": [{"weights": weights}],
        "signature": {"inputs": {"picture:0": {}}, "outputs": {"layer:0": {}}},
    }
    interpreter = Interpreter(model_content=convert_graph(document, kernel.tobytes() + offset.tobytes()))
    interpreter.allocate_tensors()
    values = np.random.default_rng(1).normal(size=(1, 3, 4, 2)).astype(np.float32)
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], values)
    interpreter.invoke()
    expected = np.maximum(2 * values[..., :1] - values[..., 1:] + 0.5, 0)
    found = interpreter.get_tensor(interpreter.get_output_details()[0]["index"])
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_another_package_is_refused(tmp_path, capsys):
    package = tmp_path / "other.tgz"
    package.write_bytes(b"something else")
    assert main(["--package", str(package), "--output", str(tmp_path / "out")]) == 2
    assert capsys.readouterr().err.startswith("error: Expected @vladmandic/human@3.3.6 with the SHA-256")
    assert not (tmp_path / "out").exists()


def test_the_model_is_taken_out_of_the_package(monkeypatch):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as package:
        for name, content in (("json", b'{"format": "graph-model"}'), ("bin", b"1234")):
            entry = tarfile.TarInfo(f"package/models/movenet-lightning.{name}")
            entry.size = len(content)
            package.addfile(entry, io.BytesIO(content))
    digest = export.movenet.hashlib.sha256(buffer.getvalue()).hexdigest()
    monkeypatch.setattr(export.movenet, "PACKAGE_SHA256", digest)
    assert read_package(buffer.getvalue()) == ({"format": "graph-model"}, b"1234")


def test_the_detector_is_described_with_its_hash(tmp_path):
    digest = write_detector(b"model", str(tmp_path))
    about = json.loads((tmp_path / "detector.json").read_text())
    assert about["sha256"] == digest == export.movenet.hashlib.sha256(b"model").hexdigest()
    assert (tmp_path / about["file"]).read_bytes() == b"model"
    assert about["output"]["joints"] == list(COCO_17.keypoint_names)
