"""Are the generated documents fresh? Runs each generator's --check; exit status 1 after naming every stale file."""

import subprocess
import sys
from pathlib import Path

GENERATORS = ("settings_table.py", "turn_table.py")


def main() -> int:
    """Every generator is asked, also after one said no."""
    folder = Path(__file__).parent
    checks = [subprocess.run([sys.executable, str(folder / name), "--check"], check=False) for name in GENERATORS]
    return int(any(check.returncode for check in checks))


if __name__ == "__main__":
    sys.exit(main())
