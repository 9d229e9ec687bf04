"""The export as a whole: files, gates, metadata, and that nothing is left behind when a gate fails."""

import dataclasses
import hashlib
import json

import numpy as np
import pytest

from export.detections import make_test_views
from export.exporter import ExportConfig, export_model
from export.flatbuffer_model import op_versions, read_model
from export.model_card import format_card
from export.pose_encoder import PoseGate
from export.runtime_support import RUNTIMES, supporting_runtimes
from export.tensor_metadata import check_with_displayer, describe_model, read_associated_files, read_metadata
from export.to_tflite import main
from export.verification import GATES, failed_gates
from vvipe_tf.apps.lite_manifest import MANIFEST_FILE, LiteManifest
from vvipe_tf.apps.lite_model import LiteModel
from vvipe_tf.keypoints import COCO_13, COCO_17
from vvipe_tf.models.run_folder import TrainedModel

VARIANTS = ["float32", "float16", "dynamic_range", "int8", "int16x8"]
FILES = [f"vvipe_{variant}.tflite" for variant in VARIANTS]


@pytest.mark.parametrize("file", FILES)
def test_every_variant_runs_and_carries_metadata(exported, file):
    content = exported.files[file]
    model = LiteModel(content, hashlib.sha256(content).hexdigest())
    assert set(model.signatures) == {"lift", "embed", "decode", "encode_pose"}
    check_with_displayer(content, exported.manifest.content)
    inside = read_associated_files(content)
    assert inside["keypoint_joints.txt"].split() == list(COCO_17.keypoint_names)
    assert inside["pose_joints.txt"].split() == list(COCO_13.keypoint_names)
    assert json.loads(inside["vvipe.json"])["input"]["score_threshold"] == 0.3
    metadata = read_metadata(content)
    lift = metadata.subgraphMetadata[0]
    assert [tensor.name for tensor in lift.inputTensorMetadata] == [b"keypoints"]
    interpreter_outputs = [
        read_model(content).subgraphs[0].tensors[i] for i in read_model(content).subgraphs[0].outputs
    ]
    for tensor, described in zip(interpreter_outputs, lift.outputTensorMetadata, strict=True):
        rank = {b"embedding": 2, b"pose": 3, b"valid": 1}[described.name]
        assert len(tensor.shape) == rank


def test_errors_grow_in_the_order_in_which_bits_are_saved(exported):
    errors = {
        about["variant"]: about["verification"]["test"]["mean_mm"]
        for about in exported.manifest.content["files"].values()
    }
    assert errors["float32"] < 0.001 < errors["float16"] < errors["dynamic_range"] < errors["int8"] < 8
    assert errors["int16x8"] < errors["dynamic_range"]


def test_weights_are_stored_once_for_all_signatures(exported, trained):
    named = trained.networks.get_weights().items()
    weights = sum(value.size for name, value in named if name.endswith(("kernel", "bias")) and "log_var" not in name)
    for name, bytes_each in (("vvipe_float32.tflite", 4), ("vvipe_float16.tflite", 2)):
        model = read_model(exported.files[name])
        stored = sum(len(buffer.data) for buffer in model.buffers if buffer.data is not None)
        assert 1.0 < stored / (bytes_each * weights) < 1.1


def test_old_runtimes_are_named_where_they_can_run_a_file(exported):
    versions = {name: op_versions(read_model(content)) for name, content in exported.files.items()}
    assert versions["vvipe_float32.tflite"]["FULLY_CONNECTED"] == 1
    assert versions["vvipe_dynamic_range.tflite"]["FULLY_CONNECTED"] == 9
    assert versions["vvipe_int8.tflite"]["FULLY_CONNECTED"] == 4
    files = exported.manifest.content["files"]
    assert files["vvipe_float16.tflite"]["runtimes"][0] == "TFLite 2.14.0"
    assert files["vvipe_dynamic_range.tflite"]["runtimes"][0] == "TFLite 2.14.0"
    assert supporting_runtimes({"FlexErf": 1}) == ()


def test_model_json_names_joints_hashes_and_origin_without_paths(exported, export_dir):
    manifest = LiteManifest.read(export_dir / MANIFEST_FILE)
    assert manifest.input_joints == COCO_17.keypoint_names
    assert manifest.pose_joints == COCO_13.keypoint_names
    assert manifest.embedding_dim == 7
    for name, digest in manifest.hashes.items():
        assert hashlib.sha256((export_dir / name).read_bytes()).hexdigest() == digest
    text = (export_dir / MANIFEST_FILE).read_text() + (export_dir / "MODEL_CARD.md").read_text()
    assert "/home/someone" not in text
    assert manifest.content["training"]["data"]["licenses"] == {"synthetic": "Apache-2.0"}


