"""How do the tests see the chart? Through the real helm: what it renders, parsed, or the sentence it refuses with."""

import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parent.parent.parent
CHART = ROOT / "helm" / "voice-workflow"
VALUE_SETS = sorted(path.name.removesuffix("-values.yaml") for path in (CHART / "ci").glob("*-values.yaml"))
TIMEOUT_S = 60
MOUNTED = "/etc/voice-gateway/"

Object = dict[str, Any]


def parsed(text: str) -> list[Object]:
    """The documents of YAML. By libyaml, nine times as fast as the parser in Python: charts are parsed 700 times."""
    return [one for one in yaml.load_all(text, Loader=yaml.CSafeLoader) if one]


@dataclass(frozen=True, slots=True)
class Rendered:
    """The objects of one rendering."""

    objects: list[Object] = field(repr=False)

    def __iter__(self) -> Iterator[Object]:
        return iter(self.objects)

    @property
    def names(self) -> list[str]:
        """Kind/name of every object, sorted."""
        return sorted(f"{one['kind']}/{one['metadata']['name']}" for one in self.objects)

    def has(self, name: str) -> bool:
        """Is there an object of that Kind/name?"""
        return name in self.names

    def get(self, name: str) -> Any:
        """The object of that Kind/name. Raises KeyError naming what there is."""
        for one in self.objects:
            if f"{one['kind']}/{one['metadata']['name']}" == name:
                return one
        raise KeyError(f"no {name}, but {', '.join(self.names)}")

    def pod(self, deployment: str) -> Any:
        """The pod spec of a Deployment."""
        return self.get(f"Deployment/{deployment}")["spec"]["template"]["spec"]

    def container(self, deployment: str) -> Any:
        """The one container of a Deployment."""
        (container,) = self.pod(deployment)["containers"]
        return container

    def env(self, deployment: str) -> dict[str, Any]:
        """Its variables, by name; a reference is the reference."""
        return {
            one["name"]: one.get("value", one.get("valueFrom")) for one in self.container(deployment).get("env", [])
        }

    @property
    def live(self) -> dict[str, Any]:
        """What the live file of the stable pods says."""
        text = self.get("ConfigMap/voice-gateway-live")["data"][self.live_key()]
        return dict(*parsed(text))

    def live_key(self, deployment: str = "voice-gateway") -> str:
        """The name of the live file of its pods."""
        return str(self.env(deployment)["GATEWAY_LIVE_FILE"]).rpartition("/")[2]

    @property
    def restart(self) -> dict[str, str]:
        """The variables of the start, without those that name what is mounted or in a Secret."""
        env = self.env("voice-gateway")
        return {name: value for name, value in env.items() if isinstance(value, str) and not value.startswith(MOUNTED)}

    @property
    def pod_labels(self) -> dict[str, dict[str, str]]:
        """The labels of every pod, by the name of the object that makes it."""
        made = [(one, one["spec"]["template"]) for one in self.objects if one["kind"] in ("Deployment", "StatefulSet")]
        pods = [(one, one) for one in self.objects if one["kind"] == "Pod"]
        return {one["metadata"]["name"]: pod["metadata"]["labels"] for one, pod in (*made, *pods)}

    @property
    def pod_specs(self) -> dict[str, Any]:
        """Every pod spec, by the name of the object that makes it."""
        found = {}
        for one in self.objects:
            if one["kind"] in ("Deployment", "StatefulSet"):
                found[one["metadata"]["name"]] = one["spec"]["template"]["spec"]
            elif one["kind"] == "Pod":
                found[one["metadata"]["name"]] = one["spec"]
        return found


@dataclass(frozen=True, slots=True)
class Chart:
    """The chart, by the helm at that path. Equal values are rendered once."""

    helm: str

    def render(self, values: Object | None = None, *, release: str = "voice") -> Rendered:
        """The objects for these values over the defaults. Raises AssertionError with helm's words when it refuses."""
        status, out, said = _templated(self.helm, release, json.dumps(values or {}))
        assert status == 0, said
        return Rendered(parsed(out))

    def set(self, name: str) -> Rendered:
        """The objects for the value set ci/NAME-values.yaml."""
        return self.render(yaml.safe_load((CHART / "ci" / f"{name}-values.yaml").read_text(encoding="utf-8")))

    def refusal(self, values: Object, *, release: str = "voice") -> str:
        """What helm says about values it refuses. Raises AssertionError when it takes them."""
        status, _, said = _templated(self.helm, release, json.dumps(values))
        assert status != 0, f"helm takes {values}"
        return said

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Any other verb of helm."""
        return _run(self.helm, *arguments)


STAND_INS: Object = {"speechServer": {"enabled": True}, "miniLlm": {"enabled": True}}
PARAKEET: Object = {"enabled": True, "engine": "parakeet"}
"""`speechServer` with the engine that needs models."""


def nested(path: str, value: Any) -> Object:
    """{"a": {"b": value}} for "a.b"."""
    for key in reversed(path.split(".")):
        value = {key: value}
    return dict(value)


@cache
def _templated(helm: str, release: str, values: str) -> tuple[int, str, str]:
    command = ("template", release, str(CHART), "--namespace", "calls", "--values", "-")
    found = _run(helm, *command, typed=values)
    return found.returncode, found.stdout, found.stderr


def _run(helm: str, *arguments: str, typed: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [helm, *arguments], input=typed, capture_output=True, text=True, timeout=TIMEOUT_S, check=False
    )
