"""MoveNet Lightning as a TFLite file: `python -m export.movenet --output DIR`.

The npm package of Human carries Google's MoveNet Lightning v4 (Apache-2.0) as a TensorFlow.js graph. It is fetched with
npm, compared with its SHA-256, converted, and written with a detector.json that names its hash and its joints.
"""

import argparse
import base64
import hashlib
import json
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from export.android_assets import ANDROID_ASSETS
from vvipe_tf.cli import CommandParser, run_command
from vvipe_tf.formats.atomic import atomic_path
from vvipe_tf.keypoints import COCO_17
from vvipe_tf.silence import silenced_start

PACKAGE = "@vladmandic/human@3.3.6"
PACKAGE_SHA256 = "425e9c51dbbca0c8934362b170cb0d54c2529c11c654b3c03092b16e9d6ad3f7"
MODEL_FILE, MANIFEST_FILE = "movenet_lightning_float16.tflite", "detector.json"
FORMAT, VERSION = "vvipe-detector", 1
INPUT_SIZE = 192
_TOPOLOGY, _WEIGHTS = "package/models/movenet-lightning.json", "package/models/movenet-lightning.bin"
# TensorFlow.js fuses these; TensorFlow itself runs the parts.
_UNFUSED = {"_FusedConv2D": "Conv2D", "FusedDepthwiseConv2dNative": "DepthwiseConv2dNative"}
_CONVOLUTION_ATTRIBUTES = ("T", "strides", "padding", "data_format", "dilations", "explicit_paddings")


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command line; returns the exit code."""
    parser = CommandParser(
        prog="python -m export.movenet",
        description=__doc__.splitlines()[0],
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--output", default=str(ANDROID_ASSETS), help="folder for the model and its detector.json")
    parser.add_argument("--package", help=f"file of npm's {PACKAGE}; fetched with npm if not given")
    arguments = parser.parse_args(argv)

    def command():
        with tempfile.TemporaryDirectory() as folder:
            package = Path(arguments.package) if arguments.package else fetch_package(folder)
            topology, weights = read_package(package.read_bytes())
        content = convert_graph(topology, weights)
        digest = write_detector(content, arguments.output)
        print(f"{MODEL_FILE}: {len(content)} bytes, SHA-256 {digest}, in {arguments.output}")

    return run_command(command)


def fetch_package(folder: str) -> Path:
    """Fetches the npm package into a folder.

    Raises:
        FileNotFoundError: If there is no npm, or npm does not find the package.
    """
    fetched = subprocess.run(["npm", "pack", "--silent", PACKAGE], cwd=folder, capture_output=True, text=True)
    if fetched.returncode:
        raise FileNotFoundError(f"Expected {PACKAGE} from npm. Received: {fetched.stderr or fetched.stdout}")
    return Path(folder) / fetched.stdout.split()[-1]


def read_package(content: bytes) -> tuple[dict, bytes]:
    """Takes MoveNet out of the package.

    Args:
        content: Bytes of the package, a gzipped tar file.

    Returns:
        The TensorFlow.js document, and the bytes of its weights.

    Raises:
        ValueError: If the hash of the package is not the one that was tried.
    """
    found = hashlib.sha256(content).hexdigest()
    if found != PACKAGE_SHA256:
        raise ValueError(f"Expected {PACKAGE} with the SHA-256 {PACKAGE_SHA256}. Received: {found}")
    with tempfile.TemporaryFile() as file:
        file.write(content)
        file.seek(0)
        with tarfile.open(fileobj=file, mode="r:gz") as package:
            topology, weights = (package.extractfile(name).read() for name in (_TOPOLOGY, _WEIGHTS))
    return json.loads(topology), weights


def convert_graph(document: Mapping, weights: bytes) -> bytes:
    """Converts a TensorFlow.js graph model to TFLite with float16 weights.

    Args:
        document: Content of its model.json: nodes and the manifest of the weights.
        weights: The weights, one after the other.

    Returns:
        The TFLite file.
    """
    with silenced_start():
        import tensorflow as tf
        from google.protobuf import json_format

        constants = read_weights(document["weightsManifest"], weights)
        nodes = [part for node in document["modelTopology"]["node"] for part in unfuse_node(node)]
        graph = json_format.ParseDict({"node": nodes}, tf.compat.v1.GraphDef())
        for node in graph.node:
            if node.op == "Const":
                node.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(constants[node.name]))
        names = [next(iter(document["signature"][side])) for side in ("inputs", "outputs")]
        wrapped = tf.compat.v1.wrap_function(lambda: tf.graph_util.import_graph_def(graph, name=""), [])
        function = wrapped.prune(*(wrapped.graph.get_tensor_by_name(name) for name in names))
        converter = tf.lite.TFLiteConverter.from_concrete_functions([function], wrapped)
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.target_spec.supported_types = [tf.float16]
        return converter.convert()


def read_weights(manifest: Sequence[Mapping], weights: bytes) -> dict[str, np.ndarray]:
    """Reads the weights of a TensorFlow.js model; those stored as float16 become float32."""
    arrays, start = {}, 0
    for entry in (entry for group in manifest for entry in group["weights"]):
        stored = np.dtype(entry.get("quantization", entry)["dtype"])
        count = int(np.prod(entry["shape"]))
        array = np.frombuffer(weights, stored, count, start).reshape(entry["shape"])
        arrays[entry["name"]] = array.astype(entry["dtype"])
        start += count * stored.itemsize
    if start != len(weights):
        raise ValueError(f"Expected {start} bytes of weights. Received: {len(weights)}")
    return arrays


def unfuse_node(node: Mapping) -> list[dict]:
    """Splits a fused convolution of TensorFlow.js into convolution, bias and activation; the last keeps the name.

    Raises:
        ValueError: If something else than a bias and one activation is fused into it.
    """
    if node["op"] not in _UNFUSED:
        return [dict(node)]
    attributes, inputs, name = node["attr"], node["input"], node["name"]
    fused = [base64.b64decode(step).decode() for step in attributes["fused_ops"]["list"]["s"]]
    if fused[0] != "BiasAdd" or len(fused) > 2 or len(inputs) != 3:
        raise ValueError(f"Expected a convolution with a bias and an activation. Received: {fused} in {name}")
    kept = {key: attributes[key] for key in _CONVOLUTION_ATTRIBUTES if key in attributes}
    element = {"T": attributes["T"]}
    steps = [(_UNFUSED[node["op"]], kept, inputs[1:2]), ("BiasAdd", element, inputs[2:])]
    steps += [(activation, element, []) for activation in fused[1:]]
    parts, source = [], inputs[0]
    for number, (op, about, others) in enumerate(steps, start=1):
        part = name if number == len(steps) else f"{name}/{op}"
        parts.append({"name": part, "op": op, "input": [source, *others], "attr": about})
        source = part
    return parts


def write_detector(content: bytes, folder: str) -> str:
    """Writes the model and the detector.json that names its hash; returns the hash."""
    digest = hashlib.sha256(content).hexdigest()
    about = {
        "format": FORMAT,
        "version": VERSION,
        "name": "MoveNet SinglePose Lightning v4",
        "license": "Apache-2.0",
        "source": f"npm {PACKAGE}, SHA-256 {PACKAGE_SHA256}",
        "file": MODEL_FILE,
        "sha256": digest,
        "input": {"size": INPUT_SIZE, "type": "int32", "channels": ["red", "green", "blue"], "range": [0, 255]},
        "output": {
            "channels": ["y", "x", "score"],
            "unit": "share of the picture's side",
            "joints": list(COCO_17.keypoint_names),
        },
    }
    with atomic_path(Path(folder) / MODEL_FILE) as temporary:
        temporary.write_bytes(content)
    with atomic_path(Path(folder) / MANIFEST_FILE) as temporary:
        temporary.write_text(json.dumps(about, indent=2) + "\n")
    return digest


if __name__ == "__main__":
    sys.exit(main())
