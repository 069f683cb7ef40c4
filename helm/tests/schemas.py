"""Is an object one that Kubernetes takes? Checked against the API's own schemas, unknown fields refused."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import kubernetes_validate

VERSIONS = ("1.33", "1.34", "1.35")
_CRDS = Path(__file__).parent / "crds"


def complaint(text: str, version: str) -> str:
    """What is wrong with the object in this JSON for that version of Kubernetes; "" = nothing."""
    thing = json.loads(text)
    group, _, api = thing["apiVersion"].rpartition("/")
    crd = _CRDS / f"{thing['kind']}.{group}.{api}.json"
    try:
        if crd.is_file():
            _validator(crd).validate(thing)
        else:
            kubernetes_validate.validate(thing, version, strict=True)
    except jsonschema.ValidationError as error:
        return (
            f"{thing['kind']} {thing['metadata']['name']}: {error.message} at {'.'.join(map(str, error.absolute_path))}"
        )
    except kubernetes_validate.SchemaNotFoundError as error:
        return str(error.message)
    return ""


@cache
def _validator(path: Path) -> Any:
    return jsonschema.Draft7Validator(json.loads(path.read_text(encoding="utf-8")))
