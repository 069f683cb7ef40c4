"""Do the operations guide and the runbooks name what is really there: files, options, metrics, values, sentences?"""

import re
from typing import Any

import pytest
import yaml
from prometheus_client import generate_latest
from script_runner import ROOT
from voice_gateway.core.admission import RefusalKind, admit
from voice_gateway.core.events import EndReason, Failure
from voice_gateway.metrics import Metrics

PAGES = sorted(
    [
        *(ROOT / "docs" / "runbooks").glob("*.md"),
        ROOT / "docs/operations.md",
        ROOT / "docs/known-issues.md",
        ROOT / "k8s/README.md",
    ]
)
NAMES = [str(page.relative_to(ROOT)) for page in PAGES]
_NOT_METRICS = {"voice_workflow", "voice_gateway"}


def text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def commands(name: str) -> list[str]:
    """The indented lines, continued ones joined."""
    joined = text(name).replace("\\\n", " ")
    return [line.strip() for line in joined.splitlines() if line.startswith("    ")]


def test_there_is_a_runbook_for_everything_that_was_promised() -> None:
    names = {page.stem for page in PAGES if page.parent.name == "runbooks"}
    assert names == {
        "riva-down",
        "nim-slow",
        "gateway-saturated",
        "node-drain",
        "bad-release",
        "certificates",
        "second-recogniser",
    }


@pytest.mark.parametrize("name", [name for name in NAMES if "runbooks" in name])
def test_every_runbook_has_the_same_four_parts(name: str) -> None:
    assert re.findall(r"^## (.*)$", text(name), re.M) == ["Symptom", "Check", "Act", "Afterwards"]


@pytest.mark.parametrize("name", NAMES)
def test_every_link_leads_somewhere(name: str) -> None:
    for link in re.findall(r"\]\((?!https?://|#)([^)#]+)[^)]*\)", text(name)):
        assert ((ROOT / name).parent / link).exists(), link


@pytest.mark.parametrize("name", NAMES)
def test_every_script_is_there_and_knows_its_options(name: str) -> None:
    for command in commands(name):
        for script, words in re.findall(r"(?:^|: |; do )scripts/(\w+\.sh)((?: [^;|#]*)?)", command):
            source = (ROOT / "scripts" / script).read_text(encoding="utf-8")
            for option in re.findall(r"(?<=\s)--[a-z][a-z-]*", words):
                assert option in source, f"{script} {option}"
    for script in re.findall(r"scripts/\w+\.(?:sh|py)", text(name)):
        assert (ROOT / script).exists(), script


@pytest.mark.parametrize("name", NAMES)
def test_every_metric_is_one_of_the_gateways(name: str) -> None:
    metrics = Metrics()
    for reason in RefusalKind:
        metrics.refused.labels(reason.value)
    shown = generate_latest(metrics.registry).decode()
    for metric in set(re.findall(r"`(voice_[a-z_]+)", text(name))) - _NOT_METRICS:
        assert re.search(rf"^# TYPE {metric} ", shown, re.M), metric


@pytest.mark.parametrize("name", NAMES)
def test_every_label_is_one_the_gateway_gives(name: str) -> None:
    known = {
        "reason": {kind.value for kind in RefusalKind} | {reason.value for reason in EndReason},
        "failure": {failure.value for failure in Failure},
        "backend": {"asr", "tts", "llm"},
        "target": {"primary", "fallback"},
    }
    for label, value in re.findall(r"\{(\w+)=\"(\w+)\"\}", text(name)):
        assert value in known[label], f"{label}={value}"


@pytest.mark.parametrize("name", NAMES)
def test_every_value_is_one_of_the_charts(name: str) -> None:
    chart: Any = yaml.safe_load((ROOT / "helm/voice-workflow/values.yaml").read_text(encoding="utf-8"))
    roots = "|".join(key for key, value in chart.items() if isinstance(value, dict))
    for path in set(re.findall(rf"(?:`|--set |--set-json |\s)((?:{roots})\.[A-Za-z.]+)(?==|`| )", text(name))):
        place = chart
        for part in path.split("."):
            assert part in place, path
            place = place[part]


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("docs/runbooks/riva-down.md", "asr can't be reached right now; try again"),
        (
            "docs/runbooks/gateway-saturated.md",
            "all 60 calls of this gateway are taken; try again or try another gateway",
        ),
        ("docs/operations.md", "this gateway is draining; connect again to reach another one"),
    ],
)
def test_refusals_are_quoted_as_callers_get_them(name: str, sentence: str) -> None:
    refusals = [
        admit(active=0, limit=60, draining=False, down=["asr"]),
        admit(active=60, limit=60, draining=False, down=[]),
        admit(active=0, limit=60, draining=True, down=[]),
    ]
    assert sentence in [refusal.sentence for refusal in refusals if refusal]
    assert sentence in " ".join(text(name).split())


@pytest.mark.parametrize(
    ("name", "quoted", "source"),
    [
        ("docs/runbooks/riva-down.md", "is down:", "backends/probes.py"),
        ("docs/runbooks/riva-down.md", "a recognition stream ended:", "backends/riva_asr.py"),
        ("docs/runbooks/certificates.md", "has expired", "../../../../libs/serving/src/serving/client_tls.py"),
        ("docs/runbooks/certificates.md", "stays as it is:", "../../../../libs/serving/src/serving/renewed_files.py"),
        (
            "docs/runbooks/certificates.md",
            "was renewed and is used from now on",
            "../../../../libs/serving/src/serving/renewed_files.py",
        ),
        ("docs/runbooks/node-drain.md", "calls, for at most", "app/main.py"),
        ("docs/runbooks/bad-release.md", "bad settings:", "app/main.py"),
        ("docs/runbooks/bad-release.md", "live settings refused, the old ones hold", "app/live_settings.py"),
        ("docs/operations.md", "live settings refused, the old ones hold", "app/live_settings.py"),
    ],
)
def test_log_lines_are_quoted_as_they_are_written(name: str, quoted: str, source: str) -> None:
    assert quoted in text(name)
    assert quoted in (ROOT / "services/voice-gateway/src/voice_gateway" / source).read_text(encoding="utf-8")
