"""The index: answers like a loop over all items, before and after saving, whatever its kind."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vvipe_tf.apps.index import PoseIndex, pose_index
from vvipe_tf.apps.index.kinds import KINDS


def distances_by_loop(queries, vectors):
    return np.array([[np.sqrt(((a.astype(float) - b) ** 2).sum()) for b in vectors] for a in queries])


@pytest.mark.parametrize("kind", KINDS)
def test_answers_are_those_of_a_loop_over_all_items(cloud, kind):
    vectors, metadata = cloud(611)
    queries, _ = cloud(37, seed=5)
    index = PoseIndex.build(vectors, metadata, "model", kind=kind, recall=1.0)
    assert index.info()["kind"] == kind
    found = index.search(queries, 9, effort=600)
    expected = distances_by_loop(queries, vectors)
    np.testing.assert_allclose(found.distances, np.sort(expected, axis=1)[:, :9], rtol=1e-4)
    np.testing.assert_allclose(np.take_along_axis(expected, found.items, axis=1), found.distances, rtol=1e-4)
    assert found.items.dtype == np.int64
    assert all(len(set(row)) == 9 for row in found.items.tolist())


@pytest.mark.parametrize("kind", KINDS)
def test_many_equal_items_are_all_found(cloud, kind):
    vectors, metadata = cloud(611)
    index = PoseIndex.build(vectors, metadata, "model", kind=kind)
    equal = np.flatnonzero((vectors == vectors[0]).all(axis=1))
    assert len(equal) == 103
    found = index.search(vectors[:1], 104)
    np.testing.assert_array_equal(found.items[0, :103], equal)
    assert (found.distances[0, :103] == 0).all()
    assert found.distances[0, 103] > 0
    assert index.info()["distinct"] == 611 - 102


@pytest.mark.parametrize("kind", KINDS)
def test_a_saved_and_loaded_index_answers_identically(cloud, kind, tmp_path):
    vectors, metadata = cloud(530)
    queries, _ = cloud(41, seed=2)
    index = PoseIndex.build(vectors, metadata, "model", kind=kind, poses=np.ones((530, 4, 3)))
    assert index.save(tmp_path / "index") == 1
    loaded = PoseIndex.load(tmp_path / "index")
    for before, after in zip(index.search(queries, 7), loaded.search(queries, 7), strict=True):
        np.testing.assert_array_equal(before, after)
    assert loaded.info() == index.info()
    assert loaded.describe([529, 3]) == index.describe([529, 3])
    np.testing.assert_array_equal(loaded.embeddings([8, 200]), vectors[[8, 200]])
    np.testing.assert_array_equal(loaded.poses([8, 200]), np.ones((2, 4, 3)))


@pytest.mark.parametrize("kind", [*KINDS, None])
def test_items_can_be_added_to_a_loaded_index(cloud, kind, tmp_path):
    first, first_metadata = cloud(300)
    second, second_metadata = cloud(170, seed=1, prefix="new")
    PoseIndex.build(first, first_metadata, "model", kind=kind).save(tmp_path)
    index = PoseIndex.load(tmp_path)
    index.add(second, second_metadata, "model")
    assert index.save(tmp_path) == 2
    index = PoseIndex.load(tmp_path)
    everything = np.concatenate([first, second])
    found = index.search(second, 3, effort=600)
    expected = np.sort(distances_by_loop(second, everything), axis=1)[:, :3]
    wrong = ~np.isclose(found.distances, expected, rtol=1e-4, atol=1e-6)
    assert wrong.mean() <= (0.01 if index.info()["kind"] == "hnsw" else 0)
    assert index.find("new-5") == 305
    assert index.describe([305])[0]["frame"] == 5
    np.testing.assert_array_equal(index.embeddings(np.arange(470)), everything)


def test_the_kind_follows_the_size_unless_it_was_chosen(cloud, monkeypatch):
    monkeypatch.setattr("vvipe_tf.apps.index.kinds.FLAT_LIMIT", 100)
    monkeypatch.setattr("vvipe_tf.apps.index.kinds.HNSW_LIMIT", 250)
    vectors, metadata = cloud(90)
    grown = PoseIndex.build(vectors, metadata, "model")
    forced = PoseIndex.build(vectors, metadata, "model", kind="flat")
    kinds = [grown.info()["kind"]]
    for step in range(1, 4):
        more, more_metadata = cloud(90, seed=step, prefix=f"step-{step}")
        for index in (grown, forced):
            index.add(more, more_metadata)
        kinds.append(grown.info()["kind"])
        np.testing.assert_array_equal(grown.embeddings(np.arange(90 * step, 90 * step + 90)), more)
        np.testing.assert_allclose(
            grown.search(more[:20], 2).distances, forced.search(more[:20], 2).distances, atol=1e-5
        )
    assert kinds == ["flat", "hnsw", "ivf", "ivf"]
    assert forced.info()["kind"] == "flat"


def test_an_index_that_doubled_is_measured_anew(cloud, monkeypatch):
    measured = []
    original = pose_index.VectorIndex.calibrate
    monkeypatch.setattr(
        pose_index.VectorIndex, "calibrate", lambda self, *a: (measured.append(len(self)), original(self, *a))
    )
    vectors, metadata = cloud(200)
    rows = np.r_[0:60, 100:200]
    index = PoseIndex.build(vectors[:60], {"id": metadata["id"][:60]}, "model", kind="ivf")
    for start, stop in ((100, 110), (110, 200)):
        index.add(vectors[start:stop], {"id": metadata["id"][start:stop]})
    assert measured == [len(np.unique(vectors[:60], axis=0)), len(np.unique(vectors[rows], axis=0))]


def test_a_search_can_be_kept_to_some_items(cloud):
    vectors, metadata = cloud(420)
    queries, _ = cloud(13, seed=4)
    index = PoseIndex.build(vectors, metadata, "model", kind="hnsw")
    right = index.where(camera="right")
    np.testing.assert_array_equal(right, np.arange(1, 420, 2))
    found = index.search(queries, 6, within=right)
    expected = distances_by_loop(queries, vectors[1::2])
    np.testing.assert_allclose(found.distances, np.sort(expected, axis=1)[:, :6], rtol=1e-4)
    assert np.isin(found.items, right).all()
    np.testing.assert_array_equal(index.where(camera="left", frame=8), [8])
    with pytest.raises(ValueError, match="between 1 and the 210 items"):
        index.search(queries, 211, within=right)


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 40), st.integers(1, 4), st.integers(0, 2**31), st.sampled_from(KINDS))
def test_few_and_repeated_vectors_give_each_item_once(count, variety, seed, kind):
    vectors = np.random.default_rng(seed).integers(0, variety, size=(count, 3)).astype(float)
    index = PoseIndex.build(vectors, {"id": [str(number) for number in range(count)]}, "model", kind=kind)
    found = index.search(vectors[:5], count)
    for query, distances, items in zip(vectors[:5], *found, strict=True):
        assert sorted(items) == list(range(count))
        np.testing.assert_allclose(distances, np.linalg.norm(vectors[items] - query, axis=1), atol=1e-6)


def test_an_empty_index_says_so_and_can_be_filled(cloud, tmp_path):
    vectors, metadata = cloud(12)
    PoseIndex.build(np.zeros((0, 6)), {name: [] for name in metadata} | {"frame": []}, "model").save(tmp_path)
    index = PoseIndex.load(tmp_path)
    with pytest.raises(ValueError, match="add some first"):
        index.search(vectors, 1)
    with pytest.raises(ValueError, match="lists of an ivf index"):
        PoseIndex.build(np.zeros((0, 6)), {"id": []}, "model", kind="ivf")
    index.add(vectors, {"id": metadata["id"]})
    assert index.search(vectors[3:4], 1).items.tolist() == [[3]]
    index.add(np.zeros((0, 6)), {"id": []})
    assert len(index) == 12


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"embeddings": np.zeros(5)}, r"shape \(n, dim\)"),
        ({"embeddings": np.zeros((5, 0))}, r"shape \(n, dim\)"),
        ({"embeddings": np.array([["a"] * 4] * 5)}, "dtype"),
        ({"embeddings": np.where(np.arange(20).reshape(5, 4) == 13, np.nan, 0.0)}, "1 that are not, the first at 3"),
        ({"embeddings": np.where(np.arange(20).reshape(5, 4) == 17, 1e300, 0.0)}, "the first at 4"),
        ({"metadata": {"id": list("abcda")}}, "'a' twice"),
        ({"metadata": {"id": list("abcd")}}, "5 values of 'id'"),
        ({"metadata": {"name": list("abcde")}}, "a column 'id'"),
        ({"kind": "lsh"}, "flat, hnsw, ivf"),
        ({"model_id": ""}, "name of a model"),
        ({"recall": 0.0}, "recall above 0"),
        ({"poses": np.zeros((4, 2, 3))}, r"shape \(5, joints, 3\)"),
        ({"poses": np.where(np.arange(30).reshape(5, 2, 3) == 7, np.inf, 0.0)}, "NaN as a whole"),
    ],
)
def test_bad_input_is_named(change, message):
    arguments = {"embeddings": np.eye(5, 4), "metadata": {"id": list("abcde")}, "model_id": "model"} | change
    with pytest.raises(ValueError, match=message):
        PoseIndex.build(**arguments)


def test_wrong_queries_and_additions_are_refused_and_change_nothing(cloud):
    vectors, metadata = cloud(50)
    index = PoseIndex.build(vectors, metadata, "model", poses=np.zeros((50, 3, 3)))
    for call, message in (
        (lambda: index.search(vectors, 51), "between 1 and 50"),
        (lambda: index.search(vectors, 0), "between 1 and 50"),
        (lambda: index.search(vectors[:, :5], 1), r"\(n, 6\)"),
        (lambda: index.search(vectors, 1, model_id="another"), "Received: another"),
        (lambda: index.search(vectors, 1, effort=0), "effort"),
        (lambda: index.search(vectors * np.nan, 1), "finite"),
        (lambda: index.find("nobody"), "'nobody'"),
        (lambda: index.describe([50]), "Received: 50"),
        (lambda: index.where(colour="red"), "colour"),
        (lambda: index.calibrate(vectors[:0]), "Received: none"),
        (lambda: index.add(vectors[:1], {"id": ["new"]}, "another"), "Received: another"),
        (lambda: index.add(vectors[:1], {"id": ["item-7"]}), "'item-7'"),
        (lambda: index.add(vectors[:1], {"id": ["new"], "colour": ["red"]}), "colour"),
        (lambda: index.add(vectors[:1], {"id": ["new"], "frame": ["first"]}), "'first'"),
        (lambda: index.add(vectors[:1], {"id": ["new"]}, poses=np.zeros((1, 4, 3))), r"\(1, 3, 3\)"),
    ):
        with pytest.raises(ValueError, match=message):
            call()
    assert len(index) == 50
    assert len(index.where()) == 50
    index.add(vectors[:1], {"id": ["new"]})
    assert index.find("new") == 50
    assert np.isnan(index.poses([50])).all()
    assert index.info()["poses"] == 50


def test_a_failing_addition_leaves_no_metadata_behind(cloud, monkeypatch):
    vectors, metadata = cloud(30)
    index = PoseIndex.build(vectors, metadata, "model")

    def fail(self, vectors):
        raise MemoryError

    monkeypatch.setattr(pose_index.VectorIndex, "add", fail)
    with pytest.raises(MemoryError):
        index.add(vectors[:1] + 1, {"id": ["new"]})
    assert len(index.where()) == len(index) == 30


def test_a_save_does_not_undo_what_another_process_saved(cloud, tmp_path):
    vectors, metadata = cloud(40)
    PoseIndex.build(vectors, metadata, "model").save(tmp_path)
    ours, theirs = PoseIndex.load(tmp_path), PoseIndex.load(tmp_path)
    theirs.add(vectors[:1], {"id": ["theirs"]})
    theirs.save(tmp_path)
    ours.add(vectors[:1], {"id": ["ours"]})
    with pytest.raises(FileExistsError, match="generation 1 .* Received: 2"):
        ours.save(tmp_path)
    assert PoseIndex.load(tmp_path).find("theirs") == 40
    with pytest.raises(FileExistsError, match="Received: 2"):
        PoseIndex.build(vectors, metadata, "model").save(tmp_path)
    assert ours.save(tmp_path, overwrite=True) == 3
    assert PoseIndex.load(tmp_path).find("ours") == 40


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("damage", ["flip", "cut", "gone"])
@pytest.mark.parametrize("part", ["vectors", "items", "numbers", "poses", "manifest"])
def test_a_damaged_part_is_one_clear_error(cloud, tmp_path, kind, damage, part):
    vectors, metadata = cloud(60)
    PoseIndex.build(vectors, metadata, "model", kind=kind, poses=np.zeros((60, 2, 3))).save(tmp_path)
    (path,) = tmp_path.glob(f"{part}*")
    content = bytearray(path.read_bytes())
    if damage == "gone":
        path.unlink()
    elif damage == "cut":
        path.write_bytes(content[: len(content) // 2])
    else:
        content[len(content) // 2] ^= 4
        path.write_bytes(content)
    with pytest.raises((ValueError, FileNotFoundError), match=path.name.replace(".", r"\.")):
        PoseIndex.load(tmp_path)


def test_a_manifest_that_fits_its_hash_but_nothing_else_is_refused(cloud, tmp_path):
    vectors, metadata = cloud(60)
    PoseIndex.build(vectors, metadata, "model").save(tmp_path)
    original = json.loads((tmp_path / "manifest.json").read_text())

    def refused(**changes):
        content = {name: value for name, value in original.items() if name != "sha256"}
        content = json.loads(json.dumps(content))
        for path, value in changes.items():
            *outer, last = path.split("__")
            inner = content
            for name in outer:
                inner = inner[name]
            inner[last] = value
        from vvipe_tf.apps.index import generations

        content["sha256"] = generations._digest(content)
        (tmp_path / "manifest.json").write_text(json.dumps(content))
        with pytest.raises(ValueError, match="[Ee]xpected") as caught:
            PoseIndex.load(tmp_path)
        return str(caught.value)

    assert "version 1" in refused(version=2)
    assert "format" in refused(format="other")
    assert "plain names" in refused(parts__items__file="../../passwd")
    assert "parts" in refused(parts=3)
    assert "FAISS index" in refused(facts__count=61, facts__distinct=61)
    assert "FAISS index" in refused(facts__dim=7)
    assert "FAISS index" in refused(facts__kind="hnsw")
    assert "parts of an index" in refused(facts={})
    assert "60" in refused(facts__count=61)


def test_other_folders_are_refused(tmp_path):
    for folder in (tmp_path, tmp_path / "missing"):
        with pytest.raises(FileNotFoundError, match="folder of an index"):
            PoseIndex.load(folder)
    (tmp_path / "manifest.json").write_text("[1, 2")
    with pytest.raises(ValueError, match="expected JSON"):
        PoseIndex.load(tmp_path)
