"""VideoPose3D archives open without running what is in them."""

import io
import os
import pickle

import numpy as np
import pytest

from vvipe_tf.formats.detections.reading import read_detections
from vvipe_tf.formats.restricted_pickle import read_object_array
from vvipe_tf.keypoints import COCO_17, H36M_17


def write_archive(path, positions, metadata):
    np.savez_compressed(path, positions_2d=np.array(positions, dtype=object), metadata=np.array(metadata, dtype=object))
    return path


def test_every_sequence_becomes_a_track(tmp_path):
    rng = np.random.default_rng(4)
    walk = [rng.uniform(0, 1000, (frames, 17, 2)).astype("float32") for frames in (3, 4)]
    walk[0][1, 5] = np.nan
    positions = {"S1": {"Walking": walk}, "S5": {"Eating 1": [walk[1][:2]]}}
    metadata = {"layout_name": "coco", "num_joints": 17, "keypoints_symmetry": [[1, 3], [2, 4]], "w": np.float64(3)}
    table = read_detections(write_archive(tmp_path / "data_2d.npz", positions, metadata))
    assert table.source_format == "videopose3d"
    assert table.profile is COCO_17
    assert [len(rows) for _, rows in table.by_person()] == [3, 4, 2]
    assert list(table.image[[0, 3, 7]]) == ["S1/Walking/0", "S1/Walking/1", "S5/Eating 1/0"]
    np.testing.assert_array_equal(table.of_person(1).keypoints_2d, walk[1])
    assert table.scores[1, 5] == 0
    assert table.scores.sum() == 9 * 17 - 1


def test_the_layout_comes_from_the_metadata_or_from_the_caller(tmp_path):
    positions = {"me": {"custom": [np.ones((2, 17, 2))]}}
    path = write_archive(tmp_path / "odd.npz", positions, {"layout_name": "mine", "num_joints": 17})
    with pytest.raises(ValueError, match="--profile"):
        read_detections(path)
    assert read_detections(path, H36M_17).profile is H36M_17
    wrong = write_archive(tmp_path / "wrong.npz", {"me": {"x": [np.ones((2, 16, 2))]}}, {})
    with pytest.raises(ValueError, match=r"\(frames, 17, 2\) for COCO_17"):
        read_detections(wrong, COCO_17)


class _Harmful:
    def __reduce__(self):
        return os.mkdir, ("harm-was-done",)


def test_foreign_classes_are_named_and_not_called(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = write_archive(tmp_path / "harmful.npz", {"S1": {"Walking": _Harmful()}}, {})
    with pytest.raises(ValueError, match=r"foreign class (posix|nt)\.mkdir"):
        read_detections(path, COCO_17)
    assert not (tmp_path / "harm-was-done").exists()


@pytest.mark.parametrize(
    "function", [eval, exec, __import__, getattr, np.load, pickle.loads, np.lib.format.read_array, np.memmap]
)
def test_no_function_but_array_building_is_reached(tmp_path, function):
    class Calls:
        def __reduce__(self):
            return function, ("1",)

    path = write_archive(tmp_path / "calls.npz", {"a": {"b": Calls()}}, {})
    with pytest.raises(ValueError, match="foreign class"):
        read_detections(path, COCO_17)


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_arrays_of_every_pickle_protocol_are_rebuilt(protocol):
    content = {"a": np.arange(6.0).reshape(2, 3), "b": [np.float32(2.5), b"bytes", "text"], "c": (1, None, {2})}
    if protocol < 4:
        content["c"] = (1, None)
    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(stream, {"descr": "|O", "fortran_order": False, "shape": ()})
    pickle.dump(np.array(content, dtype=object), stream, protocol=protocol)
    stream.seek(0)
    loaded = read_object_array(stream, "file").item()
    np.testing.assert_array_equal(loaded["a"], content["a"])
    assert loaded["b"] == content["b"]
    assert loaded["c"] == content["c"]


def test_damaged_archives_give_one_clear_error(tmp_path):
    path = write_archive(tmp_path / "good.npz", {"S1": {"Walking": [np.ones((2, 17, 2))]}}, {})
    whole = path.read_bytes()
    rng = np.random.default_rng(6)
    for trial in range(60):
        damaged = bytearray(whole)
        for place in rng.integers(0, len(whole), 4):
            damaged[place] = rng.integers(0, 256)
        path.write_bytes(bytes(damaged[: len(whole) if trial % 2 else rng.integers(1, len(whole))]))
        try:
            people, refusal = len(read_detections(path, COCO_17)), ""
        except ValueError as error:
            people, refusal = 0, str(error)
        assert people == 2 or "good.npz" in refusal
