"""300 mutated keypoint files: a clear error that names the file, or a right answer. Never another exception."""

import copy
import json

import numpy as np
import pytest

from tests.formats.detections.test_detections import person_in
from vvipe_tf.formats.detections.reading import read_detections
from vvipe_tf.keypoints import BLAZEPOSE_33, COCO_17, HALPE_26, OPENPOSE_BODY_25

_ODD = (None, "12", "x", True, [], {}, [[1, 2]], float("nan"), float("inf"), 1e300, -1e9, 10**400, -5, 3.5, "", [None])


def _documents():
    coco, halpe = person_in(COCO_17).ravel().tolist(), person_in(HALPE_26, (700, 300)).ravel().tolist()
    blaze, body = person_in(BLAZEPOSE_33), person_in(OPENPOSE_BODY_25).ravel().tolist()
    landmarks = [{"x": x / 1280, "y": y / 720, "z": 0.0, "visibility": s} for x, y, s in blaze]
    instance = {
        "keypoints": person_in(HALPE_26)[:, :2].tolist(),
        "keypoint_scores": [0.5] * 26,
        "bbox": [[1.0, 2.0, 3.0, 4.0]],
        "track_id": 1,
    }
    result = {"image_id": "1.jpg", "category_id": 1, "keypoints": coco, "score": 2.0, "box": [1, 2, 3, 4], "idx": [0.0]}
    return {
        "alphapose": [result, result | {"image_id": "2.jpg", "keypoints": list(coco), "idx": 1}],
        "halpe": [result | {"keypoints": halpe}],
        "cmu": {"1.jpg": {"version": "v", "bodies": [{"joints": body[:54]}]}},
        "openpose": {
            "version": 1.3,
            "people": [{"person_id": [-1], "pose_keypoints_2d": body}, {"pose_keypoints_2d": list(body)}],
        },
        "coco": {
            "images": [{"id": 1, "file_name": "a.jpg", "width": 640, "height": 480}],
            "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "keypoints": coco, "bbox": [1, 2, 3, 4]}],
            "categories": [{"id": 1, "name": "person", "keypoints": list(COCO_17.keypoint_names)}],
        },
        "mediapipe": {"image_size": [1280, 720], "frames": [{"frame": 0, "landmarks": [landmarks]}]},
        "mmpose": [{"frame_id": 0, "instances": [instance, instance]}],
    }


def _places(node, path=()):
    yield path
    children = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, child in children:
        yield from _places(child, (*path, key))


def _mutated(document, rng):
    document = copy.deepcopy(document)
    for _ in range(rng.integers(1, 3)):
        places = [path for path in _places(document) if path]
        if not places:
            return document
        deepest = max(len(path) for path in places)
        depth = deepest if rng.random() < 0.5 else rng.integers(1, deepest + 1)
        at_depth = [path for path in places if len(path) == depth]
        *parents, key = at_depth[rng.integers(len(at_depth))]
        parent = document
        for step in parents:
            parent = parent[step]
        action = rng.integers(4)
        if action == 0:
            parent[key] = copy.deepcopy(_ODD[rng.integers(len(_ODD))])
        elif action == 1:
            del parent[key]
        elif action == 2 and isinstance(parent, list):
            parent.insert(key, copy.deepcopy(parent[key]))
        elif isinstance(parent[key], list):
            parent[key] = parent[key][: rng.integers(len(parent[key]) + 1)]
        else:
            parent[key] = copy.deepcopy(_ODD[rng.integers(len(_ODD))])
    return document


def _read(path):
    try:
        return read_detections(path), ""
    except ValueError as error:
        return None, str(error)


@pytest.mark.parametrize("batch", range(6))
def test_mutated_files_give_a_named_error_or_finite_keypoints(tmp_path, batch):
    documents = _documents()
    outcomes = {"read": 0, "refused": 0}
    for seed in range(batch * 50, batch * 50 + 50):
        rng = np.random.default_rng(seed)
        name = list(documents)[seed % len(documents)]
        text = json.dumps(_mutated(documents[name], rng))
        if seed % 9 == 0:
            text = text[: rng.integers(len(text))]
        path = tmp_path / f"mutant_{seed}.json"
        path.write_text(text, encoding="utf-8")
        table, refusal = _read(path)
        outcomes["refused" if table is None else "read"] += 1
        if table is None:
            assert f"mutant_{seed}.json" in refusal
            assert "\n" not in refusal
            assert len(refusal) < 700
        else:
            assert len(table) > 0
            assert np.isfinite(table.keypoints_2d).all()
            assert np.abs(table.keypoints_2d).max() <= 1e10
    assert outcomes["read"] >= 1, outcomes
    assert outcomes["refused"] >= 5, outcomes


def test_unharmed_documents_are_all_read(tmp_path):
    for name, document in _documents().items():
        path = tmp_path / f"{name}.json"
        path.write_text(json.dumps(document))
        assert len(read_detections(path)) >= 1


def test_errors_name_the_record(tmp_path):
    document = copy.deepcopy(_documents()["alphapose"])
    document[1]["keypoints"][7] = "12.5"
    path = tmp_path / "text.json"
    path.write_text(json.dumps(document))
    with pytest.raises(ValueError, match=r"text.json, record 1: expected numbers only. Received: '12.5'"):
        read_detections(path)
    document[1]["keypoints"] = document[1]["keypoints"][:30]
    document[1]["keypoints"][7] = 12.5
    path.write_text(json.dumps(document))
    with pytest.raises(ValueError, match=r"record 1: expected 17 keypoints as in .*record 0. Received: 10"):
        read_detections(path)
