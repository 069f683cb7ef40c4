"""Which fields do the NIM Operator's resources have? python k8s/tests/refresh_crds.py FOLDER writes them

FOLDER is config/crd/bases of a checkout of github.com/NVIDIA/k8s-nim-operator (Apache-2.0). Descriptions are left out,
and objects are closed: the API server drops a field that the schema does not know, silently; here it is an error.
"""

import json
import sys
from pathlib import Path
from typing import Any

import yaml

HERE = Path(__file__).parent / "crds"
KINDS = ("nimcaches", "nimservices")


def closed(schema: Any, *, of_properties: bool = False) -> Any:
    """`schema` without prose, its objects without room for unknown fields."""
    if isinstance(schema, list):
        return [closed(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    if of_properties:
        return {name: closed(one) for name, one in schema.items()}
    kept = {
        name: closed(one, of_properties=name == "properties")
        for name, one in schema.items()
        if name != "description" and not name.startswith("x-kubernetes")
    }
    is_open = schema.get("x-kubernetes-preserve-unknown-fields") or "additionalProperties" in schema
    if "properties" in kept and not is_open:
        kept["additionalProperties"] = False
    return kept


def main() -> None:
    """The command line."""
    (folder,) = sys.argv[1:] or sys.exit(__doc__)
    for kind in KINDS:
        definition = yaml.safe_load((Path(folder) / f"apps.nvidia.com_{kind}.yaml").read_text(encoding="utf-8"))
        (version,) = definition["spec"]["versions"]
        schema = closed(version["schema"]["openAPIV3Schema"])
        schema["properties"]["metadata"] = {"type": "object"}
        schema["title"] = (
            f"{definition['spec']['names']['kind']} {version['name']}, NVIDIA/k8s-nim-operator, Apache-2.0"
        )
        (HERE / f"{definition['spec']['names']['kind']}.json").write_text(
            json.dumps(schema, separators=(",", ":"), sort_keys=True) + "\n", encoding="utf-8"
        )


if __name__ == "__main__":
    main()
