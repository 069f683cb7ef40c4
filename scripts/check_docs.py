"""Are the generated documents fresh? Runs each generator's --check; exit status 1 after naming every stale file."""

import argparse
import subprocess
import sys
from pathlib import Path

GENERATORS = ("scripts/settings_table.py", "scripts/turn_table.py", "helm/values_reference.py")


def main() -> int:
    """Every generator is asked, also after one said no."""
    root = Path(__file__).parent.parent
    checks = [subprocess.run([sys.executable, str(root / name), "--check"], check=False) for name in GENERATORS]
    return int(any(check.returncode for check in checks))


if __name__ == "__main__":
    argparse.ArgumentParser(description="Say which generated documents are stale.").parse_args()
    sys.exit(main())