def test_a_single_pose_model_says_the_same(trained, splits, exported, lenient):
    config = ExportConfig(name="glasses", variants=("float32",), batch_sizes=(1,), gallery_size=9)
    export = export_model(trained, splits, config, gates=lenient)
    (file,) = export.files
    assert file == "glasses_float32_batch1.tflite"
    one, many = (
        LiteModel(content, hashlib.sha256(content).hexdigest())
        for content in (export.files[file], exported.files["vvipe_float32.tflite"])
    )
    keypoints = np.random.default_rng(0).uniform(0, 1, (5, 17, 3)) * [640, 480, 1]
    np.testing.assert_allclose(one.lift(keypoints).pose, many.lift(keypoints).pose, atol=1e-5)
    with pytest.raises(ValueError, match=r"encodes 3D poses.*from_run.*--encode-pose full"):
        one.encode_pose(np.zeros((1, 13, 3)))
    assert "pose_encoder" not in export.manifest.content
    assert "encode_pose" not in export.manifest.content["signatures"]


def test_a_compact_model_stands_beside_the_large_one_and_lends_it_its_3d_encoder(trained, compact, splits, lenient):
    settings = ExportConfig(variants=("float32",), gallery_size=9, encode_pose="distilled")
    export = export_model(trained, splits, settings, compact=compact, gates=lenient)
    assert list(export.files) == ["vvipe_float32.tflite", "vvipe_compact.tflite"]
    large, small = export.manifest.content["files"].values()
    assert small["variant"] == "compact"
    assert small["verification"]["test"]["mean_mm"] > 10
    assert (large["signatures"].count("encode_pose"), small["signatures"].count("encode_pose")) == (1, 0)
    assert export.manifest.content["pose_encoder"] == {
        "kind": "distilled",
        "width": 20,
        "num_blocks": 1,
        "weights_sha256": compact.config["weights_sha256"],
        "distilled_from": trained.config["weights_sha256"],
    }
    subgraph = read_model(export.files["vvipe_float32.tflite"]).subgraphs[0]
    assert [tuple(subgraph.tensors[i].shapeSignature) for i in subgraph.inputs] == [(-1, 17, 3)]
    poses = splits["test"].canonical(COCO_13)[:5]
    content = export.files["vvipe_float32.tflite"]
    found = LiteModel(content, hashlib.sha256(content).hexdigest()).encode_pose(poses)
    np.testing.assert_allclose(found, compact.embed_poses(poses), atol=1e-4)
    assert "a smaller encoder (width 20)" in format_card(export.manifest.content)


def test_a_3d_encoder_that_learnt_nothing_does_not_pass(trained, compact, make_trained, config, splits, lenient):
    other = TrainedModel(make_trained(config, 9).networks, compact.config)
    settings = ExportConfig(variants=("float32",), gallery_size=9, encode_pose="distilled")
    with pytest.raises(ValueError, match="encode_pose: .* neighbour distances from the trained encoder"):
        export_model(trained, splits, settings, compact=other, gates=lenient)


def test_a_3d_encoder_is_taken_only_from_a_model_distilled_from_this_one(trained, compact, splits):
    settings = ExportConfig(encode_pose="distilled")
    with pytest.raises(ValueError, match=r"distilled 3D encoder from\. Received: none"):
        export_model(trained, splits, settings)
    stranger = TrainedModel(compact.networks, compact.config | {"distilled_from": "1" * 64})
    with pytest.raises(ValueError, match="distilled from the weights 0{64}. Received: one from 1{64}"):
        export_model(trained, splits, settings, compact=stranger)
    with pytest.raises(ValueError, match="encode_pose among none, distilled, full. Received: 'half'"):
        ExportConfig(encode_pose="half")


def test_the_3d_encoder_is_measured_against_the_distance_between_neighbours(trained, splits, exported):
    """By hand: the float32 file's embeddings of the test poses, their nearest neighbours and their own distances."""
    found = exported.manifest.content["files"]["vvipe_int8.tflite"]["verification"]["test"]["encode_pose"]
    poses = make_test_views(splits["test"], 23, 0.1, 0).canonical
    wanted = trained.embed_poses(poses)
    content = exported.files["vvipe_int8.tflite"]
    model = LiteModel(content, hashlib.sha256(content).hexdigest())
    distances = np.linalg.norm(wanted[:, None] - wanted, axis=-1) + np.diag(np.full(len(wanted), np.inf))
    error = np.linalg.norm(model.encode_pose(poses) - wanted, axis=-1).mean()
    assert found["neighbour_share"] == pytest.approx(error / np.median(distances.min(axis=1)), rel=1e-3)
    assert 0 < found["neighbour_share"] < 0.5


