"""A tiny model, and detectors for recordings that are loud or silent."""

from pathlib import Path

import pytest

from .tiny import make_model


@pytest.fixture(scope="session")
def tiny_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A TDT model of random weights."""
    return make_model(tmp_path_factory.mktemp("tiny"), seed=4)
