"""The public API, on a linear model and on a small exported one."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import vvipe_tf
from tests.small_models import LinearModel
from vvipe_tf import PoseEmbedder
from vvipe_tf.apps.lift_result import LiftResult
from vvipe_tf.apps.pretrained_model import pretrained_file
from vvipe_tf.apps.uncertainty import UncertaintyWeights
from vvipe_tf.data.rigs import CHEST
from vvipe_tf.data.synthetic import generate_synthetic
from vvipe_tf.formats.detections.detection_table import DetectionTable
from vvipe_tf.formats.layout.finding import LayoutWarning
from vvipe_tf.geometry.camera import view_rotation
from vvipe_tf.keypoints import COCO_13, COCO_17, H36M_17, map_keypoints

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def people():
    """Synthetic poses (H36M_17) and their keypoints COCO_13 in pixels, seen from the front left."""
    dataset = generate_synthetic(num_poses=420, seed=2, num_subjects=3).select(np.arange(0, 420, 20))
    seen = CHEST.project(dataset, seed=1)[1] * 1000 + 500
    return dataset, seen


@pytest.fixture
def embedder():
    return PoseEmbedder(LinearModel())


def test_lifting_gives_everything_row_by_row(embedder, people):
    _, seen = people
    result = embedder.lift(seen)
    assert result.poses.shape == (21, 13, 3)
    assert result.embeddings.shape == (21, 6)
    assert result.valid.all()
    assert result.visible.all()
    assert (result.uncertainty > 0).all()
    assert {array.dtype for array in (result.poses, result.embeddings, result.uncertainty)} == {np.dtype(np.float32)}
    np.testing.assert_array_equal(result.embeddings, embedder.embed(seen))
    np.testing.assert_allclose(result.poses, embedder.decode(result.embeddings), atol=1e-6)


def test_uncertainty_is_left_out_on_request(embedder, people):
    assert embedder.lift(people[1], uncertainty=False).uncertainty is None


def test_place_and_size_in_the_picture_do_not_matter(embedder, people):
    _, seen = people
    np.testing.assert_allclose(embedder.embed(seen), embedder.embed(0.01 * seen + [3, -7]), atol=1e-4)


def test_half_a_body_is_answered_and_its_guesses_are_named(embedder, people):
    scores = np.ones((21, 13))
    scores[:, [COCO_13.index(f"{side}_{part}") for side in ("left", "right") for part in ("knee", "ankle")]] = 0.1
    result = embedder.lift(people[1], scores)
    assert result.valid.all()
    assert (~result.visible).sum(axis=1).tolist() == [4] * 21


def test_a_body_without_a_hip_is_refused(embedder, people):
    scores = np.ones((21, 13))
    scores[4, COCO_13.index("left_hip")] = 0.0
    result = embedder.lift(people[1], scores)
    assert np.flatnonzero(~result.valid).tolist() == [4]
    for values in (result.poses, result.embeddings, result.uncertainty, embedder.embed(people[1], scores)):
        assert np.isnan(values[4]).all()
        assert np.isfinite(np.delete(values, 4, axis=0)).all()


def test_a_model_without_masks_refuses_every_missing_joint(people):
    scores = np.ones((21, 13))
    scores[7, COCO_13.index("left_wrist")] = 0.0
    assert np.flatnonzero(~PoseEmbedder(LinearModel(uses_mask=False)).lift(people[1], scores).valid).tolist() == [7]


def test_nobody_at_all_is_an_answer_too(embedder, people):
    assert not embedder.lift(people[1], np.zeros((21, 13))).valid.any()
    assert embedder.lift(np.zeros((0, 13, 2))).poses.shape == (0, 13, 3)


def test_a_detection_table_brings_scores_and_profile(embedder, people):
    _, seen = people
    scores = np.random.default_rng(0).uniform(0.2, 1, (21, 13)).astype(np.float32)
    table = DetectionTable(seen.astype(np.float32), scores, COCO_13, np.arange(21), np.full(21, -1), "test")
    expected = embedder.embed(seen.astype(np.float32), scores, "COCO_13")
    np.testing.assert_array_equal(embedder.embed(table), expected)
    with pytest.raises(ValueError, match="a detection table alone"):
        embedder.embed(table, scores)


def test_a_pose_may_have_any_unit_place_and_orientation(embedder, people):
    dataset, _ = people
    turned = 490.0 * dataset.poses @ view_rotation(0.7, 0.3, -0.2) + [100, -300, 40]
    embeddings = embedder.encode_pose(dataset.poses, H36M_17)
    np.testing.assert_allclose(embedder.encode_pose(turned, "H36M_17"), embeddings, atol=1e-4)
    assert embedder.encode_pose(dataset.poses.reshape(3, 7, 17, 3), H36M_17).shape == (3, 7, 6)
    assert embedder.encode_pose(dataset.poses[0], H36M_17).shape == (6,)


def test_canonical_poses_go_in_as_they_are(embedder, people):
    dataset, _ = people
    body = map_keypoints(dataset.canonical(), H36M_17, COCO_13)
    expected = embedder.encode_pose(dataset.poses, H36M_17)
    np.testing.assert_allclose(embedder.encode_pose(body, canonical=True), expected, atol=1e-5)
    assert not np.allclose(embedder.encode_pose(body), expected, atol=1e-3)


def test_distance_is_euclidean_and_broadcasts(embedder):
    a, b = np.zeros((4, 1, 6)), np.ones((1, 3, 6))
    np.testing.assert_allclose(embedder.distance(a, b), np.full((4, 3), np.sqrt(6)))


def test_samples_of_the_prior_are_standard_normal(embedder):
    samples = embedder.sample(4000, seed=1)
    np.testing.assert_allclose(samples.mean(axis=0), 0, atol=0.1)
    np.testing.assert_allclose(np.cov(samples.T), np.eye(6), atol=0.1)
    np.testing.assert_array_equal(samples, embedder.sample(4000, seed=1))
    assert not np.array_equal(samples, embedder.sample(4000, seed=2))


def test_samples_of_the_posterior_have_its_mean_and_covariance():
    rng = np.random.default_rng(0)
    factor, mean = rng.normal(size=(6, 6)), rng.normal(size=6)
    statistics = {"mean": mean.tolist(), "covariance": (factor @ factor.T).tolist()}
    embedder = PoseEmbedder(LinearModel(description={"embedding_statistics": statistics}))
    samples = embedder.sample(20_000, seed=1)
    np.testing.assert_allclose(samples.mean(axis=0), mean, atol=0.1)
    np.testing.assert_allclose(np.cov(samples.T), factor @ factor.T, atol=0.4)
    np.testing.assert_array_equal(embedder.sample(3, source="prior"), PoseEmbedder(LinearModel()).sample(3))


def test_a_posterior_that_is_not_known_is_not_made_up(embedder):
    with pytest.raises(ValueError, match="'prior'. Received: 'posterior'"):
        embedder.sample(2, source="posterior")


def test_neighbours_lie_around_an_embedding(embedder):
    start = np.arange(6.0)
    neighbours = embedder.perturb(start, alpha=0.2, num_samples=500, seed=3)
    np.testing.assert_allclose((neighbours - start).std(), 0.2, rtol=0.05)
    further = embedder.perturb(start, alpha=0.4, num_samples=500, seed=3)
    np.testing.assert_allclose(further - start, 2 * (neighbours - start), atol=1e-5)


def test_neighbours_have_the_covariance_of_the_embeddings_where_it_is_known():
    factor = np.random.default_rng(0).normal(size=(6, 6))
    statistics = {"mean": [9.0] * 6, "covariance": (factor @ factor.T).tolist()}
    embedder = PoseEmbedder(LinearModel(description={"embedding_statistics": statistics}))
    noise = embedder.perturb(np.arange(6.0), alpha=0.5, num_samples=20_000) - np.arange(6.0)
    np.testing.assert_allclose(noise.mean(axis=0), 0, atol=0.1)
    np.testing.assert_allclose(np.cov(noise.T), 0.25 * factor @ factor.T, atol=0.2)


def test_an_order_that_no_body_has_is_lifted_with_a_warning(embedder, people):
    _, seen = people
    order = np.arange(13)
    a, b = ([COCO_13.index(f"{side}_{part}") for side in ("left", "right")] for part in ("shoulder", "knee"))
    order[a + b] = order[b + a]
    for call in (embedder.lift, embedder.embed):
        with pytest.warns(LayoutWarning, match=r"joint|Joint") as caught:
            call(seen[:, order])
        assert caught[0].filename == __file__
    embedder.check_layout = False
    assert embedder.lift(seen[:, order]).valid.all()


def test_a_folder_that_is_no_run_is_refused_before_tensorflow_starts(tmp_path):
    code = (
        "import sys; from vvipe_tf import PoseEmbedder\n"
        "try: PoseEmbedder.from_run(sys.argv[1])\n"
        "except FileNotFoundError as error: print(error, 'tensorflow' in sys.modules)"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == f"Expected a run folder with a config.json. Received: {tmp_path} False\n"


def test_interpolation_runs_from_one_end_to_the_other(embedder):
    start, end = np.zeros(6), np.arange(6.0)
    line = embedder.interpolate(start, end, num_steps=5)
    np.testing.assert_allclose(line, np.arange(5)[:, None] / 4 * end, atol=1e-6)


def test_the_model_may_bring_its_own_calibration(people):
    weights = UncertaintyWeights(0.5, 0.0, 0.0, 0.0)
    embedder = PoseEmbedder(LinearModel(description={"uncertainty": weights._asdict()}))
    np.testing.assert_allclose(embedder.lift(people[1]).uncertainty, 0.5)


def test_cameras_see_the_lifted_poses_where_the_keypoints_are(embedder, people):
    scores = np.ones((21, 13))
    scores[4, COCO_13.index("left_hip")] = 0.0
    result = embedder.lift(people[1], scores)
    weak, pinhole = result.weak_camera(), result.perspective_camera(1000.0, (500.0, 500.0))
    assert weak.rotation.shape == pinhole.rotation.shape == (20, 3, 3)
    for camera in (weak, pinhole):
        off = np.linalg.norm(camera.project(result.poses[result.valid]) - result.keypoints_2d[result.valid], axis=-1)
        np.testing.assert_allclose(np.sqrt(np.square(off).mean(axis=1)), camera.error, rtol=1e-4)


def test_results_are_joined_row_by_row(embedder, people):
    whole = embedder.lift(people[1])
    joined = LiftResult.concatenate([embedder.lift(people[1][:8]), embedder.lift(people[1][8:])])
    np.testing.assert_allclose(joined.poses, whole.poses, atol=1e-6)
    np.testing.assert_allclose(joined.uncertainty, whole.uncertainty, atol=1e-5)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda e: e.encode_pose(np.zeros((4, 16, 3)), H36M_17), r"Expected poses of shape \(..., 17, 3\) for H36M_17"),
        (lambda e: e.encode_pose(np.zeros((4, 13, 3))), "Expected finite poses"),
        (lambda e: e.encode_pose(np.full((4, 13, 3), np.nan), canonical=True), "Expected finite poses"),
        (lambda e: e.decode(np.zeros((4, 5))), r"Expected embeddings of shape \(..., 6\)"),
        (lambda e: e.distance(np.zeros(6), np.zeros(7)), "Expected embeddings of shape"),
        (lambda e: e.perturb(np.zeros((2, 6))), r"Expected embeddings of shape \(6,\)"),
        (lambda e: e.perturb(np.zeros(6), alpha=np.nan), "Expected a finite alpha. Received: nan"),
        (lambda e: e.perturb(np.zeros(6), alpha=np.inf), "Expected a finite alpha. Received: inf"),
        (lambda e: e.embed(np.zeros((2, 19, 2))), "Received: 19"),
    ],
)
def test_what_does_not_fit_is_refused(embedder, call, message):
    with pytest.raises(ValueError, match=message):
        call(embedder)


def test_the_export_and_the_run_agree(small_run, small_model, people):
    dataset, seen = people
    scores = np.where(np.random.default_rng(1).uniform(size=(21, 13)) < 0.1, 0.1, 0.9)
    scores[:, [1, 2, 7, 8]] = 0.8
    exported, trained = PoseEmbedder.from_tflite(small_model), PoseEmbedder.from_run(small_run)
    assert exported.model_id == trained.model_id
    assert exported.embedding_dim == trained.embedding_dim == 5
    assert exported.torso_length_mm == 480.0
    first, second = exported.lift(seen, scores), trained.lift(seen, scores)
    np.testing.assert_allclose(first.poses, second.poses, atol=1e-4)
    np.testing.assert_allclose(first.uncertainty, second.uncertainty, atol=1e-3)
    np.testing.assert_allclose(
        exported.encode_pose(dataset.poses, H36M_17), trained.encode_pose(dataset.poses, H36M_17), atol=1e-4
    )


def test_an_export_describes_itself_and_not_the_files_beside_it(small_model, tmp_path):
    shutil.copy(small_model, tmp_path)
    about = json.loads(small_model.with_name("model.json").read_text())
    about["files"]["other.tflite"] = {"sha256": "0" * 64, "signatures": ["lift", "embed", "decode"]}
    (tmp_path / "model.json").write_text(json.dumps(about))
    description = PoseEmbedder.from_tflite(tmp_path / small_model.name).description
    assert list(description["files"]) == [small_model.name]
    assert description["embedding"]["dim"] == 5


def test_an_export_without_its_description_is_refused(small_model, tmp_path):
    (tmp_path / "alone.tflite").write_bytes(small_model.read_bytes())
    with pytest.raises(FileNotFoundError, match="model.json"):
        PoseEmbedder.from_tflite(tmp_path / "alone.tflite")


def test_a_variant_of_the_pretrained_model_is_found_by_name(small_model):
    assert pretrained_file(folder=small_model.parent) == small_model
    assert pretrained_file("float32", small_model.parent) == small_model
    with pytest.raises(FileNotFoundError, match="variant 'int8'.*Received: float32"):
        pretrained_file("int8", small_model.parent)


def test_a_package_without_a_model_says_so(tmp_path):
    with pytest.raises(FileNotFoundError, match="Name a model of your own"):
        pretrained_file(folder=tmp_path)


def test_lifting_needs_no_tensorflow(small_model, people):
    code = (
        "import sys, numpy as np; from vvipe_tf import PoseEmbedder;"
        f"e = PoseEmbedder.from_tflite({str(small_model)!r});"
        "e.lift(np.array(eval(sys.argv[1])));"
        "assert 'tensorflow' not in sys.modules and 'scipy.optimize' not in sys.modules"
    )
    command = [sys.executable, "-c", code, str(people[1][:2].tolist())]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_package_shows_its_api_without_importing_it():
    assert "PoseEmbedder" in dir(vvipe_tf)
    code = "import sys, vvipe_tf; assert 'numpy' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)
    with pytest.raises(AttributeError, match="Poser"):
        vvipe_tf.Poser  # noqa: B018


def test_a_coco_17_detection_goes_in_as_it_comes(embedder, people):
    seen = np.zeros((21, 17, 2))
    seen[:, [COCO_17.index(name) for name in COCO_13.keypoint_names]] = people[1]
    scores = (seen != 0).any(axis=-1).astype(float)
    np.testing.assert_allclose(embedder.embed(seen, scores, "COCO_17"), embedder.embed(people[1]), atol=1e-6)
