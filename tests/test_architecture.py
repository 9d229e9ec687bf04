"""The floors of the house: a module imports only from floors below its own, or from its own floor."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FLOORS = {
    "vvipe_tf.keypoints": 0,
    "vvipe_tf.cli": 0,
    "vvipe_tf.silence": 0,
    "vvipe_tf.provenance": 0,
    "vvipe_tf.formats": 1,
    "vvipe_tf.geometry": 1,
    "vvipe_tf.data": 2,
    "vvipe_tf.models": 3,
    "vvipe_tf.evaluation": 4,
    "vvipe_tf.apps": 4,
    "vvipe_tf.__main__": 5,
    "vvipe_tf.commands": 5,
    "training": 5,
    "export": 5,
    "vvipe_tf": 6,
}
MODULES = sorted(path for top in ("vvipe_tf", "training", "export") for path in (ROOT / top).rglob("*.py"))
# Where TensorFlow may be imported: everything else answers without waiting for it.
WITH_TENSORFLOW = ("vvipe_tf.data.pipeline", "vvipe_tf.models", "training", "export")


def name_of(path):
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports_of(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield node.module


def floor_of(module):
    for depth in range(module.count(".") + 1, 0, -1):
        prefix = ".".join(module.split(".")[:depth])
        if prefix in FLOORS:
            return FLOORS[prefix]
    return None


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_a_module_imports_from_its_floor_or_below(path):
    own = floor_of(name_of(path))
    above = [module for module in imports_of(path) if (floor := floor_of(module)) is not None and floor > own]
    assert not above


def test_training_and_export_never_import_each_other():
    for path in MODULES:
        top = name_of(path).split(".")[0]
        other = {"training": "export", "export": "training"}.get(top)
        assert other is None or not [m for m in imports_of(path) if m.split(".")[0] == other], path


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_tensorflow_is_imported_only_where_it_is_needed(path):
    if not name_of(path).startswith(WITH_TENSORFLOW):
        heavy = {"tensorflow", "keras", "tensorflow_probability"}
        assert heavy.isdisjoint(module.split(".")[0] for module in imports_of(path))


def test_nothing_is_unpickled_and_nothing_asserts_outside_tests():
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text())):
            assert not isinstance(node, ast.Assert), path
            if isinstance(node, ast.keyword) and node.arg == "allow_pickle":
                assert ast.unparse(node.value) == "False", path


def test_no_file_is_named_after_nothing():
    meaningless = {"utils", "util", "helpers", "helper", "base", "manager", "misc", "common"}
    assert meaningless.isdisjoint(path.stem for path in MODULES)
