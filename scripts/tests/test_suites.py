"""Does the end of a test run name everything that failed, and count everything that did not pass?"""

import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MIXED = """
import pytest

@pytest.fixture
def falls_at_its_end():
    yield
    raise RuntimeError("the fixture's end")

def test_good(): pass

@pytest.mark.parametrize("number", [1, 2])
def test_bad(number): assert number == 1, "two\\nlines"

def test_left_out(): pytest.skip("no time")

def test_good_at_first(falls_at_its_end): pass
"""


def run(script: str, results: Path) -> subprocess.CompletedProcess[str]:
    """Of a shell that has the functions, and keeps its files in a folder of the test."""
    whole = (
        f"export TMPDIR={shlex.quote(str(results))} python={shlex.quote(sys.executable)}; . scripts/suites.sh; {script}"
    )
    return subprocess.run(["bash", "-c", whole], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)


def test_the_last_lines_name_what_failed_and_count_everything(tmp_path: Path) -> None:
    for folder, text in (("mixed", MIXED), ("broken", "import nothing_of_this_name")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "test_it.py").write_text(text)
    done = run(f"check fine true; check wrong false; tests {tmp_path}/mixed; tests {tmp_path}/broken; total", tmp_path)
    assert done.returncode == 1
    *_, title, wrong, bad, left_out, at_its_end, broken, last = done.stdout.splitlines()
    assert title == "== what failed"
    assert wrong == "FAILED the check: wrong"
    assert bad.startswith("FAILED test_it::test_bad[2] - AssertionError: two lines assert 2 == 1")
    assert left_out == "SKIPPED test_it::test_left_out - no time"
    assert at_its_end.startswith("ERROR test_it::test_good_at_first - ")
    assert broken.startswith("ERROR ")
    assert "collection failure" in broken
    assert last == "3 passed, 5 failed"


@pytest.mark.parametrize(
    ("script", "status", "last"),
    [
        ("check a true; check b true; total", 0, ["2 passed, 0 failed"]),
        ("total", 1, ["0 passed, 0 failed"]),
        (
            "tests helm --no-such-option; total",
            1,
            ["== what failed", "FAILED helm - ended without a whole report (exit status 4)", "0 passed, 1 failed"],
        ),
        (
            "python=false; tests helm; total",
            1,
            ["== what failed", "FAILED helm - nobody could count its tests", "0 passed, 1 failed"],
        ),
        (
            "lane two check beside false; lane three check third true; check here true; end_lanes; total",
            1,
            ["== what failed", "FAILED the check: beside", "2 passed, 1 failed"],
        ),
        (
            "dies() { check first true; kill -9 $BASHPID; }; lane two dies; end_lanes; total",
            1,
            ["== what failed", "FAILED the check: two ran to the end", "1 passed, 1 failed"],
        ),
    ],
    ids=["all passed", "nothing ran", "no report", "no counter", "in a lane", "a lane that died"],
)
def test_a_run_passes_only_when_something_ran_and_nothing_failed(
    tmp_path: Path, script: str, status: int, last: list[str]
) -> None:
    done = run(script, tmp_path)
    assert done.returncode == status, done.stderr
    assert done.stdout.splitlines()[-len(last) :] == last


def test_lanes_are_shown_one_after_the_other(tmp_path: Path) -> None:
    done = run(
        "lane one eval 'sleep 0.2; echo 1'; lane two echo 2; echo 0; end_lanes; lane more echo 3; end_lanes", tmp_path
    )
    told = "== ran at the same time: "
    assert done.stdout.splitlines() == ["0", f"{told}one", "1", f"{told}two", "2", f"{told}more", "3"]


def test_lanes_are_stopped_with_their_processes(tmp_path: Path) -> None:
    # The pipe ends when the last process that could write into it is gone.
    begun = "mkfifo $results/pipe; lane slow eval 'sleep 300 > $results/pipe'; exec 5< $results/pipe; "
    done = run(begun + "stop_lanes; cat <&5; echo over", tmp_path)
    assert done.stdout.splitlines() == ["over"]


def test_a_failed_test_is_named_as_pytest_takes_it(tmp_path: Path) -> None:
    report = tmp_path / "report.xml"
    report.write_text(
        '<testsuites><testsuite><testcase classname="scripts.tests.test_suites" name="test_x[a.b]">'
        '<failure message="assert #x1B[0m#x1B[94m1#x1B[39;49;00m == 2"/></testcase></testsuite></testsuites>'
    )
    counted = [sys.executable, "scripts/count_tests.py", str(report), "1", "scripts"]
    done = subprocess.run(counted, cwd=ROOT, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.splitlines() == ["0 1", "FAILED scripts/tests/test_suites.py::test_x[a.b] - assert 1 == 2"]
