# SPDX-License-Identifier: MPL-2.0
"""Elements, attributes, their order and number, as the schema of the standard has them.

``schema.json`` holds the facts of the schema (names, types, order, cardinality) in a form of our
own, so that a violation can be told in a sentence with the element's id.
"""

from __future__ import annotations

import json
import re
from functools import cache
from importlib import resources
from typing import Any

from lxml import etree

from sagsgang.bpmn.model import BPMN, BPMNDI, DC, DI, XSI, local_name
from sagsgang.bpmn.validation._context import Context

__all__ = ["check_schema", "element_kinds"]

_PREFIXES = {BPMN: "", BPMNDI: "bpmndi:", DC: "dc:", DI: "di:"}
_NCNAME = re.compile(r"[^\W\d][\w.\-·]*")
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?|INF|-INF|NaN")
_VALUES = {
    "xsd:boolean": (re.compile(r"true|false|0|1"), "true eller false"),
    "xsd:int": (re.compile(r"[+-]?\d+"), "et helt tal"),
    "xsd:integer": (re.compile(r"[+-]?\d+"), "et helt tal"),
    "xsd:double": (_NUMBER, "et tal"),
    "xsd:ID": (_NCNAME, "et id, der begynder med et bogstav og er uden mellemrum og kolon"),
    "xsd:QName": (re.compile(r"([^\W\d][\w.\-·]*:)?[^\W\d][\w.\-·]*"), "en henvisning til et id"),
}


@cache
def _facts() -> dict[str, Any]:
    text = resources.files("sagsgang.bpmn.validation").joinpath("schema.json").read_text("utf-8")
    facts: dict[str, Any] = json.loads(text)
    return facts


@cache
def _members(head: str) -> frozenset[str]:
    """Names of the elements that may stand where ``head`` is allowed."""
    found: set[str] = set()
    for name, (_, group, abstract) in _facts()["elements"].items():
        if name == head and not abstract:
            found.add(name)
        elif group == head:
            found |= _members(name)
    return frozenset(found)


@cache
def element_kinds(head: str) -> frozenset[str]:
    """Every element of a family of the schema, such as ``rootElement`` or ``eventDefinition``."""
    return _members(head)


@cache
def _content(type_name: str) -> tuple[Any, ...]:
    """What may be inside, in order, that of the base type first."""
    facts = _facts()["types"].get(type_name)
    if facts is None:
        return ()
    base = _content(facts["base"]) if "base" in facts else ()
    return (*base, *map(_frozen, facts.get("content", ())))


def _frozen(particle: list[Any]) -> tuple[Any, ...]:
    name, inner, low, high = particle
    if isinstance(inner, list):
        inner = tuple(map(_frozen, inner))
    return (name, inner, low, high)


@cache
def _attributes(type_name: str) -> dict[str, tuple[str, bool]]:
    facts = _facts()["types"].get(type_name, {})
    found = dict(_attributes(facts["base"])) if "base" in facts else {}
    found.update({name: (kind, must) for name, (kind, must) in facts.get("attributes", {}).items()})
    return found


@cache
def _children(type_name: str) -> dict[str, str]:
    """Allowed children by name, with the type of each."""
    found: dict[str, str] = {}

    def walk(particles: tuple[Any, ...]) -> None:
        for name, inner, _, _ in particles:
            if name in {"choice", "sequence"} and isinstance(inner, tuple):
                walk(inner)
            elif inner is None:
                for member in _members(name):
                    found[member] = _facts()["elements"][member][0]
            elif name != "*":
                found[name] = inner

    walk(_content(type_name))
    return found


@cache
def _pattern(type_name: str) -> re.Pattern[str]:
    """The order and number of children as a regular expression over their names."""

    def write(particles: tuple[Any, ...], joiner: str) -> str:
        return joiner.join(one(each) for each in particles)

    def one(particle: tuple[Any, ...]) -> str:
        name, inner, low, high = particle
        if name in {"choice", "sequence"} and isinstance(inner, tuple):
            body = write(inner, "|" if name == "choice" else "")
        elif name == "*":
            return "(?:[*] )*"
        else:
            names = sorted(_members(name)) if inner is None else [name]
            body = "|".join(re.escape(each) + " " for each in names) or "(?!)"
        upper = "" if high < 0 else str(high)
        return f"(?:{body}){{{low},{upper}}}"

    return re.compile(write(_content(type_name), ""))


def check_schema(context: Context) -> None:
    """Walk the tree along the schema."""
    seen: dict[str, etree._Element] = {}
    _walk(context, context.root, "tDefinitions", seen)


def _name(element: etree._Element) -> str:
    """Name of an element as the schema facts have it; "*" for those of vendors."""
    tag: object = element.tag
    if not isinstance(tag, str):
        return ""  # a comment or a processing instruction
    namespace, _, local = tag[1:].rpartition("}") if tag[0] == "{" else ("", "", tag)
    prefix = _PREFIXES.get(namespace)
    return "*" if prefix is None else prefix + local


