# SPDX-License-Identifier: MPL-2.0
"""Small readers shared by the parts that turn XML into a graph."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lxml import etree

from sagsgang.bpmn.model import BPMN, CAMUNDA, KIN, SAGSGANG, ZEEBE, Model, local_name

__all__ = [
    "attribute",
    "boolean",
    "child",
    "children",
    "extension",
    "extensions",
    "reference",
    "text_of",
    "variable_names",
]

_OLDER = (CAMUNDA, *KIN)
_VENDORS = (ZEEBE, SAGSGANG, *_OLDER)
_PLAIN_NAME = re.compile(r"[^\W\d]\w*")


def reference(value: str | None) -> str:
    """The id in a QName reference, without its prefix."""
    return (value or "").strip().rpartition(":")[2]


def boolean(element: etree._Element, name: str, *, default: bool = False) -> bool:
    """An ``xsd:boolean`` attribute."""
    value = element.get(name)
    return default if value is None else value.strip() in {"true", "1"}


def child(element: etree._Element, name: str) -> etree._Element | None:
    """The first BPMN child of a name."""
    return element.find(f"{{{BPMN}}}{name}")


def children(element: etree._Element, name: str) -> list[etree._Element]:
    """All BPMN children of a name."""
    return element.findall(f"{{{BPMN}}}{name}")


def text_of(element: etree._Element | None) -> str:
    """All text inside an element, without surrounding space."""
    return "" if element is None else "".join(map(str, element.itertext())).strip()


def extensions(element: etree._Element, name: str) -> Iterator[etree._Element]:
    """Extension elements of a local name, of the vendors whose extensions are read."""
    holder = child(element, "extensionElements")
    if holder is None:
        return
    for vendor in _VENDORS:
        yield from holder.findall(f"{{{vendor}}}{name}")


def extension(element: etree._Element, name: str) -> etree._Element | None:
    """The first extension element of a local name."""
    return next(extensions(element, name), None)


def attribute(element: etree._Element, name: str) -> str:
    """An attribute of our own or of the older engines, such as ``camunda:assignee``."""
    for vendor in (SAGSGANG, *_OLDER):
        value = element.get(f"{{{vendor}}}{name}")
        if value:
            return value
    return ""


def variable_names(model: Model) -> tuple[str, ...]:
    """Names of variables that the model makes and that FEEL cannot read without being told.

    A name with a space or a sign in it resolves only when it is known in scope (DMN 1.5, 10.3.1.2).
    """
    found: set[str] = set()
    for element in model.root.iter():
        tag = local_name(element)
        for name in ("target", "resultVariable", "inputElement", "outputCollection"):
            value = element.get(name)
            if value:
                found.add(value)
        if tag in {"dataObject", "dataObjectReference", "property", "dataInput", "dataOutput"}:
            found.add(element.get("name") or "")
    return tuple(sorted(name for name in found if name and not _PLAIN_NAME.fullmatch(name)))
