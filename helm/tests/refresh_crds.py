"""Which fields do the custom resources have that the chart makes? Writes their schemas into crds/, from Go modules.

python helm/tests/refresh_crds.py    needs Go and its module proxy; the versions are those of MODULES

Descriptions are left out and objects are closed: the API server drops a field it does not know without a word; here it
is an error.
"""

import json
import subprocess
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).parent / "crds"
MODULES = {
    "sigs.k8s.io/gateway-api@v1.4.0": (
        "config/crd/standard/gateway.networking.k8s.io_backendtlspolicies.yaml",
        "config/crd/standard/gateway.networking.k8s.io_grpcroutes.yaml",
        "config/crd/standard/gateway.networking.k8s.io_httproutes.yaml",
    ),
    "github.com/prometheus-operator/prometheus-operator@v0.85.0": (
        "example/prometheus-operator-crd/monitoring.coreos.com_servicemonitors.yaml",
    ),
    "github.com/kedacore/keda/v2@v2.20.2": ("config/crd/bases/keda.sh_scaledobjects.yaml",),
}
_NOTE = """# Schemas of custom resources

Extracted by `python helm/tests/refresh_crds.py` from the CustomResourceDefinitions of these projects, all under the
Apache License 2.0 (its text stands in the LICENSE file at the root of this repository). Changed: descriptions, defaults
and rules in CEL are left out, objects are closed.

{modules}
"""


def main() -> None:
    """Write every schema, and the note that says where they come from."""
    for module, paths in MODULES.items():
        root = _downloaded(module)
        for path in paths:
            definition = yaml.safe_load((root / path).read_text(encoding="utf-8"))
            for version in definition["spec"]["versions"]:
                if version["storage"]:
                    _write(definition["spec"], version)
    sources = "\n".join(f"- {module}: {', '.join(paths)}" for module, paths in MODULES.items())
    (FOLDER / "README.md").write_text(_NOTE.format(modules=sources), encoding="utf-8")


def closed(schema: Any, *, names: bool = False) -> Any:
    """`schema` without prose, its objects without room for unknown fields. `names`: its keys name properties."""
    if isinstance(schema, list):
        return [closed(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    if names:
        return {name: closed(one) for name, one in schema.items()}
    kept = {
        key: closed(one, names=key == "properties")
        for key, one in schema.items()
        if key not in ("description", "default") and not key.startswith("x-kubernetes")
    }
    is_open = "additionalProperties" in schema or schema.get("x-kubernetes-preserve-unknown-fields")
    return kept | {"additionalProperties": False} if "properties" in kept and not is_open else kept


def _downloaded(module: str) -> Path:
    found = subprocess.run(["go", "mod", "download", "-json", module], check=True, capture_output=True, cwd="/")
    return Path(json.loads(found.stdout)["Dir"])


def _write(spec: dict[str, Any], version: dict[str, Any]) -> None:
    schema = closed(version["schema"]["openAPIV3Schema"])
    schema["properties"]["metadata"] = {"type": "object"}
    text = json.dumps(schema, separators=(",", ":"), sort_keys=True) + "\n"
    name = f"{spec['names']['kind']}.{spec['group']}.{version['name']}.json"
    (FOLDER / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