def _walk(
    context: Context, element: etree._Element, type_name: str, seen: dict[str, etree._Element]
) -> None:
    facts = _facts()["types"].get(type_name)
    if facts is None:
        return  # a simple type: only text inside, looked at with the references
    chosen = element.get(f"{{{XSI}}}type")
    if chosen is not None:
        type_name = _derived(context, element, chosen, type_name)
    _check_attributes(context, element, type_name, seen)
    allowed = _children(type_name)
    names: list[str] = []
    open_content = type_name in {"tExtensionElements", "tDocumentation", "tText", "tScript"}
    if open_content or _name(element) == "di:extension":
        return
    mixed = type_name in {"tExpression", "tFormalExpression"}
    for child in element:
        name = _name(child)
        if not name:
            continue
        if name not in allowed and not (name == "*" and mixed):
            what = local_name(child)
            if name == "*" and (element is context.root or type_name == "tDefinitions"):
                what = f"{what} fra en anden leverandør"
            context.add(
                child,
                "schema-element-not-allowed",
                f"<{what}> må ikke stå i <{local_name(element)}>; flyt det eller fjern det.",
            )
            continue
        if name != "*":
            names.append(name)
            _walk(context, child, allowed[name], seen)
    _check_order(context, element, type_name, names)


def _derived(context: Context, element: etree._Element, chosen: str, declared: str) -> str:
    """The type that ``xsi:type`` names, if it may stand here."""
    local = chosen.rpartition(":")[2]
    for name in (local, f"dc:{local}", f"di:{local}"):
        at = name
        while at:
            if at == declared:
                return name
            at = _facts()["types"].get(at, {}).get("base", "")
    context.add(
        element,
        "schema-type",
        f"xsi:type {chosen!r} passer ikke til <{local_name(element)}>; ret typen.",
    )
    return declared


def _check_attributes(
    context: Context, element: etree._Element, type_name: str, seen: dict[str, etree._Element]
) -> None:
    allowed = _attributes(type_name)
    for name, raw in element.attrib.items():
        key, value = str(name), str(raw)
        if key.startswith("{"):
            continue
        fact = allowed.get(key)
        if fact is None:
            context.add(
                element,
                "schema-attribute-not-allowed",
                f"Attributten {key!r} findes ikke på <{local_name(element)}>; fjern den.",
            )
            continue
        _check_value(context, element, key, value.strip(), fact[0])
        if fact[0] == "xsd:ID":
            if value in seen:
                context.add(
                    element,
                    "id-not-unique",
                    f"Id {value!r} er også brugt på linje {seen[value].sourceline}; "
                    "giv hvert element sit eget id.",
                    fatal=True,
                )
            seen.setdefault(value, element)
    for key, (_, must) in allowed.items():
        if must and element.get(key) is None:
            context.add(
                element,
                "schema-attribute-missing",
                f"<{local_name(element)}> mangler attributten {key!r}; angiv den.",
                fatal=key in {"sourceRef", "targetRef", "attachedToRef"},
            )


def _check_value(
    context: Context, element: etree._Element, key: str, value: str, kind: str
) -> None:
    enum = _facts()["enums"].get(kind)
    if enum is not None:
        # An implementation is one of two words or any URI.
        if value not in enum and kind not in {"tImplementation", "tTransactionMethod"}:
            context.add(
                element,
                "schema-attribute-value",
                f"{key}={value!r} findes ikke; vælg mellem {', '.join(enum)}.",
            )
        return
    rule = _VALUES.get(kind)
    if rule is not None and rule[0].fullmatch(value) is None:
        context.add(
            element,
            "schema-attribute-value",
            f"{key}={value!r} skal være {rule[1]}.",
        )


def _check_order(
    context: Context, element: etree._Element, type_name: str, names: list[str]
) -> None:
    if _pattern(type_name).fullmatch("".join(f"{name} " for name in names)) is not None:
        return
    where = local_name(element)
    for name, inner, low, high in _content(type_name):
        if name in {"choice", "sequence", "*"}:
            continue
        members = _members(name) if inner is None else {name}
        count = sum(each in members for each in names)
        if count < low:
            context.add(
                element,
                "schema-element-missing",
                f"<{where}> mangler {'et' if low == 1 else low} <{name}>; tilføj det.",
            )
            return
        if 0 <= high < count:
            context.add(
                element,
                "schema-element-too-many",
                f"<{where}> har {count} <{name}>; der må højst være {high}.",
            )
            return
    context.add(
        element,
        "schema-element-order",
        f"Elementerne i <{where}> mangler eller står i forkert rækkefølge: {', '.join(names)}.",
    )
