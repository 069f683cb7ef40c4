"""What does a kustomize folder come to? Resources, patches, images and labels, as `kubectl -k` makes them.

A small reading of the few features that k8s/ uses, so that the tests need no kubectl; an unknown field is an error.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

K8S = Path(__file__).parent.parent
_KNOWN = {"apiVersion", "kind", "resources", "images", "labels", "patches"}

Document = dict[str, Any]


def documents(file: Path) -> list[Document]:
    """Every document of a YAML file."""
    return [one for one in yaml.safe_load_all(file.read_text(encoding="utf-8")) if one]


def built(folder: Path) -> list[Document]:
    """Every object that `kubectl apply -k folder` sends."""
    (plan,) = documents(folder / "kustomization.yaml")
    unknown = set(plan) - _KNOWN
    if unknown:
        raise ValueError(f"{folder}: this reader does not know {sorted(unknown)}")
    found = [one for resource in plan["resources"] for one in _resource(folder / resource)]
    for image in plan.get("images", []):
        for container in containers(found):
            if container["image"] == image["name"]:
                container["image"] = f"{image['name']}:{image['newTag']}"
    for patch in plan.get("patches", []):
        for one in found:
            if one["kind"] == patch["target"]["kind"]:
                _patch(one, yaml.safe_load(patch["patch"]))
    return found


def containers(objects: list[Document]) -> Iterator[Document]:
    """The containers of all Deployments."""
    for one in objects:
        if one["kind"] == "Deployment":
            yield from one["spec"]["template"]["spec"]["containers"]


def _resource(path: Path) -> list[Document]:
    return built(path.resolve()) if path.is_dir() else documents(path)


def _patch(document: Document, steps: list[Document]) -> None:
    for step in steps:
        *way, last = step["path"].strip("/").split("/")
        place = document
        for name in way:
            place = place[name]
        if step["op"] != "add":
            raise ValueError(f"this reader does not know the patch {step['op']}")
        place[last] = step["value"]
