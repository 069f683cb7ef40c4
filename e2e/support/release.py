"""How is the chart installed, changed and taken away? By helm, as an operator would."""

import re
import shutil
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass, field
from pathlib import Path

from e2e.support.config import CHART, ROOT, VALUES, ClusterConfig
from e2e.support.shell import ProgramResult, attempt, run

LONG_S = 120.0


def helm_program() -> str:
    """The helm on the PATH, else the one that scripts/helm.sh brings."""
    return shutil.which("helm") or run([str(ROOT / "scripts" / "helm.sh")], timeout_s=600).strip().splitlines()[-1]


@dataclass(frozen=True, slots=True)
class Release:
    """One release of the chart in a namespace; `settings` are said with every install and upgrade."""

    namespace: str
    values: str
    """Name of a file in e2e/values."""
    config: ClusterConfig
    settings: MutableMapping[str, str] = field(default_factory=dict)
    name: str = "talk"
    helm: str = field(default_factory=helm_program)

    @property
    def gateway(self) -> str:
        """The Service for all callers, and the stable Deployment."""
        return f"{self.name}-gateway"

    def address(self, service: str = "gateway") -> str:
        """host:port inside the cluster."""
        return f"{self.name}-{service}.{self.namespace}.svc:50050"

    def install(self, *, wait: bool = True, more: Mapping[str, str] | None = None) -> None:
        """Raises CommandFailed."""
        run(self._order("install", more or {}, wait=wait), timeout_s=LONG_S + 10)

    def upgrade(self, more: Mapping[str, str] | None = None, *, wait: bool = True) -> None:
        """With the settings of the install and `more`. Raises CommandFailed."""
        run(self._order("upgrade", more or {}, wait=wait), timeout_s=LONG_S + 10)

    def try_upgrade(self, more: Mapping[str, str]) -> ProgramResult:
        """The same, whatever comes of it."""
        return attempt(self._order("upgrade", more, wait=True), timeout_s=LONG_S + 10)

    def rendered(self, template: str, more: Mapping[str, str]) -> str:
        """One template's objects, as text. Raises CommandFailed."""
        order = self._order("template", more, wait=False)
        return run([*order, "--show-only", f"templates/{template}.yaml"], timeout_s=30)

    def test(self) -> str:
        """`helm test` with the pod's log. Raises CommandFailed when the test fails."""
        return run(
            [self.helm, "test", self.name, "--namespace", self.namespace, "--logs", "--timeout", "120s"], timeout_s=180
        )

    def rollback(self) -> None:
        """To the revision before, waiting until it runs."""
        order = [
            self.helm,
            "rollback",
            self.name,
            "--namespace",
            self.namespace,
            "--wait",
            "--timeout",
            f"{LONG_S:.0f}s",
        ]
        run(order, timeout_s=LONG_S + 10)

    def uninstall(self) -> None:
        """Waits for the objects' deletion."""
        order = [self.helm, "uninstall", self.name, "--namespace", self.namespace, "--wait", "--timeout", "120s"]
        run(order, timeout_s=130)

    def revision(self) -> str:
        """What `helm status` says of the release, as JSON."""
        return run([self.helm, "history", self.name, "--namespace", self.namespace, "-o", "json"], timeout_s=30)

    def _order(self, verb: str, more: Mapping[str, str], *, wait: bool) -> list[str]:
        config = self.config
        said = {"image.registry": config.registry, "image.tag": config.tag, **self.settings, **more}
        order = [self.helm, verb, self.name, str(CHART), "--namespace", self.namespace]
        order += ["--values", str(values_file(self.values)), "--timeout", f"{LONG_S:.0f}s"]
        order += ["--wait"] if wait else []
        for key, value in said.items():
            order += _setting(key, value)
        return order


def _setting(key: str, value: str) -> list[str]:
    """helm's --set takes 0.5 for a text and cuts at commas; so numbers and booleans go as JSON, all else as text."""
    if re.fullmatch(r"-?\d+(\.\d+)?|true|false", value) and not key.endswith(".tag"):
        return ["--set-json", f"{key}={value}"]
    return ["--set-string", f"{key}={value.replace(',', chr(92) + ',')}"]


def values_file(name: str) -> Path:
    """One of e2e/values."""
    return VALUES / f"{name}.yaml"
