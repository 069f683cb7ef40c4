"""How does a program start inside a control group? python -m voice_bench.measure.inside_cgroup PROCS ARGUMENTS..."""

import os
import sys
from pathlib import Path


def main() -> None:
    """Never returns."""
    procs, *arguments = sys.argv[1:]
    Path(procs).write_text(str(os.getpid()))
    os.execv(sys.executable, [sys.executable, *arguments])


if __name__ == "__main__":
    main()
