"""What does the container image hold? Read from the Dockerfile, the package and the lock it is built from."""

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

SERVICE = Path(__file__).resolve().parents[1]
ROOT = SERVICE.parents[1]
DOCKERFILE = (SERVICE / "Dockerfile").read_text(encoding="utf-8")


def extras(**arguments: str) -> str:
    """What the install step asks for with these build arguments, as the shell says."""
    defaults = dict(re.findall(r"^ARG (ESPEAK|AV)=(.*)$", DOCKERFILE, re.MULTILINE))
    found = re.search(r'extras="(.+?)" .*?"\./services/speech-server(.+?)"', DOCKERFILE, re.DOTALL)
    assert found is not None
    script = f'extras="{found[1]}"; echo "{found[2]}"'
    told = subprocess.run(
        ["sh", "-c", script], env={**defaults, **arguments}, capture_output=True, text=True, check=True
    )
    return told.stdout.strip()


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [({}, "[espeak,av]"), ({"AV": ""}, "[espeak]"), ({"ESPEAK": ""}, "[av]"), ({"ESPEAK": "", "AV": ""}, "[]")],
    ids=["as it is", "no FFmpeg", "no eSpeak NG", "neither"],
)
def test_the_image_decodes_what_browsers_and_telephones_record_unless_it_is_left_out(
    arguments: dict[str, str], wanted: str
) -> None:
    assert extras(**arguments) == wanted


def test_each_optional_part_is_in_the_package_the_locks_and_has_its_notice() -> None:
    package = tomllib.loads((SERVICE / "pyproject.toml").read_text(encoding="utf-8"))
    optional = package["project"]["optional-dependencies"]
    locks = "".join(path.read_text(encoding="utf-8") for path in ROOT.glob("requirements*.lock"))
    for part in ("espeak", "av"):
        for requirement in optional[part]:
            assert re.search(rf"^{requirement}==\S+", locks, re.MULTILINE), requirement
        notice = (SERVICE / f"NOTICE-{part}.txt").read_text(encoding="utf-8")
        assert f"{part.upper()}= (empty)" in notice
    assert "NOTICE-$part.txt" in DOCKERFILE


def test_the_weights_of_the_small_recogniser_come_with_their_licence_unless_they_are_left_out() -> None:
    notice = (SERVICE / "NOTICE-moonshine.txt").read_text(encoding="utf-8")
    assert "MOONSHINE= (empty)" in notice
    assert "MIT License" in notice
    assert "${MOONSHINE:+moonshine}" in DOCKERFILE
    assert DOCKERFILE.count("ARG MOONSHINE=1") == 2, "in both stages"
    assert "MOONSHINE_MODEL_PATH=${MOONSHINE:+/opt/voice/share/moonshine}" in DOCKERFILE
