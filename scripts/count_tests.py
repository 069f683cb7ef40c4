"""How many tests passed, and which failed? Reads pytest's JUnit report: `count_tests.py REPORT PYTEST_STATUS SUITE`.

The first line says "PASSED FAILED", each further line names a test that failed, and why in a few words.
"""

import argparse
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

BAD = {"failure": "FAILED", "error": "ERROR", "skipped": "SKIPPED"}
"""A skipped test counts as failed: nothing may be left out."""
_COLOUR = re.compile(r"#x1B\[[0-9;]*m")
"""As JUnit writes what a terminal takes for colours."""
LONGEST_REASON = 120
"""Characters of the reason: a name and its reason are one line."""


def main(report: str, status: int, suite: str) -> str:
    """The lines; a run that ended badly, or before its report was whole, is a failure too."""
    try:
        root = ElementTree.parse(report).getroot()
    except (OSError, ElementTree.ParseError):
        return f"0 1\nFAILED {suite} - ended without a whole report (exit status {status})"
    cases = list(root.iter("testcase"))
    bad = [line for case in cases for line in failures(case)]
    passed = sum(not any(case.find(kind) is not None for kind in BAD) for case in cases)
    if status and not bad:
        bad = [f"FAILED {suite} - pytest ended with status {status}"]
    return "\n".join([f"{passed} {len(bad)}", *bad])


def failures(case: ElementTree.Element) -> Iterator[str]:
    """One line for each way in which a test failed: it can fail, and its fixture's end too."""
    for kind, word in BAD.items():
        for found in case.findall(kind):
            reason = " ".join(_COLOUR.sub("", found.get("message") or "").split())
            yield f"{word} {node_id(case)} - {reason[:LONGEST_REASON]}"


def node_id(case: ElementTree.Element) -> str:
    """As pytest takes it on its command line; JUnit has dots in place of the folders' slashes."""
    parts, name = (case.get("classname") or "").split("."), case.get("name") or ""
    for length in range(len(parts), 0, -1):
        path = "/".join(parts[:length]) + ".py"
        if Path(path).exists():
            return "::".join([path, *parts[length:], name])
    return "::".join([*filter(None, parts[-1:]), name])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Say how many tests passed, and name those that failed.")
    parser.add_argument("report", help="file that pytest --junit-xml wrote")
    parser.add_argument("status", type=int, help="exit status of pytest")
    parser.add_argument("suite", help="what is named when the report is missing or cut off")
    given = parser.parse_args()
    sys.stdout.write(main(given.report, given.status, given.suite) + "\n")
