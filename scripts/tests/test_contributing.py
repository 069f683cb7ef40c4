"""Does the guide for contributors name what is there: paths, names in them, targets of make, links?"""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
PLACES = sorted(set(re.findall(r"`([\w./-]+/[\w./-]*|pyproject\.toml|VERSION)`(?: \(`(\w+)`\))?", GUIDE)))


def found(name: str) -> Path:
    """The file or folder: below the root, or in the package whose name begins it."""
    sources = [ROOT, *ROOT.glob("services/*/src"), *ROOT.glob("libs/*/src")]
    return next((source / name for source in sources if (source / name).exists()), ROOT / name)


@pytest.mark.parametrize(("name", "symbol"), PLACES)
def test_a_place_exists_and_holds_what_is_said_to_be_there(name: str, symbol: str) -> None:
    place = found(name)
    assert place.exists(), f"CONTRIBUTING.md names {name}, which is not there"
    if symbol:
        text = place.read_text(encoding="utf-8")
        assert re.search(rf"^\s*(?:async )?(?:def|class) {symbol}\b", text, re.MULTILINE), f"{name} has no {symbol}"


@pytest.mark.parametrize(
    "page", ["CONTRIBUTING.md", "README.md", "SECURITY.md", "docs/client.md", "docs/canary.md", "e2e/README.md"]
)
def test_every_link_leads_somewhere(page: str) -> None:
    for link in re.findall(r"\]\((?!https?://|#)([^)#]+)", (ROOT / page).read_text(encoding="utf-8")):
        assert ((ROOT / page).parent / link).exists(), link


def test_every_make_target_exists() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for words in re.findall(r"(?:^    |`)make ([a-z ]+?)(?=  |`|$)", GUIDE, re.MULTILINE):
        for target in words.split():
            assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


def test_pre_commit_runs_what_make_lint_runs() -> None:
    assert "entry: make lint\n" in (ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8")
