"""The data set: units, selections, round trips, and files that are not what they should be."""

import json

import numpy as np
import pytest

from vvipe_tf.data.dataset import PoseDataset
from vvipe_tf.data.dataset_file import read_dataset_file
from vvipe_tf.geometry.canonical import torso_length
from vvipe_tf.keypoints import COCO_13, H36M_17, MPI_INF_3DHP_28, map_keypoints


def make_dataset(num_poses=7, seed=0, source="lab", **fields):
    rng = np.random.default_rng(seed)
    defaults = {
        "subject": np.array(["anna", "bo"])[np.arange(num_poses) % 2],
        "sequence": np.array(["walk", "wave äöü"])[np.arange(num_poses) // 4 % 2],
        "source": np.full(num_poses, source),
        "frame": np.arange(num_poses) * 3,
        "fps": 10,
        "licenses": {source: "CC0"},
    }
    positions = rng.normal(size=(num_poses, 17, 3)) + [4.0, -2.0, 1.0]
    return PoseDataset.from_metres(H36M_17, positions, **(defaults | fields)), positions


def assert_equal(first, second):
    for name in ("poses", "torso_lengths_mm", "subject", "sequence", "source", "frame"):
        np.testing.assert_array_equal(getattr(first, name), getattr(second, name))
    for name in ("profile", "fps", "licenses", "synthetic"):
        assert getattr(first, name) == getattr(second, name)


def test_poses_in_torso_units_times_torso_length_are_the_metres_they_came_from():
    dataset, positions = make_dataset()
    np.testing.assert_allclose(torso_length(dataset.poses, H36M_17), 1.0, rtol=1e-5)
    metres = dataset.poses * dataset.torso_lengths_mm[:, None, None] / 1000
    np.testing.assert_allclose(metres, positions, atol=1e-5)
    assert dataset.poses.dtype == dataset.torso_lengths_mm.dtype == np.float32
    assert dataset.frame.dtype == np.int32


def test_a_saved_data_set_is_loaded_bit_for_bit(tmp_path):
    dataset, _ = make_dataset(synthetic=True)
    dataset.save(tmp_path / "some.poses.npz")
    assert_equal(PoseDataset.load(tmp_path / "some.poses.npz"), dataset)
    with np.load(tmp_path / "some.poses.npz", allow_pickle=False) as archive:
        assert archive["subject_names"].tolist() == ["anna", "bo"]
        assert archive["subject_codes"].dtype == np.int32
        assert json.loads(archive["metadata"].item())["licenses"] == {"lab": "CC0"}


def test_an_empty_data_set_is_saved_and_loaded(tmp_path):
    dataset = make_dataset()[0].select(np.zeros(7, dtype=bool))
    dataset.save(tmp_path / "none.poses.npz")
    assert len(PoseDataset.load(tmp_path / "none.poses.npz")) == 0
    assert dataset.licenses == {}
    assert dataset.summary() == ()
    assert dataset.sequence_frames() == {}


def test_canonical_poses_are_found_with_all_joints_and_then_reduced():
    dataset, _ = make_dataset()
    full, reduced = dataset.canonical(), dataset.canonical(COCO_13)
    np.testing.assert_allclose(full[:, H36M_17.index("pelvis")], 0, atol=1e-6)
    hips = full[:, H36M_17.index("right_hip")] - full[:, H36M_17.index("left_hip")]
    assert (hips[:, 1] > 0).all()
    np.testing.assert_array_equal(reduced, map_keypoints(full, H36M_17, COCO_13))
    assert reduced.shape == (7, 13, 3)
    assert reduced.dtype == np.float32


def test_centred_poses_keep_the_orientation_of_the_world():
    dataset, positions = make_dataset()
    centred = dataset.centred(COCO_13)
    nose = positions[:, H36M_17.index("nose")] - positions[:, H36M_17.index("pelvis")]
    expected = nose / dataset.torso_lengths_mm[:, None] * 1000
    np.testing.assert_allclose(centred[:, COCO_13.index("nose")], expected, atol=1e-5)


def test_select_takes_masks_and_indices_and_forgets_sources_that_are_gone():
    first, second = make_dataset()[0], make_dataset(5, seed=1, source="home", synthetic=True)[0]
    both = PoseDataset.concatenate([first, second])
    assert len(both) == 12
    assert both.synthetic
    assert both.licenses == {"lab": "CC0", "home": "CC0"}
    home = both.select(both.source == "home")
    np.testing.assert_array_equal(home.poses, second.poses)
    assert home.licenses == {"home": "CC0"}
    assert home.synthetic
    assert both.select([9, 0]).frame.tolist() == [6, 0]
    assert len(both.select([])) == 0


@pytest.mark.parametrize("chosen", [np.ones(6, bool), np.array([[1, 2]]), np.array([0.5]), np.array(["walk"])])
def test_select_refuses_what_is_neither_mask_nor_indices(chosen):
    with pytest.raises(ValueError, match="Expected"):
        make_dataset()[0].select(chosen)


def test_summary_counts_by_source():
    both = PoseDataset.concatenate([make_dataset()[0], make_dataset(3, source="home")[0]])
    assert both.summary() == (("home", 3, 2, 2, "CC0"), ("lab", 7, 2, 4, "CC0"))
    assert both.sequence_frames()["lab", "bo", "walk"].tolist() == [1, 3]


def test_concatenate_refuses_what_does_not_go_together():
    dataset, _ = make_dataset()
    with pytest.raises(ValueError, match="at least one"):
        PoseDataset.concatenate([])
    with pytest.raises(ValueError, match="one frame rate"):
        PoseDataset.concatenate([dataset, make_dataset(fps=25)[0]])
    with pytest.raises(ValueError, match="one licence for lab"):
        PoseDataset.concatenate([dataset, make_dataset(licenses={"lab": "MIT"})[0]])


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"subject": ["anna"] * 6}, r"subject of shape \(7,\)"),
        ({"fps": 0}, "positive frame rate"),
        ({"licenses": {"other": "CC0"}}, "licence for each source"),
        ({"frame": np.zeros((7, 1))}, r"frame of shape \(7,\)"),
    ],
)
def test_columns_that_do_not_fit_are_refused(fields, message):
    with pytest.raises(ValueError, match=message):
        make_dataset(**fields)


