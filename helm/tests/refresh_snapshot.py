"""What does the chart render when nothing is set? Writes it down, so that a change shows in a review.

python helm/tests/refresh_snapshot.py
"""

import subprocess
from pathlib import Path

import yaml
from rendering import ROOT, Chart

SNAPSHOT = Path(__file__).parent / "snapshots" / "default.yaml"


def snapshot(chart: Chart) -> str:
    """The default rendering of release `voice` in namespace `calls`, keys sorted."""
    objects = sorted(chart.render(), key=lambda one: (one["kind"], one["metadata"]["name"]))
    return yaml.safe_dump_all(objects, sort_keys=True, width=120)


def main() -> None:
    """Write the snapshot."""
    helm = subprocess.run([str(ROOT / "scripts" / "helm.sh")], check=True, capture_output=True, text=True).stdout
    SNAPSHOT.parent.mkdir(exist_ok=True)
    SNAPSHOT.write_text(snapshot(Chart(helm.strip())), encoding="utf-8")


if __name__ == "__main__":
    main()
