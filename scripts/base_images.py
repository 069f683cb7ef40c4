"""Is every base image pinned to a digest? `base_images.py [FOLDER]` names those that are not: a tag can be moved."""

import argparse
import re
import sys
from pathlib import Path

DIGEST = re.compile(r"@sha256:[0-9a-f]{64}$")
_FROM = re.compile(r"^FROM\s+(?:--platform=\S+\s+)?(?P<image>\S+)(?:\s+AS\s+(?P<stage>\S+))?\s*$", re.IGNORECASE)
_ARG = re.compile(r"^ARG\s+(?P<name>\w+)(?:=(?P<value>\S*))?\s*$", re.IGNORECASE)
_VARIABLE = re.compile(r"\$\{?(\w+)\}?")


def unpinned(dockerfile: str) -> list[str]:
    """The images of its FROM lines that have no digest; arguments have the values that the file gives them."""
    arguments: dict[str, str] = {}
    stages = {"scratch"}
    found: list[str] = []
    in_stage = False
    for line in dockerfile.splitlines():
        # An argument of a stage is not known in the next FROM line.
        if (argument := _ARG.match(line)) and not in_stage:
            arguments[argument["name"]] = argument["value"] or ""
        elif source := _FROM.match(line):
            in_stage = True
            image = _VARIABLE.sub(lambda name: arguments.get(name[1], ""), source["image"])
            if image not in stages and not DIGEST.search(image):
                found.append(image or source["image"])
            stages.add(source["stage"] or "")
    return found


def main(root: Path) -> int:
    """How many there are; each is a line on stderr."""
    bad = 0
    for file in sorted(root.glob("**/Dockerfile*")):
        if any(part.startswith(".") for part in file.relative_to(root).parts):
            continue
        for image in unpinned(file.read_text(encoding="utf-8")):
            sys.stderr.write(f"{file.relative_to(root)}: {image} has no digest; write NAME:TAG@sha256:DIGEST\n")
            bad += 1
    return bad


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Name the base images that are not pinned to a digest.")
    parser.add_argument("folder", nargs="?", type=Path, default=Path(), help="where the Dockerfiles lie")
    sys.exit(1 if main(parser.parse_args().folder) else 0)
