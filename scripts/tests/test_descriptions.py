"""Does every description of a setting, a chart value and a metric stand alone, without the line above it?"""

import importlib
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = ("docs/settings.md", "docs/mini-llm.md", "helm/voice-workflow/README.md")
_LEANS_ON_ANOTHER = re.compile(
    r"^(its|it|the same|of|between|how long before|that|also|or|other|then)\b", re.IGNORECASE
)


def described(page: str) -> list[tuple[str, str]]:
    """(name, description): first and last cell of each row whose first cell is a name in backticks."""
    rows = re.findall(r"^\| `([\w.]+)` \|(.*)\|$", (ROOT / page).read_text(encoding="utf-8"), re.MULTILINE)
    return [(name, re.split(r"(?<!\\)\|", cells)[-1].strip()) for name, cells in rows]


@pytest.mark.parametrize("page", PAGES)
def test_a_description_does_not_lean_on_another_line(page: str) -> None:
    rows = described(page)
    assert len(rows) > 10
    assert [row for row in rows if _LEANS_ON_ANOTHER.match(row[1])] == []


@pytest.mark.parametrize("module", ["voice_gateway.metrics", "speech_server.metrics"])
def test_the_description_of_a_metric_does_not_lean_on_another(module: str) -> None:
    found = [
        (metric.name, metric.documentation)
        for metric in importlib.import_module(module).Metrics().registry.collect()
        if metric.name.startswith(("voice_", "speech_"))
    ]
    assert len(found) > 5
    assert [metric for metric in found if _LEANS_ON_ANOTHER.match(metric[1])] == []
