"""Do the packages, the chart, the change log and every program follow the file VERSION?"""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
VERSION = (ROOT / "VERSION").read_text(encoding="utf-8").strip()
PACKAGES = sorted(file.parent for file in ROOT.glob("*/**/pyproject.toml") if ".venv" not in file.parts)
PROGRAMS = ("voice", "voice-bench", "voicectl", "speech-server", "voice-gateway", "mini-llm")


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package.name)
def test_a_package_reads_its_version_from_the_file(package: Path) -> None:
    content = tomllib.loads((package / "pyproject.toml").read_text(encoding="utf-8"))
    assert content["project"]["dynamic"] == ["version"]
    assert (package / content["tool"]["hatch"]["version"]["path"]).resolve() == ROOT / "VERSION"


def test_the_chart_installs_the_images_of_this_version() -> None:
    chart = yaml.safe_load((ROOT / "helm/voice-workflow/Chart.yaml").read_text(encoding="utf-8"))
    assert (chart["version"], chart["appVersion"]) == (VERSION, VERSION)


def test_the_change_log_has_a_section_for_it() -> None:
    assert re.search(rf"^## {re.escape(VERSION)}$", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_program_prints_it(program: str) -> None:
    command = [str(Path(sys.executable).with_name(program)), "--version"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{program} {VERSION}\n", "")
