"""Measuring on recorded views, with models whose results are known, and end to end on real detections."""

import dataclasses
import json

import numpy as np
import pytest

from tests.filmed_poses import make_views
from training.evaluate import main
from training.measure_views import format_view_report, measure_views
from training.prepare_data import main as prepare
from vvipe_tf.data.frame_list import FrameKey, FrameList, write_frame_list
from vvipe_tf.geometry.keypoints_2d import normalise_keypoints
from vvipe_tf.keypoints import COCO_13
from vvipe_tf.models.network_config import NetworkConfig
from vvipe_tf.models.run_folder import Networks, save_run


class PerfectModel:
    """Knows the canonical pose of every view that it may be shown."""

    def __init__(self, views, kind="ground_truth", use_mask=True):
        self.config = {"kind": "vvipe"}
        self.network_config = NetworkConfig(use_mask=use_mask)
        self.poses = views.poses.canonical(COCO_13)
        truth = views.of_kind(kind)
        self.rows = {}
        for camera in range(len(views.cameras)):
            normalised, _ = normalise_keypoints(truth.keypoints_2d[camera].astype(np.float64), truth.visible[camera])
            for row, each in enumerate(normalised):
                self.rows[np.round(each, 3).tobytes()] = row

    def embed_poses(self, canonical_pose):
        return canonical_pose.reshape(len(canonical_pose), 39)

    def embed_keypoints(self, keypoints_2d, mask):
        assert self.network_config.use_mask or mask.all()
        normalised, _ = normalise_keypoints(keypoints_2d.astype(np.float64), mask)
        return self.embed_poses(self.poses[[self.rows[np.round(each, 3).tobytes()] for each in normalised]])

    def decode(self, embedding):
        return embedding.reshape(len(embedding), 13, 3)


@pytest.fixture(scope="module")
def views():
    views = make_views()
    truth = views.of_kind("ground_truth")
    seen = np.ones((3, 70), dtype=bool)
    seen[1, 50:] = False
    return views.with_kind("alphapose", truth.keep(seen[..., None]))


def test_a_perfect_model_hits_always_lifts_without_error_and_agrees_with_itself(views):
    entry = measure_views(PerfectModel(views), views, "alphapose", gallery_size=40, window=0)
    assert list(entry["galleries"]) == ["all", "distinct"]
    assert (entry["virtual"], entry["synthetic"], entry["left_out"]) == (False, True, {})
    assert {gallery["unusable_views"] for gallery in entry["galleries"].values()} == {0}
    whole, distinct = entry["galleries"].values()
    assert whole["seen"] == {"left": 70, "front": 50, "right": 70}
    assert distinct["frames"] == 40
    for gallery in (whole, distinct):
        assert gallery["metrics"] == ["H36M_17", "COCO_13"]
        for metric in gallery["metrics"]:
            measured = gallery["groups"]["all"]
            assert measured["model"][metric]["pairs"] == 6
            assert set(measured["model"][metric]["hit_at_k"].values()) == {1.0}
            assert measured["model"][metric]["first_neighbour_np_mpjpe"] == 0
            assert measured["keypoints_2d"][metric]["hit_at_k"]["1"] < 1
            assert measured["chance"][metric]["hit_at_k"]["1"] < 0.5
        assert gallery["oracle_3d"] == gallery["canonical_3d"]
        assert gallery["lifting"]["mean"]["mpjpe_mm"] == 0
        assert gallery["agreement"]["mpjpe"] == 0
    assert whole["groups"]["all"]["model"]["COCO_13"]["gallery_size"] == pytest.approx((2 * 70 + 4 * 50) / 6)
    report = format_view_report({"data": "x", "kind": "alphapose", **entry})
    assert "| model, all " in report
    assert "real cameras" in report