def test_poses_without_a_torso_are_refused():
    columns = {"subject": ["a"], "sequence": ["b"], "source": ["c"], "frame": [0], "fps": 5, "licenses": {"c": "CC0"}}
    with pytest.raises(ValueError, match="torso"):
        PoseDataset.from_metres(H36M_17, np.zeros((1, 17, 3)), **columns)
    with pytest.raises(ValueError, match=r"\(num_poses, 28, 3\) for MPI_INF_3DHP_28"):
        PoseDataset(MPI_INF_3DHP_28, np.zeros((1, 17, 3)), [490.0], **columns)
    with pytest.raises(ValueError, match="finite poses. Received: 1 others, the first at 0"):
        PoseDataset(H36M_17, np.full((1, 17, 3), np.nan), [490.0], **columns)
    with pytest.raises(ValueError, match="torso_lengths_mm"):
        PoseDataset(H36M_17, np.ones((1, 17, 3)), [0.0], **columns)


def rewritten(path, **replaced):
    """The data set file with some of its arrays replaced; None drops one."""
    with np.load(path) as archive:
        arrays = {name: archive[name] for name in archive.files} | replaced
    np.savez(path, **{name: array for name, array in arrays.items() if array is not None})


def metadata(path, **replaced):
    with np.load(path) as archive:
        return np.array(json.dumps(json.loads(archive["metadata"].item()) | replaced))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda path: {"poses": np.zeros((7, 16, 3), np.float32)}, r"\(num_poses, 17, 3\)"),
        (lambda path: {"poses": np.full((7, 17, 3), np.nan, np.float32)}, "finite poses"),
        (lambda path: {"poses": np.load(path)["poses"] * 490}, "torso units"),
        (lambda path: {"poses": np.zeros((7, 17, 3))}, "poses of float32"),
        (lambda path: {"frame": None}, r"without \['frame'\]"),
        (lambda path: {"subject_names": np.array(["a", {}], dtype=object)}, "allow_pickle"),
        (lambda path: {"subject_codes": np.full(7, 2, np.int32)}, r"subject_codes in \[0, 2\)"),
        (lambda path: {"source_names": np.array([1])}, "source_names as strings"),
        (lambda path: {"metadata": np.array("{}")}, "format 'vvipe-poses'"),
        (lambda path: {"metadata": np.array("{")}, "other.poses.npz"),
        (lambda path: {"metadata": np.array(3)}, "one string"),
        (lambda path: {"metadata": metadata(path, version=2)}, "version 1"),
        (lambda path: {"metadata": metadata(path, fps="fast")}, "fps in the metadata"),
        (lambda path: {"metadata": metadata(path, profile="H36M_99")}, "H36M_99"),
        (lambda path: {"metadata": metadata(path, keypoint_names=["nose"])}, "joints of H36M_17"),
    ],
)
def test_a_file_that_is_not_what_it_should_be_is_named_in_one_error(tmp_path, change, message):
    path = tmp_path / "other.poses.npz"
    make_dataset()[0].save(path)
    rewritten(path, **change(path))
    with pytest.raises(ValueError, match=message) as error:
        PoseDataset.load(path)
    assert "other.poses.npz" in str(error.value)


