"""Does what the page decides hold? The tests of its modules without a browser, by Node's own test runner."""

import subprocess
from pathlib import Path

from playwright._impl._driver import compute_driver_executable


def test_the_modules_of_the_page_pass_their_tests() -> None:
    node, _ = compute_driver_executable()  # the one that Playwright brings: the machine needs none
    files = sorted(Path(__file__).parent.glob("logic/*.test.js"))
    assert len(files) >= 5
    ran = subprocess.run([node, "--test", *files], capture_output=True, text=True, timeout=60)
    assert ran.returncode == 0, ran.stdout
