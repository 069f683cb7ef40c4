"""Is a class name defined once in a package, and is every class small, or does it say why it is not?

A class with more than MOST_METHODS or MOST_ATTRIBUTES says `# size: REASON` on its first line. Records (frozen
dataclasses, settings) may have as many fields as they need.
"""

import ast
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = sorted(file.parent for file in ROOT.glob("[ls]*s/*/pyproject.toml"))
MOST_METHODS, MOST_ATTRIBUTES = 12, 10


def classes(package: Path) -> Iterator[tuple[ast.ClassDef, str]]:
    """Every class, with the first line of its source."""
    for file in sorted((package / "src").rglob("*.py")):
        source = file.read_text(encoding="utf-8")
        lines = source.splitlines()
        yield from (
            (node, lines[node.lineno - 1]) for node in ast.walk(ast.parse(source)) if isinstance(node, ast.ClassDef)
        )


def is_record(node: ast.ClassDef) -> bool:
    decorated = any("frozen=True" in ast.unparse(decorator) for decorator in node.decorator_list)
    return decorated or any("Settings" in ast.unparse(base) or "Model" in ast.unparse(base) for base in node.bases)


def size(node: ast.ClassDef) -> tuple[int, int]:
    """(methods without the special ones, attributes that are declared or set)."""
    functions = [item for item in node.body if isinstance(item, ast.FunctionDef | ast.AsyncFunctionDef)]
    declared = {
        item.target.id for item in node.body if isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name)
    }
    stored = {
        item.attr
        for function in functions
        for item in ast.walk(function)
        if isinstance(item, ast.Attribute) and isinstance(item.ctx, ast.Store) and ast.unparse(item.value) == "self"
    }
    return sum(not function.name.startswith("__") for function in functions), len(declared | stored)


@pytest.mark.parametrize("package", PACKAGES, ids=lambda one: one.name)
def test_a_class_name_is_defined_once(package: Path) -> None:
    names = Counter(node.name for node, _ in classes(package) if not node.name.startswith("_"))
    assert [name for name, count in names.items() if count > 1] == []


@pytest.mark.parametrize("package", PACKAGES, ids=lambda one: one.name)
def test_a_class_is_small_or_says_why_not(package: Path) -> None:
    large = [
        f"{node.name}: {methods} methods, {attributes} attributes"
        for node, first_line in classes(package)
        for methods, attributes in [size(node)]
        if (methods > MOST_METHODS or (attributes > MOST_ATTRIBUTES and not is_record(node)))
        and "# size: " not in first_line
    ]
    assert large == []
