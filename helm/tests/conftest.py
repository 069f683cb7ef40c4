"""What the tests of the charts share: helm, and the modules beside them."""

import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parent.parent))

from rendering import ROOT, Chart


@pytest.fixture(scope="session")
def chart() -> Chart:
    """The chart and a helm that fits; the first time on a machine helm may have to be brought."""
    found = subprocess.run(
        [str(ROOT / "scripts" / "helm.sh")], capture_output=True, text=True, timeout=600, check=False
    )
    assert found.returncode == 0, found.stderr
    return Chart(found.stdout.strip())
