"""Does scripts/helm.sh find a helm that fits, or bring one it can trust?"""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest
from rendering import ROOT


@dataclass(frozen=True, slots=True)
class Machine:
    """A machine with the system's own tools, and those a test puts there."""

    folder: Path

    def has(self, name: str, script: str) -> Path:
        """A command of that name."""
        path = self.folder / "bin" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!/bin/bash\n{script}\n", encoding="utf-8")
        path.chmod(0o755)
        return path

    def ask(self) -> subprocess.CompletedProcess[str]:
        """What helm.sh says there."""
        script = self.folder / "repository" / "scripts" / "helm.sh"
        script.parent.mkdir(parents=True, exist_ok=True)
        script.write_bytes((ROOT / "scripts" / "helm.sh").read_bytes())
        environment = {"PATH": f"{self.folder / 'bin'}:/usr/bin:/bin", "HOME": os.environ.get("HOME", "/")}
        command = ["bash", str(script)]
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """No Go, no network, no helm."""
    here = Machine(tmp_path)
    for name in ("go", "curl", "helm"):
        here.has(name, "exit 1")
    return here


@pytest.mark.parametrize("version", ["v3.14.0", "v3.19.2", "v4.1"])
def test_the_helm_on_the_path_is_taken_when_it_is_new_enough(machine: Machine, version: str) -> None:
    helm = machine.has("helm", f"echo {version}")

    assert machine.ask().stdout == f"{helm}\n"


@pytest.mark.parametrize("version", ["v3.9.4", "v2.17.0", "nonsense"])
def test_an_older_helm_is_left_alone_and_go_builds_the_pinned_one(machine: Machine, version: str) -> None:
    machine.has("helm", f"echo {version}")
    machine.has(
        "go",
        '[ "$2" = helm.sh/helm/v4/cmd/helm@v4.1.4 ] || exit 1\n'
        'printf "#!/bin/bash\\necho v4.1\\n" >$GOBIN/helm && chmod +x $GOBIN/helm',
    )

    found = machine.ask()

    assert found.stdout == f"{machine.folder}/repository/.tools/bin/helm\n"
    assert "building helm v4.1.4" in found.stderr


def test_the_pinned_helm_is_brought_once(machine: Machine) -> None:
    machine.has("go", 'printf "#!/bin/bash\\necho v4.1\\n" >$GOBIN/helm && chmod +x $GOBIN/helm')
    first = machine.ask()
    machine.has("go", "exit 1")

    again = machine.ask()

    assert (again.stdout, again.stderr) == (first.stdout, "")


def test_a_download_that_is_not_the_release_is_not_used(machine: Machine) -> None:
    machine.has("uname", '[ "$1" = -s ] && echo Linux || echo x86_64')
    machine.has("curl", 'while [ "$1" != --output ]; do shift; done; echo junk >"$2"')

    found = machine.ask()

    assert found.returncode == 1
    assert "another sha256 than the release" in found.stderr
    assert not (machine.folder / "repository" / ".tools" / "bin" / "helm").exists()


def test_without_any_way_to_helm_it_says_what_to_do(machine: Machine) -> None:
    found = machine.ask()

    assert (found.returncode, found.stdout) == (1, "")
    assert "put helm 3.14 or newer on the PATH" in found.stderr


def test_a_platform_without_a_pinned_release_is_named(machine: Machine) -> None:
    machine.has("uname", '[ "$1" = -s ] && echo Linux || echo riscv64')

    assert "no helm v4.1.4 is pinned for linux-riscv64" in machine.ask().stderr