def test_a_list_is_measured_as_it_is(views, tmp_path):
    listed = np.zeros((3, 70), dtype=bool)
    listed[:, 3:60:2] = True
    listed[0, 3] = False
    write_frame_list(tmp_path / "list.txt", views.poses, views.cameras, listed)
    keys = [FrameKey.parse(line) for line in (tmp_path / "list.txt").read_text().splitlines()]
    entry = measure_views(PerfectModel(views), views, "ground_truth", FrameList(keys))
    gallery = entry["galleries"]["listed"]
    assert list(entry["galleries"]) == ["listed"]
    assert gallery["seen"] == {"left": 28, "front": 29, "right": 29}
    assert gallery["window"] == 0
    with pytest.raises(ValueError, match="1 of 30 keys that are not"):
        measure_views(PerfectModel(views), views, "ground_truth", FrameList([*keys[:29], keys[3]._replace(frame=99)]))


def test_models_with_and_without_a_mask_are_measured_on_the_same_views(views):
    truth = views.of_kind("ground_truth")
    whole = np.ones((3, 70, 13), dtype=bool)
    whole[2, :7, COCO_13.index("nose")] = False
    whole[:, 60:, COCO_13.index("left_wrist")] = False
    some = views.with_kind("openpose", truth.keep(whole))
    without, with_mask = (
        measure_views(PerfectModel(some, "openpose", use_mask), some, "openpose", window=0, gallery_size=30)
        for use_mask in (False, True)
    )
    assert list(without["galleries"]) == ["all", "distinct"]
    assert list(with_mask["galleries"]) == ["all", "distinct", "all_with_missing", "distinct_with_missing"]
    for name, gallery in without["galleries"].items():
        same = with_mask["galleries"][name]
        assert (same["frames_sha256"], same["seen"]) == (gallery["frames_sha256"], gallery["seen"])
        assert same["unusable_views"] == gallery["unusable_views"] == 7 + 30
    assert without["galleries"]["all"]["seen"] == {"left": 60, "front": 60, "right": 53}
    larger = with_mask["galleries"]["all_with_missing"]
    assert larger["seen"] == {"left": 70, "front": 70, "right": 70}
    assert larger["unusable_views"] == 0
    assert larger["frames_sha256"] != with_mask["galleries"]["all"]["frames_sha256"]
    report = format_view_report({"data": "x", "kind": "openpose", **with_mask})
    assert "no answers; views with all joints" in report
    assert "show too little to be in it: 37." in report
    assert "another; views that miss joints too" in report


def test_the_digest_of_a_gallery_tells_which_views_of_its_frames_are_measured(views):
    fewer = np.ones((3, 70), dtype=bool)
    fewer[1, 5] = False
    digests = [
        measure_views(PerfectModel(views), each, "ground_truth", gallery_size=30)["galleries"]["all"]["frames_sha256"]
        for each in (views, views.keep_views(fewer))
    ]
    assert digests[0] != digests[1]


def test_where_too_few_views_show_all_joints_those_with_missing_ones_are_measured_alone(views):
    truth = views.of_kind("ground_truth")
    whole = np.ones((3, 70, 13), dtype=bool)
    whole[:, 1:, COCO_13.index("nose")] = False
    some = views.with_kind("openpose", truth.keep(whole))
    entry = measure_views(PerfectModel(some, "openpose"), some, "openpose", window=0, gallery_size=30)
    assert list(entry["galleries"]) == ["all_with_missing", "distinct_with_missing"]
    assert list(entry["left_out"]) == ["all", "distinct"]
    assert "Not measured: all. Expected at least 2" in format_view_report({"data": "x", "kind": "y", **entry})
    with pytest.raises(ValueError, match="at least 2 candidates"):
        measure_views(PerfectModel(some, "openpose", use_mask=False), some, "openpose", window=0, gallery_size=30)


def test_of_a_source_with_a_protocol_the_test_subjects_alone_are_measured_unless_a_list_says_otherwise(views):
    columns = {"source": np.full(70, "human36m"), "subject": np.where(np.arange(70) < 40, "S11", "S5")}
    poses = dataclasses.replace(views.poses, **columns, licenses={"human36m": "theirs"})
    official = dataclasses.replace(views, poses=poses)
    model = PerfectModel(views)
    assert measure_views(model, official, "ground_truth", window=0)["galleries"]["all"]["frames"] == 40
    keys = [FrameKey("S5", str(poses.sequence[row]), camera, int(poses.frame[row]))
            for row in range(45, 70) for camera in views.cameras]  # fmt: skip
    assert measure_views(model, official, "ground_truth", FrameList(keys))["galleries"]["listed"]["frames"] == 25
    with pytest.raises(ValueError, match="that the protocol does not train on"):
        measure_views(model, official.select(np.arange(45, 70)), "ground_truth")


