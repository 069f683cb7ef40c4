"""Lets a test use the tiny models and the fake hub that lie beside another engine's tests."""

import sys
from pathlib import Path

# At the end: `riva` and others here must not stand in for real packages.
sys.path.append(str(Path(__file__).parent))
