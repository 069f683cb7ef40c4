"""How many tests passed and failed? Reads pytest's JUnit report: `count_tests.py REPORT PYTEST_STATUS`."""

import argparse
import sys
from xml.etree import ElementTree


def main(report: str, status: int) -> str:
    """ "PASSED FAILED"; skipped counts as failed, and so does a run that ended badly or before its report was whole."""
    try:
        suites = list(ElementTree.parse(report).iter("testsuite"))
    except (OSError, ElementTree.ParseError):
        return "0 1"
    total = bad = 0
    for suite in suites:
        total += int(suite.get("tests", 0))
        bad += sum(int(suite.get(kind, 0)) for kind in ("failures", "errors", "skipped"))
    return f"{max(0, total - bad)} {bad or int(status != 0)}"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Say how many tests passed and failed, by pytest's JUnit report.")
    parser.add_argument("report", help="file that pytest --junit-xml wrote")
    parser.add_argument("status", type=int, help="exit status of pytest")
    given = parser.parse_args()
    sys.stdout.write(main(given.report, given.status) + "\n")
