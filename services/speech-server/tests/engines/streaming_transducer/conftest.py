"""A tiny streaming model."""

from pathlib import Path

import pytest

from .tiny import make_model


@pytest.fixture(scope="session")
def tiny_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Chunks of 160 ms."""
    return make_model(tmp_path_factory.mktemp("streaming"), seed=4)
