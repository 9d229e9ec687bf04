"""Small models for these tests, made once a session."""

import pytest

from tests.small_models import build_small_models


@pytest.fixture(scope="session")
def small_run(tmp_path_factory):
    """Run folder of untrained networks."""
    return build_small_models(tmp_path_factory.getbasetemp() / "small_models")[0]


@pytest.fixture(scope="session")
def small_model(tmp_path_factory):
    """The same model, exported: a `.tflite` file with its model.json beside it."""
    return build_small_models(tmp_path_factory.getbasetemp() / "small_models")[1]