def test_a_truncated_file_is_refused_at_every_length(tmp_path):
    path = tmp_path / "cut.poses.npz"
    make_dataset()[0].save(path)
    content = path.read_bytes()
    for length in np.linspace(0, len(content) - 1, 23).astype(int):
        path.write_bytes(content[:length])
        with pytest.raises(ValueError, match="cut.poses.npz"):
            PoseDataset.load(path)


def test_a_flipped_byte_in_the_poses_is_noticed(tmp_path):
    path = tmp_path / "flipped.poses.npz"
    make_dataset()[0].save(path)
    content = bytearray(path.read_bytes())
    position = content.find(make_dataset()[0].poses.tobytes())
    assert position > 0
    content[position + 100] ^= 0xFF
    path.write_bytes(content)
    with pytest.raises(ValueError, match="flipped.poses.npz"):
        PoseDataset.load(path)


def test_a_file_that_does_not_exist_says_so(tmp_path):
    with pytest.raises(FileNotFoundError, match="absent.poses.npz"):
        read_dataset_file(tmp_path / "absent.poses.npz")


def test_save_refuses_another_suffix_and_other_units(tmp_path):
    dataset, _ = make_dataset()
    with pytest.raises(ValueError, match="ends in .poses.npz"):
        dataset.save(tmp_path / "some.npz")
    columns = {name: getattr(dataset, name) for name in ("subject", "sequence", "source", "frame", "fps", "licenses")}
    in_mm = PoseDataset(H36M_17, dataset.poses * 490, dataset.torso_lengths_mm, **columns)
    with pytest.raises(ValueError, match="torso units"):
        in_mm.save(tmp_path / "some.poses.npz")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("error", [OSError, KeyboardInterrupt])
def test_an_interrupted_save_leaves_the_old_file_whole(tmp_path, monkeypatch, error):
    path = tmp_path / "some.poses.npz"
    old, _ = make_dataset()
    old.save(path)

    def write_half(file, **arrays):
        file.write_bytes(b"half")
        raise error

    monkeypatch.setattr(np, "savez", write_half)
    with pytest.raises(error):
        make_dataset(5, seed=2)[0].save(path)
    assert_equal(PoseDataset.load(path), old)
    assert [entry.name for entry in tmp_path.iterdir()] == ["some.poses.npz"]
