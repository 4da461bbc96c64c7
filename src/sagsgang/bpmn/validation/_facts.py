# SPDX-License-Identifier: MPL-2.0
"""The facts of the standard's schema, read from ``schema.json``.

``elements`` gives each global element its type, the element that it may stand in for, and whether
it is abstract. ``types`` gives each type its base, its content as particles
``[name, type, least, most]`` (``type`` is null for a global element, a list for ``choice`` and
``sequence``; ``most`` -1 is no limit) and its attributes ``{name: [type, required]}``.
"""

from __future__ import annotations

import json
import re
from functools import cache
from importlib import resources
from typing import Any, TypeAlias

from lxml import etree

from sagsgang.bpmn.model import BPMN, BPMNDI, DC, DI

__all__ = ["FOREIGN", "Particle", "attributes", "children", "content", "element_kinds", "extends"]
__all__ += ["facts", "is_abstract", "is_child_somewhere", "is_complex", "name_of", "names"]
__all__ += ["pattern"]

Particle: TypeAlias = tuple[str, Any, int, int]

FOREIGN = "*"
"""The name of every element that is not of the standard."""

_PREFIXES = {BPMN: "", BPMNDI: "bpmndi:", DC: "dc:", DI: "di:"}


@cache
def facts() -> dict[str, Any]:
    """The whole file."""
    text = resources.files("sagsgang.bpmn.validation").joinpath("schema.json").read_text("utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded


def name_of(element: etree._Element) -> str:
    """Name of an element as the facts have it; ``FOREIGN`` of vendors, "" of comments."""
    tag: object = element.tag
    if not isinstance(tag, str):
        return ""
    namespace, _, local = tag[1:].rpartition("}") if tag[0] == "{" else ("", "", tag)
    prefix = _PREFIXES.get(namespace)
    return FOREIGN if prefix is None else prefix + local


def is_complex(type_name: str) -> bool:
    """Whether a type has attributes and children; a simple one has only text."""
    return type_name in facts()["types"]


def is_abstract(type_name: str) -> bool:
    """Whether only types derived from it may be used."""
    return bool(facts()["types"].get(type_name, {}).get("abstract"))


def extends(type_name: str, base: str) -> bool:
    """Whether a type is another or derived from it."""
    while type_name and type_name != base:
        type_name = facts()["types"].get(type_name, {}).get("base", "")
    return type_name == base


@cache
def element_kinds(head: str) -> frozenset[str]:
    """Every element of a family of the schema, such as ``rootElement`` or ``eventDefinition``."""
    found: set[str] = set()
    for name, (_, group, abstract) in facts()["elements"].items():
        if name == head and not abstract:
            found.add(name)
        elif group == head:
            found |= element_kinds(name)
    return frozenset(found)


@cache
def content(type_name: str) -> tuple[Particle, ...]:
    """What may be inside, in order, that of the base type first."""
    fact = facts()["types"].get(type_name)
    if fact is None:
        return ()
    base = content(fact["base"]) if "base" in fact else ()
    return (*base, *map(_frozen, fact.get("content", ())))


def _frozen(particle: list[Any]) -> Particle:
    name, inner, low, high = particle
    if isinstance(inner, list):
        inner = tuple(map(_frozen, inner))
    return (name, inner, low, high)


@cache
def attributes(type_name: str) -> dict[str, tuple[str, bool]]:
    """Attributes by name: type, and whether it is required."""
    fact = facts()["types"].get(type_name, {})
    found = dict(attributes(fact["base"])) if "base" in fact else {}
    found.update({name: (kind, must) for name, (kind, must) in fact.get("attributes", {}).items()})
    return found


def names(particle: Particle) -> frozenset[str]:
    """The elements that may stand for a particle that is no choice and no sequence."""
    return element_kinds(particle[0]) if particle[1] is None else frozenset({particle[0]})


@cache
def children(type_name: str) -> dict[str, str]:
    """Allowed children by name, with the type of each."""
    found: dict[str, str] = {}

    def walk(particles: tuple[Particle, ...]) -> None:
        for name, inner, _, _ in particles:
            if isinstance(inner, tuple):
                walk(inner)
            elif inner is None:
                for member in element_kinds(name):
                    found[member] = facts()["elements"][member][0]
            elif name != FOREIGN:
                found[name] = inner

    walk(content(type_name))
    return found


@cache
def is_child_somewhere(name: str) -> bool:
    """Whether some type has a child of that name that is no global element."""
    return any(name in children(each) for each in facts()["types"])


@cache
def pattern(type_name: str) -> re.Pattern[str]:
    """The order and number of children as a regular expression over their names."""

    def write(particles: tuple[Particle, ...], joiner: str) -> str:
        return joiner.join(one(each) for each in particles)

    def one(particle: Particle) -> str:
        name, inner, low, high = particle
        if isinstance(inner, tuple):
            body = write(inner, "|" if name == "choice" else "")
        else:
            body = "|".join(re.escape(each) + " " for each in sorted(names(particle))) or "(?!)"
        upper = "" if high < 0 else str(high)
        return f"(?:{body}){{{low},{upper}}}"

    return re.compile(write(content(type_name), ""))
