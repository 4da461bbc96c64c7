# SPDX-License-Identifier: MPL-2.0
"""Reading XML from strangers: no DTD, no entities, no network, bounded size and depth."""

from __future__ import annotations

from typing import Any

from lxml import etree

from sagsgang.dmn.errors import DmnXmlError

__all__ = ["MAX_BYTES", "line_of", "parse_xml", "text_of"]

MAX_BYTES = 64 * 1024 * 1024
"""Largest file accepted, in bytes."""

_MAX_DEPTH = 200


def parse_xml(source: bytes, *, file: str | None = None) -> etree._ElementTree:
    """Parse bytes into a tree, refusing everything a decision model never needs.

    Comments, processing instructions and CDATA sections are kept so that the tree can be written
    back as it was.

    Args:
        source: the whole file.
        file: name used in error messages.

    Raises:
        DmnXmlError: the bytes are malformed, too large, too deep, or hold a document type
            declaration (entities could hide there).
    """
    if len(source) > MAX_BYTES:
        raise DmnXmlError(
            f"The file is {len(source)} bytes and the limit is {MAX_BYTES}; split the model.",
            code="dmn.xml.too-large",
            file=file,
        )
    if not source.strip():
        raise DmnXmlError("The file is empty.", code="dmn.xml.malformed", file=file, line=1)
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        huge_tree=False,
        remove_comments=False,
        remove_pis=False,
        strip_cdata=False,
    )
    try:
        root = etree.fromstring(source, parser)
    except etree.XMLSyntaxError as error:
        text = (error.msg or "not well-formed").split("\n")[0]
        line = error.lineno or None
        if "depth" in text.lower():
            raise DmnXmlError(
                "The elements are nested too deeply for a decision model.",
                code="dmn.xml.too-deep",
                file=file,
                line=line,
            ) from None
        raise DmnXmlError(
            f"The file is not well-formed XML: {text}.",
            code="dmn.xml.malformed",
            file=file,
            line=line,
        ) from None
    except (ValueError, LookupError) as error:
        raise DmnXmlError(
            f"The file cannot be read as XML: {error}.", code="dmn.xml.malformed", file=file
        ) from None
    tree = root.getroottree()
    if tree.docinfo.internalDTD is not None or tree.docinfo.doctype:
        raise DmnXmlError(
            "The file has a document type declaration (DOCTYPE); remove it.",
            code="dmn.xml.doctype",
            file=file,
            line=1,
        )
    _check_depth(root, file)
    return tree


def _check_depth(root: etree._Element, file: str | None) -> None:
    depth = 0
    for event, element in etree.iterwalk(root, events=("start", "end")):
        depth += 1 if event == "start" else -1
        if depth > _MAX_DEPTH:
            raise DmnXmlError(
                "The elements are nested too deeply for a decision model.",
                code="dmn.xml.too-deep",
                file=file,
                line=line_of(element),
            )


def line_of(element: etree._Element) -> int | None:
    """Return the line an element starts on, counted from 1, where it is known."""
    line: Any = element.sourceline
    return line if isinstance(line, int) else None


def text_of(element: etree._Element) -> str:
    """Return the text inside an element, that of its children included."""
    return "".join(str(part) for part in element.itertext(with_tail=False))
