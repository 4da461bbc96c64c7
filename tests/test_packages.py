# SPDX-License-Identifier: MPL-2.0
"""What begins with an underscore is used by its own package only."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import sagsgang

ROOT = Path(sagsgang.__file__).parent


def imported(path: Path) -> Iterator[str]:
    """The full names that a module imports from this program."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{each.name}" for each in node.names)
        elif isinstance(node, ast.Import):
            yield from (each.name for each in node.names)


def owner_of_the_private_part(name: str) -> str | None:
    """The package to which the first private part of a name belongs."""
    parts = name.split(".")
    for at, part in enumerate(parts):
        if part.startswith("_") and not part.startswith("__"):
            return ".".join(parts[:at])
    return None


def test_no_package_reaches_into_another():
    intruders = []
    for path in ROOT.rglob("*.py"):
        module = ".".join(("sagsgang", *path.relative_to(ROOT).with_suffix("").parts))
        for name in imported(path):
            owner = owner_of_the_private_part(name)
            ours = owner is not None and owner.partition(".")[0] == "sagsgang"
            if ours and module != owner and not module.startswith(f"{owner}."):
                intruders.append(f"{module} imports {name}")
    assert intruders == []
