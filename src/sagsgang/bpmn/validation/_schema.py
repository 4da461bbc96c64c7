# SPDX-License-Identifier: MPL-2.0
"""Elements, attributes, their order and number, as the schema of the standard has them.

``schema.json`` holds the facts of the schema (names, types, order, cardinality) in a form of our
own, so that a violation can be told in a sentence with the element's id. Extensions are left
alone, on every element, also the few on which the schema forgot to allow them.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from lxml import etree

from sagsgang.bpmn.model import BPMN, XSI, local_name
from sagsgang.bpmn.validation import _facts
from sagsgang.bpmn.validation._context import Context
from sagsgang.bpmn.validation._facts import FOREIGN, Particle
from sagsgang.bpmn.validation._imported import XML_SCHEMA as XSD

__all__ = ["check_schema"]

_NCNAME = r"[^\W\d][\w.\-·]*"
_NUMBER = r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?|INF|-INF|NaN"
_Match = Callable[[str], object]
_VALUES: dict[str, tuple[_Match, str]] = {
    "xsd:boolean": (re.compile("true|false|0|1").fullmatch, "true eller false"),
    "xsd:int": (re.compile(r"[+-]?\d+").fullmatch, "et helt tal"),
    "xsd:integer": (re.compile(r"[+-]?\d+").fullmatch, "et helt tal"),
    "xsd:double": (re.compile(_NUMBER).fullmatch, "et tal"),
    "xsd:ID": (
        re.compile(_NCNAME).fullmatch,
        "et id, der begynder med et bogstav eller _ og er uden mellemrum og kolon",
    ),
    "xsd:IDREF": (re.compile(_NCNAME).fullmatch, "et id i denne fil, uden præfiks"),
    "xsd:QName": (re.compile(f"({_NCNAME}:)?{_NCNAME}").fullmatch, "en henvisning til et id"),
}
_OPEN = frozenset({"tExtensionElements", "tDocumentation", "tText", "tScript"})
_MIXED = frozenset({"tExpression", "tFormalExpression", *_OPEN})
# An implementation is one of two words or any URI; so is how a transaction is undone.
_OPEN_ENUMS = frozenset({"tImplementation", "tTransactionMethod"})
# An expression for what is called, and types such as List<String>, are no names of the schema's.
_FOREIGN_NAMES = frozenset({"calledElement", "structureRef", "evaluatesToTypeRef"})
_FOREIGN_NAME = re.compile(r"[${<\[]")
_FATAL_ATTRIBUTES = frozenset({"sourceRef", "targetRef", "attachedToRef"})


def check_schema(context: Context) -> None:
    """Walk the tree along the schema."""
    _Walk(context).element(context.root, "tDefinitions")


class _Walk:
    def __init__(self, context: Context) -> None:
        self._context = context
        self._seen: dict[str, etree._Element] = {}

    def element(self, element: etree._Element, type_name: str) -> None:
        """Look at an element that the schema gives a type, and at all inside it."""
        if _facts.name_of(element) == "di:extension":
            return
        if not _facts.is_complex(type_name):
            self._simple(element, type_name)
            return
        type_name = self._derived(element, type_name)
        self._attributes(element, type_name)
        if type_name == "tExtensionElements":
            self._text(element)
        if type_name in _OPEN:
            self._extensions(element, type_name)
            return
        allowed = _facts.children(type_name)
        mixed = type_name in _MIXED
        if not mixed:
            self._text(element)
        found: list[tuple[str, etree._Element]] = []
        for child in element:
            name = _facts.name_of(child)
            if not name or (name == FOREIGN and mixed):
                continue  # a comment, or what a vendor's language of expressions wants
            inner = allowed.get(name)
            if inner is None:
                self._not_allowed(element, child, name)
                continue
            found.append((name, child))
            self.element(child, inner)
        self._order(element, type_name, found)

    def _not_allowed(self, element: etree._Element, child: etree._Element, name: str) -> None:
        what, where = local_name(child), local_name(element)
        if name == FOREIGN:
            help_ = "flyt det ind i <extensionElements>"
            what += " fra en anden leverandør"
        elif name in _facts.facts()["elements"] or _facts.is_child_somewhere(name):
            help_ = "flyt det eller fjern det"
        else:
            help_ = "standarden har intet element af det navn; ret eller fjern det"
        self._context.add(
            child, "schema-element-not-allowed", f"<{what}> må ikke stå i <{where}>; {help_}."
        )

    def _extensions(self, element: etree._Element, type_name: str) -> None:
        """Extensions must be in a namespace of their own (8.3.3)."""
        if type_name != "tExtensionElements":
            return
        for child in element:
            if isinstance(child.tag, str) and etree.QName(child).namespace in {None, BPMN}:
                self._context.add(
                    child,
                    "extension-namespace",
                    f"<{local_name(child)}> i <extensionElements> skal have leverandørens eget "
                    "navnerum; giv det et præfiks.",
                )

    def _text(self, element: etree._Element) -> None:
        """Between elements there is no text."""
        texts = [element.text, *(each.tail for each in element)]
        stray = next((text.strip() for text in texts if text and text.strip()), "")
        if stray:
            self._context.add(
                element,
                "schema-text",
                f"<{local_name(element)}> må ikke indeholde teksten {stray[:40]!r}; fjern den.",
            )

    def _simple(self, element: etree._Element, type_name: str) -> None:
        """An element that holds a reference and nothing else."""
        self._attributes(element, type_name)
        inside = [each for each in element if isinstance(each.tag, str)]
        for each in inside:
            self._not_allowed(element, each, _facts.name_of(each))
        rule = _VALUES.get(type_name)
        value = "".join(map(str, element.itertext())).strip()
        if rule is not None and not inside and not rule[0](value):
            name = local_name(element)
            self._context.add(
                element,
                "schema-element-value",
                f"<{name}>{value[:60]}</{name}> skal være {rule[1]}.",
            )

    def _derived(self, element: etree._Element, declared: str) -> str:
        """The type that ``xsi:type`` names, if it may stand here; else the declared one."""
        chosen = element.get(f"{{{XSI}}}type")
        if chosen is None:
            if _facts.is_abstract(declared):
                self._context.add(
                    element,
                    "schema-type",
                    f"<{local_name(element)}> er et fællesnavn; brug et bestemt element i stedet.",
                )
            return declared
        prefix, _, local = chosen.strip().rpartition(":")
        if prefix and element.nsmap.get(prefix) in {None, XSD}:
            self._context.add(
                element,
                "schema-type",
                f"xsi:type {chosen!r} har et præfiks, som ikke er standardens; ret det.",
            )
            return declared
        for name in (local, f"dc:{local}", f"di:{local}", f"bpmndi:{local}"):
            if _facts.extends(name, declared) and not _facts.is_abstract(name):
                return name
        self._context.add(
            element,
            "schema-type",
            f"xsi:type {chosen!r} passer ikke til <{local_name(element)}>; ret typen.",
        )
        return declared

    def _attributes(self, element: etree._Element, type_name: str) -> None:
        allowed = _facts.attributes(type_name)
        for name, raw in element.attrib.items():
            key, value = str(name), str(raw)
            if key.startswith("{"):
                if etree.QName(key).namespace != BPMN:
                    continue  # a vendor's
                key = f"bpmn:{etree.QName(key).localname}"
            fact = allowed.get(key)
            if fact is None:
                self._context.add(
                    element,
                    "schema-attribute-not-allowed",
                    f"Attributten {key!r} findes ikke på <{local_name(element)}>; fjern den.",
                )
                continue
            value = value.strip() if fact[0] != "xsd:string" else value
            if self._of_a_tool(key, value, fact):
                continue
            self._value(element, key, value, fact[0])
            if fact[0] == "xsd:ID":
                self._unique(element, value)
        for key, (_, must) in allowed.items():
            if must and element.get(key) is None:
                self._context.add(
                    element,
                    "schema-attribute-missing",
                    f"<{local_name(element)}> mangler attributten {key!r}; angiv den.",
                    fatal=key in _FATAL_ATTRIBUTES,
                )

    def _of_a_tool(self, key: str, value: str, fact: tuple[str, bool]) -> bool:
        """Whether an optional reference is the empty field of a form, or in a tool's language."""
        kind, must = fact
        if must or kind not in {"xsd:QName", "xsd:IDREF"}:
            return False
        foreign = key in _FOREIGN_NAMES and _FOREIGN_NAME.search(value) is not None
        return (not value or foreign) and self._context.signed

    def _unique(self, element: etree._Element, value: str) -> None:
        first = self._seen.setdefault(value, element)
        if first is not element:
            self._context.add(
                element,
                "id-not-unique",
                f"Id {value!r} er også brugt på linje {first.sourceline}; "
                "giv hvert element sit eget id.",
                fatal=True,
            )

    def _value(self, element: etree._Element, key: str, value: str, kind: str) -> None:
        enum = _facts.facts()["enums"].get(kind)
        if enum is not None:
            if value in enum or kind in _OPEN_ENUMS:
                return
            must = f"en af {', '.join(enum)}"
        else:
            rule = _VALUES.get(kind)
            if rule is None or rule[0](value):
                return
            must = rule[1]
        self._context.add(
            element, "schema-attribute-value", f"{key}={value[:60]!r} skal være {must}."
        )

    def _order(
        self, element: etree._Element, type_name: str, found: list[tuple[str, etree._Element]]
    ) -> None:
        names = [name for name, _ in found]
        if _facts.pattern(type_name).fullmatch("".join(f"{name} " for name in names)) is not None:
            return
        where = local_name(element)
        for particle in _facts.content(type_name):
            members, low, high = _bounds(particle)
            count = sum(each in members for each in names)
            if count < low:
                what = particle[0] if particle[0] not in {"choice", "sequence"} else min(members)
                self._context.add(
                    element,
                    "schema-element-missing",
                    f"<{where}> mangler {'et' if low == 1 else f'mindst {low}'} <{what}>; "
                    "tilføj det.",
                )
                return
            if 0 <= high < count:
                extra = [child for name, child in found if name in members][high]
                self._context.add(
                    extra,
                    "schema-element-too-many",
                    f"<{where}> må højst have {high} af <{_listed(members)}>; det har {count}.",
                )
                return
        self._context.add(
            _misplaced(type_name, found) if found else element,
            "schema-element-order",
            f"Elementerne i <{where}> står i forkert rækkefølge eller udelukker hinanden: "
            f"{', '.join(dict.fromkeys(names))}.",
        )


def _listed(members: frozenset[str]) -> str:
    return "> eller <".join(sorted(members)[:4])


def _bounds(particle: Particle) -> tuple[frozenset[str], int, int]:
    """Names of a particle, with the least and the highest number of them (-1: no limit)."""
    name, inner, low, high = particle
    if not isinstance(inner, tuple):
        return _facts.names(particle), low, high
    parts = [_bounds(each) for each in inner]
    members = frozenset().union(*(each[0] for each in parts))
    if name == "choice" and low and all(part[1] for part in parts):
        return members, 1, -1
    exclusive = name == "choice" and all(part[2] == 1 for part in parts)
    return members, 0, high if exclusive else -1


def _misplaced(type_name: str, found: list[tuple[str, etree._Element]]) -> etree._Element:
    """The first child that comes after one that it should come before."""
    order = [_bounds(each)[0] for each in _facts.content(type_name)]
    place = 0
    for name, child in found:
        here = next((index for index, members in enumerate(order) if name in members), place)
        if here < place:
            return child
        place = here
    return found[-1][1]
