"""The tests of identities share the maker of keys and tokens beside them."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
