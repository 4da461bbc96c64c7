# SPDX-License-Identifier: MPL-2.0
"""SOAP 1.1 messages to and from plain values, driven by the sequences in the wire module.

Reading is strict: unknown, missing, repeated or misplaced elements, attributes on fields and
document types are refused, because a message that is half understood must not be acted on.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Final
from xml.sax.saxutils import escape

from lxml import etree

from sagsgang.connectors.opus.wire import ENVELOPE_NAMESPACE, NAMESPACE, Part

__all__ = [
    "MalformedMessage",
    "SoapFault",
    "Values",
    "read_body",
    "read_message",
    "to_boolean",
    "to_date",
    "to_decimal",
    "to_instant",
    "write_fault",
    "write_message",
]

_ENVELOPE: Final = f"{{{ENVELOPE_NAMESPACE}}}Envelope"
_HEADER: Final = f"{{{ENVELOPE_NAMESPACE}}}Header"
_BODY: Final = f"{{{ENVELOPE_NAMESPACE}}}Body"
_FAULT: Final = f"{{{ENVELOPE_NAMESPACE}}}Fault"
_OPEN: Final = (
    f'<?xml version="1.0" encoding="utf-8"?><s:Envelope xmlns:s="{ENVELOPE_NAMESPACE}"><s:Body>'
)
_CLOSE: Final = "</s:Body></s:Envelope>"
_DECIMAL = re.compile(r"[+-]?[0-9]{1,18}(\.[0-9]{1,9})?")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_INSTANT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?Z")

_PARSER: Final = etree.XMLParser(
    resolve_entities=False,
    no_network=True,
    load_dtd=False,
    dtd_validation=False,
    huge_tree=False,
    remove_comments=True,
    remove_pis=True,
)

Values = dict[str, Any]
"""Content of a message by element name: text, a list, or values in turn."""


class MalformedMessage(ValueError):  # noqa: N818 -- it is the message that is malformed
    """A message does not follow its contract; the text says where, and holds none of its values."""


class SoapFault(Exception):  # noqa: N818 -- the standard's own word
    """The other side answered with a fault (SOAP 1.1 section 4.4).

    Attributes:
        fault_code: Local part of the code, such as ``Server`` or ``Client.Authentication``.
    """

    def __init__(self, fault_code: str) -> None:
        super().__init__(f"SOAP fault {fault_code}")
        self.fault_code = fault_code


def write_message(name: str, parts: tuple[Part, ...], values: Mapping[str, Any]) -> bytes:
    """Write one message in an envelope; elements follow the order of ``parts``."""
    out: list[str] = [_OPEN, f'<{name} xmlns="{NAMESPACE}">']
    _write(out, parts, values)
    out.append(f"</{name}>{_CLOSE}")
    return "".join(out).encode()


def _write(out: list[str], parts: tuple[Part, ...], values: Mapping[str, Any]) -> None:
    for part in parts:
        value = values.get(part.name)
        if value is None:
            continue
        items: Iterable[Any] = value if part.many else (value,)
        for item in items:
            if part.parts:
                out.append(f"<{part.name}>")
                _write(out, part.parts, item)
                out.append(f"</{part.name}>")
            else:
                out.append(f"<{part.name}>{escape(_text(item))}</{part.name}>")


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    message = f"A {type(value).__name__} cannot stand in a message."
    raise TypeError(message)


def write_fault(fault_code: str, text: str) -> bytes:
    """Write a SOAP 1.1 fault."""
    return (
        f"{_OPEN}<s:Fault><faultcode>s:{escape(fault_code)}</faultcode>"
        f"<faultstring>{escape(text)}</faultstring></s:Fault>{_CLOSE}"
    ).encode()


def read_body(data: bytes) -> etree._Element:
    """The one element in the body of an envelope.

    Raises:
        SoapFault: The body holds a fault.
        MalformedMessage: It is not an envelope with one element in its body.
    """
    try:
        root: etree._Element = etree.fromstring(data, _PARSER)
    except (etree.XMLSyntaxError, ValueError) as error:
        message = "Beskeden er ikke velformet XML."
        raise MalformedMessage(message) from error
    if root.getroottree().docinfo.internalDTD is not None:
        message = "Beskeden har en dokumenttype; det modtages aldrig."
        raise MalformedMessage(message)
    children = [child for child in root if child.tag != _HEADER]
    if root.tag != _ENVELOPE or len(children) != 1 or children[0].tag != _BODY:
        message = "Beskeden er ikke en SOAP 1.1-konvolut."
        raise MalformedMessage(message)
    content = list(children[0])
    if len(content) != 1 or not isinstance(content[0].tag, str):
        message = "Beskedens indhold er ikke netop ét element."
        raise MalformedMessage(message)
    if content[0].tag == _FAULT:
        raise SoapFault(_fault_code(content[0]))
    found: etree._Element = content[0]
    return found


def _fault_code(fault: etree._Element) -> str:
    text = (fault.findtext("faultcode") or "").strip().rpartition(":")[2]
    return text if re.fullmatch(r"[A-Za-z.]{1,60}", text) else "Server"


def read_message(element: etree._Element, name: str, parts: tuple[Part, ...]) -> Values:
    """The values of one message; parts that may be repeated are always lists.

    Raises:
        MalformedMessage: The element is another one or does not follow ``parts``.
    """
    if element.tag != f"{{{NAMESPACE}}}{name}":
        message = f"Beskeden er ikke en {name}."
        raise MalformedMessage(message)
    return _read(element, name, parts)


def _read(element: etree._Element, where: str, parts: tuple[Part, ...]) -> Values:
    if element.attrib or (element.text and element.text.strip()):
        message = f"{where} har indhold, der ikke hører til dér."
        raise MalformedMessage(message)
    children = list(element)
    position = 0
    values: Values = {}
    for part in parts:
        tag = f"{{{NAMESPACE}}}{part.name}"
        found: list[Any] = []
        while position < len(children) and children[position].tag == tag:
            child = children[position]
            if child.tail and child.tail.strip():
                message = f"{where} har tekst mellem sine elementer."
                raise MalformedMessage(message)
            found.append(
                _read(child, f"{where}/{part.name}", part.parts)
                if part.parts
                else _read_text(child, where, part)
            )
            position += 1
            if not part.many:
                break
        if part.required and not found:
            message = f"{where} mangler {part.name} eller har det på et forkert sted."
            raise MalformedMessage(message)
        if part.many:
            values[part.name] = found
        else:
            values[part.name] = found[0] if found else None
    if position != len(children):
        message = f"{where} har et element, der er ukendt, gentaget eller på et forkert sted."
        raise MalformedMessage(message)
    return values


def _read_text(element: etree._Element, where: str, part: Part) -> str | None:
    # SAP pads fields with blanks; an empty optional field means the same as an absent one.
    if element.attrib or len(element):
        message = f"{where}/{part.name} er ikke ren tekst."
        raise MalformedMessage(message)
    text = (element.text or "").strip()
    if part.required and not text:
        message = f"{where}/{part.name} er tomt."
        raise MalformedMessage(message)
    return text or None


def to_decimal(text: str) -> Decimal:
    """A number such as ``-12.50``; a comma or an exponent is refused."""
    if not _DECIMAL.fullmatch(text):
        message = "Et tal er ikke skrevet som cifre med decimalpunktum."
        raise MalformedMessage(message)
    return Decimal(text)


def to_date(text: str) -> date:
    """A date as ``yyyy-mm-dd``."""
    try:
        if _DATE.fullmatch(text):
            return date.fromisoformat(text)
    except ValueError:
        pass
    message = "En dato er ikke en rigtig dag, skrevet som åååå-mm-dd."
    raise MalformedMessage(message)


def to_instant(text: str) -> datetime:
    """An instant in UTC as ``yyyy-mm-ddThh:mm:ssZ``."""
    try:
        if _INSTANT.fullmatch(text):
            return datetime.fromisoformat(text)
    except ValueError:
        pass
    message = "Et tidspunkt er ikke skrevet som åååå-mm-ddTtt:mm:ssZ."
    raise MalformedMessage(message)


def to_boolean(text: str) -> bool:
    """``true`` or ``false``."""
    if text not in {"true", "false"}:
        message = "En ja/nej-værdi er hverken true eller false."
        raise MalformedMessage(message)
    return text == "true"