def test_what_cannot_be_measured_is_refused(views):
    model = PerfectModel(views)
    with pytest.raises(ValueError, match="Received: 'cpn'"):
        measure_views(model, views, "cpn")
    with pytest.raises(ValueError, match="window of at least 0"):
        measure_views(model, views, "alphapose", window=-1)
    with pytest.raises(ValueError, match="a view that the model can use"):
        measure_views(model, views.keep_views(np.zeros((3, 70), dtype=bool)), "alphapose")
    with pytest.raises(ValueError, match="at least 2 cameras"):
        measure_views(model, views.select_cameras(["left"]), "alphapose")


@pytest.fixture(scope="module")
def run_dir(tmp_path_factory):
    """A run folder of small, untrained networks."""
    folder, config = tmp_path_factory.mktemp("run"), NetworkConfig(embedding_dim=5, width=24, num_blocks=1)
    save_run(folder, Networks.build(config), config, {"data": {}, "versions": {}, "commit": None, "seed": 4})
    return folder


def test_command_measures_views_and_keeps_what_was_measured_before(run_dir, views, tmp_path, capsys):
    views.save(tmp_path / "lab.views.npz")
    arguments = ["--run-dir", str(run_dir), "--views", str(tmp_path / "lab.views.npz"), "--gallery-size", "33"]
    assert main([*arguments, "--kind", "alphapose", "--window", "3"]) == 0
    assert main([*arguments, "--kind", "ground_truth"]) == 0
    content = json.loads((run_dir / "view_results.json").read_text())
    assert list(content["results"]) == ["lab.views.npz/alphapose", "lab.views.npz/ground_truth"]
    entry = content["results"]["lab.views.npz/alphapose"]
    assert entry["galleries"]["all"]["window"] == 3
    assert entry["command"].startswith("python -m training.evaluate --run-dir")
    assert "SYNTHETIC" in capsys.readouterr().out
    assert main([*arguments, "--kind", "cpn"]) == 2
    assert main(["--run-dir", str(run_dir), "--kind", "alphapose"]) == 2
    assert "Expected --views" in capsys.readouterr().err
    (run_dir / "view_results.json").write_text("{}")
    assert main(arguments) == 2
    assert (run_dir / "view_results.json").read_text() == "{}"


@pytest.mark.real_data
def test_real_detections_are_prepared_and_measured_end_to_end(shared_data, run_dir, tmp_path, capsys):
    views, listed = tmp_path / "b.views.npz", tmp_path / "own.txt"
    command = [str(shared_data / "pose2sim_balancing"), "--views", "--fps", "60", "--output", str(views)]
    assert prepare([*command, "--write-frame-list", str(listed)]) == 0
    (run_dir / "view_results.json").unlink(missing_ok=True)
    arguments = ["--run-dir", str(run_dir), "--views", str(views), "--kind", "openpose"]
    assert main(arguments) == 0
    assert main([*arguments, "--frames", str(listed)]) == 0
    results = json.loads((run_dir / "view_results.json").read_text())["results"]
    galleries = results["b.views.npz/openpose"]["galleries"]
    assert {name: gallery["frames"] for name, gallery in galleries.items()} == {
        "all": 100,
        "distinct": 52,
        "all_with_missing": 100,
        "distinct_with_missing": 52,
    }
    whole = galleries["all_with_missing"]
    assert galleries["all"]["seen"]["cam4"] < whole["seen"]["cam4"] == 100
    assert whole["groups"]["all"]["model"]["COCO_13"]["pairs"] == 12
    assert results["b.views.npz/openpose/listed"]["galleries"]["listed"]["frames"] == 52
    # The 2D baseline needs no training: its number on real detections is a fact of these data.
    assert 0.1 < whole["groups"]["all"]["keypoints_2d"]["COCO_13"]["hit_at_k"]["1"] < 0.5
    assert "between two cameras" in capsys.readouterr().out
