"""What is really installed in an image? Writes its bill of materials (CycloneDX 1.6): `image_sbom.py ARCHIVE OUT`.

ARCHIVE is what `docker save` writes. Python's packages are those whose metadata lies in the image's last state,
Debian's those of its package database, the interpreter the one that the base image names. Runs with the tools of the
audit.
"""

import argparse
import json
import re
import sys
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from email.message import Message
from email.parser import BytesParser
from pathlib import Path, PurePosixPath
from typing import Any
from uuid import NAMESPACE_OID, uuid5

_WANTED = re.compile(
    r"(?P<python>.+\.dist-info/METADATA)|(?P<debian>var/lib/dpkg/status)|(?P<system>(?:usr/lib|etc)/os-release)"
)
_WHITEOUT, _OPAQUE = ".wh.", ".wh..wh..opq"


@dataclass(frozen=True, slots=True)
class Package:
    """One installed package. `where` is the file that says so."""

    kind: str
    """As in a package URL: pypi, deb, generic."""
    name: str
    version: str
    where: str
    licence: str = ""
    qualifiers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Image:
    """What an archive holds."""

    name: str
    config_digest: str
    config: dict[str, Any]
    files: dict[str, bytes]
    """Those of the last state that say what is installed, by path."""


def read(archive: Path) -> Image:
    """The first image of the archive. Raises ValueError when it is none."""
    with tarfile.open(archive) as outer:
        try:
            (manifest, *_) = json.loads(_content(outer, "manifest.json"))
            config = _content(outer, manifest["Config"])
        except (KeyError, ValueError) as error:
            raise ValueError(f"{archive} is no archive of an image, as docker save writes it") from error
        files: dict[str, bytes] = {}
        for layer in manifest["Layers"]:
            with tarfile.open(fileobj=outer.extractfile(layer)) as changes:
                _apply(changes, files)
    digest = PurePosixPath(manifest["Config"]).name.removesuffix(".json")
    return Image((manifest.get("RepoTags") or [archive.name])[0], digest, json.loads(config), files)


def _content(archive: tarfile.TarFile, name: str) -> bytes:
    file = archive.extractfile(name)
    if file is None:
        raise KeyError(name)
    return file.read()


def _apply(changes: tarfile.TarFile, files: dict[str, bytes]) -> None:
    added: dict[str, bytes] = {}
    for member in changes:
        path = PurePosixPath(member.name.removeprefix("./"))
        if path.name == _OPAQUE:
            _remove(files, str(path.parent))
        elif path.name.startswith(_WHITEOUT):
            _remove(files, str(path.parent / path.name.removeprefix(_WHITEOUT)))
        elif member.isfile() and _WANTED.fullmatch(str(path)):
            file = changes.extractfile(member)
            added[str(path)] = file.read() if file else b""
    files |= added


def _remove(files: dict[str, bytes], path: str) -> None:
    for one in [one for one in files if one == path or one.startswith(f"{path}/")]:
        del files[one]


def packages(image: Image) -> Iterator[Package]:
    """All that is installed, sorted by its file."""
    variables = dict(entry.split("=", 1) for entry in image.config.get("config", {}).get("Env") or [])
    if version := variables.get("PYTHON_VERSION"):
        yield Package("generic", "python", version, "PYTHON_VERSION")
    system = dict(_release(image.files))
    for path, content in sorted(image.files.items()):
        found = _WANTED.fullmatch(path)
        if found and found["python"]:
            told = BytesParser().parsebytes(content, headersonly=True)
            licence = told["License-Expression"] or told["License"] or ""
            yield Package("pypi", str(told["Name"]), str(told["Version"]), path, "" if "\n" in licence else licence)
        elif found and found["debian"]:
            yield from _debian(content, path, system)


def _release(files: dict[str, bytes]) -> Iterator[tuple[str, str]]:
    for path in ("usr/lib/os-release", "etc/os-release"):
        for line in files.get(path, b"").decode().splitlines():
            if "=" in line:
                name, _, value = line.partition("=")
                yield name, value.strip('"')


def _debian(status: bytes, path: str, system: dict[str, str]) -> Iterator[Package]:
    for stanza in status.split(b"\n\n"):
        told: Message = BytesParser().parsebytes(stanza, headersonly=True)
        if told["Status"] == "install ok installed":
            qualifiers = [("arch", str(told["Architecture"]))]
            if name := system.get("VERSION_CODENAME"):
                qualifiers.append(("distro", name))
            yield Package("deb", str(told["Package"]), str(told["Version"]), path, "", tuple(qualifiers))


def bill(image: Image) -> str:
    """As JSON, the same for the same image. Raises ValueError when it does not fit CycloneDX's own schema."""
    from cyclonedx.contrib.license.factories import LicenseFactory
    from cyclonedx.model.bom import Bom
    from cyclonedx.model.component import Component, ComponentType
    from cyclonedx.model.component_evidence import ComponentEvidence, Occurrence
    from cyclonedx.output.json import JsonV1Dot6
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator
    from packageurl import PackageURL

    name, _, version = image.name.rpartition(":")
    bom = Bom(serial_number=uuid5(NAMESPACE_OID, image.config_digest))
    container = Component(
        type=ComponentType.CONTAINER, name=name or image.name, version=version, bom_ref=image.config_digest
    )
    bom.metadata.component = container
    if created := image.config.get("created"):
        bom.metadata.timestamp = datetime.fromisoformat(str(created)[:19] + "+00:00")
    for package in packages(image):
        namespace = "debian" if package.kind == "deb" else None
        url = PackageURL(package.kind, namespace, package.name, package.version, dict(package.qualifiers))
        bom.components.add(
            Component(
                type=ComponentType.PLATFORM if package.kind == "generic" else ComponentType.LIBRARY,
                name=package.name,
                version=package.version,
                purl=url,
                bom_ref=f"{url}#{package.where}",
                licenses=[LicenseFactory().make_from_string(package.licence)] if package.licence else [],
                evidence=ComponentEvidence(occurrences=[Occurrence(location=package.where)]),
            )
        )
    bom.register_dependency(container, bom.components)
    text = JsonV1Dot6(bom).output_as_string(indent=2)
    if wrong := JsonStrictValidator(SchemaVersion.V1_6).validate_str(text):
        raise ValueError(f"the bill does not fit the schema: {wrong}")
    return text


def main(archive: Path, out: Path) -> str:
    """Writes the bill; a sentence that says what is in it. Raises ValueError."""
    text = bill(read(archive))
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(text + "\n", encoding="utf-8")
    return f"{out}: {len(json.loads(text).get('components', []))} components"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Write the bill of materials of an image.")
    parser.add_argument("archive", type=Path, help="what docker save wrote")
    parser.add_argument("out", type=Path, help="file to write")
    given = parser.parse_args()
    try:
        sys.stdout.write(main(given.archive, given.out) + "\n")
    except (OSError, tarfile.TarError, ValueError) as error:
        sys.exit(f"image_sbom.py: {error}")
