"""Which models do the tests serve? Tiny ones with random weights, as the speech server's own tests make them."""

import importlib.util
import sys
from pathlib import Path
from typing import Any

from e2e.support.config import ROOT

_TESTS = ROOT / "services" / "speech-server" / "tests" / "engines"


def make_models(folder: Path) -> Path:
    """Writes parakeet, streaming and kokoro into the folder; they hear and say nothing sensible."""
    _tiny("parakeet").make_model(folder / "parakeet")
    _tiny("streaming_transducer").make_model(folder / "streaming")
    _tiny("kokoro").write_model(folder / "kokoro", {"af_heart": 0.3})
    return folder


def _tiny(part: str) -> Any:
    name = f"tiny_{part}"
    spec = importlib.util.spec_from_file_location(name, _TESTS / part / "tiny.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module