def test_gates_name_everything_that_is_wrong():
    results = {
        "test_a": {"mean_mm": 2.5, "hit_at_1_change": {"chest": -0.7, "unseen": 3.0}, "valid": 1.0},
        "test_b": {"mean_mm": float("nan"), "hit_at_1_change": {"chest": 0.0, "unseen": -0.4}, "valid": 0.9},
    }
    failures = failed_gates(GATES["dynamic_range"], results, 9_000_001, ["LiteRT 2.3.0"])
    assert len(failures) == 5
    assert failures[0] == "test_a, chest: 0.70 points of Hit@1 lost, allowed are 0.5"
    assert failures[1].startswith("test_b: nan mm")
    assert "10.0%" in failures[2]
    assert "9000001" in failures[3]
    assert "LiteRT 1.0.1" in failures[4]
    fine = {"test_a": results["test_a"] | {"hit_at_1_change": {"chest": -0.5}}}
    assert failed_gates(GATES["dynamic_range"], fine, 9_000_000, list(RUNTIMES)) == []


def test_gates_of_the_3d_encoder_come_on_top_of_those_of_the_variant():
    gate, pose_gate, runtimes = GATES["dynamic_range"], PoseGate(0.4, 2.0, 1.2), list(RUNTIMES)
    result = {"mean_mm": 1.0, "hit_at_1_change": {"chest": 0.0}, "valid": 1.0}
    good = result | {"encode_pose": {"neighbour_share": 0.4, "hit_at_1": 70.0, "hit_at_1_change": -2.5}}
    bad = result | {"encode_pose": {"neighbour_share": 0.41, "hit_at_1": 70.0, "hit_at_1_change": -2.6}}
    assert failed_gates(gate, {"test": good}, 10_800_000, runtimes, pose_gate) == []
    assert failed_gates(gate, {"test": bad}, 10_800_001, runtimes, pose_gate) == [
        "test, encode_pose: 0.410 neighbour distances from the trained encoder, allowed are 0.4",
        "test, encode_pose: 2.60 points of Hit@1 lost, allowed are 2.5",
        "10800001 bytes, allowed are 10800000",
    ]


def test_metadata_of_another_model_is_noticed(exported):
    about = dict(exported.manifest.content)
    content = describe_model(exported.files["vvipe_int8.tflite"], about | {"name": "other"})
    with pytest.raises(ValueError, match="reads back"):
        check_with_displayer(exported.files["vvipe_int8.tflite"], about | {"name": "other"})
    assert content != exported.files["vvipe_int8.tflite"]


def test_command_exports_a_run_and_copies_the_android_file(run_dir, tmp_path, capsys, monkeypatch, lenient):
    monkeypatch.setitem(GATES, "dynamic_range", lenient["dynamic_range"])
    app = tmp_path / "assets"
    arguments = ["--run-dir", str(run_dir), "--output", str(tmp_path / "out"), "--encode-pose", "full"]
    assert main([*arguments, "--variant", "dynamic_range", "--gallery-size", "11", "--android", str(app)]) == 0
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "vvipe_dynamic_range.tflite",
        "model.json",
        "MODEL_CARD.md",
    }
    assert {path.name for path in app.iterdir()} == {
        "vvipe_dynamic_range.tflite",
        "model.json",
        "gallery.json",
    }
    assert LiteModel.load(app / "vvipe_dynamic_range.tflite").manifest.content["name"] == "vvipe"
    printed = capsys.readouterr().out
    assert "vvipe_dynamic_range.tflite" in printed
    assert "## Training data" in printed


def test_command_leaves_nothing_behind_when_a_gate_fails(run_dir, tmp_path, capsys, monkeypatch):
    strict = dataclasses.replace(GATES["float16"], mean_mm=1e-9)
    monkeypatch.setitem(GATES, "float16", strict)
    output = tmp_path / "out"
    arguments = ["--run-dir", str(run_dir), "--output", str(output), "--gallery-size", "11"]
    assert main([*arguments, "--variant", "float16", "--encode-pose", "full"]) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: vvipe_float16.tflite did not pass: test: ")
    assert "mm from Keras" in error
    assert not output.exists()


def test_command_tells_bad_input_in_one_line(run_dir, tmp_path, capsys):
    for arguments in (
        ["--run-dir", str(tmp_path / "nothing")],
        ["--run-dir", str(run_dir), "--variant", "int4"],
        ["--run-dir", str(run_dir), "--variant", "int8", "--android"],
        ["--run-dir", str(run_dir), "--gallery-size", "1"],
        ["--run-dir", str(run_dir), "--name", "../evil"],
        ["--run-dir", str(run_dir), "--encode-pose", "distilled"],
    ):
        assert main(arguments) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 6
    assert all(line.startswith("error: Expected") for line in lines)
