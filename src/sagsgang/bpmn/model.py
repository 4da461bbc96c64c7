# SPDX-License-Identifier: MPL-2.0
"""A BPMN file: read safely, kept whole, written back without loss.

The XML tree stays as it was read, with diagram and the extensions of any vendor. What the engine
needs is read from the tree by ``compile``; what the standard demands is looked at by ``check``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from lxml import etree

from sagsgang.bpmn.errors import UnreadableModel

__all__ = ["BPMN", "BPMNDI", "CAMUNDA", "DC", "DI", "SAGSGANG", "XSI", "ZEEBE", "Model"]
__all__ += ["ProcessInfo", "load", "local_name"]

BPMN = "http://www.omg.org/spec/BPMN/20100524/MODEL"
BPMNDI = "http://www.omg.org/spec/BPMN/20100524/DI"
DC = "http://www.omg.org/spec/DD/20100524/DC"
DI = "http://www.omg.org/spec/DD/20100524/DI"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
ZEEBE = "http://camunda.org/schema/zeebe/1.0"
CAMUNDA = "http://camunda.org/schema/1.0/bpmn"
SAGSGANG = "https://sagsgang.dk/schema/bpmn/1.0"

_MAX_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class ProcessInfo:
    """One process of a file.

    Attributes:
        id: Its id.
        name: Its name; that of its pool where it has none; else its id.
        executable: The ``isExecutable`` attribute; True where the file does not say.
    """

    id: str
    name: str
    executable: bool


class Model:
    """A BPMN file in memory. Make one with ``load``.

    Attributes:
        root: The ``definitions`` element. Treat as read-only unless you mean to change the file.
        source: The bytes that were read.
    """

    def __init__(self, tree: etree._ElementTree, source: bytes) -> None:
        self._tree = tree
        self.root = tree.getroot()
        self.source = source
        self.changed = False

    @cached_property
    def by_id(self) -> dict[str, etree._Element]:
        """Every element of the BPMN namespace that has an id; the first where ids repeat."""
        found: dict[str, etree._Element] = {}
        for element in self.elements():
            key = element.get("id")
            if key is not None:
                found.setdefault(key, element)
        return found

    @cached_property
    def processes(self) -> tuple[ProcessInfo, ...]:
        """The processes of the file, in its order."""
        pools: dict[str, str] = {}
        for pool in self.root.iter(f"{{{BPMN}}}participant"):
            reference, name = pool.get("processRef"), pool.get("name")
            if reference and name:
                pools.setdefault(reference.rpartition(":")[2], name)
        result = []
        for element in self.root.findall(f"{{{BPMN}}}process"):
            key = element.get("id", "")
            result.append(
                ProcessInfo(
                    id=key,
                    name=element.get("name") or pools.get(key) or key,
                    executable=element.get("isExecutable", "true") in {"true", "1"},
                )
            )
        return tuple(result)

    def elements(self) -> Iterator[etree._Element]:
        """Every element of the BPMN namespace, in document order."""
        return self.root.iter(f"{{{BPMN}}}*")

    def to_xml(self) -> bytes:
        """The file as bytes: what was read, or the tree in its encoding where it was changed."""
        if not self.changed:
            return self.source
        info = self._tree.docinfo
        encoding = info.encoding or "UTF-8"
        if info.standalone is None:
            data = etree.tostring(self._tree, encoding=encoding, xml_declaration=True)
        else:
            data = etree.tostring(
                self._tree,
                encoding=encoding,
                xml_declaration=True,
                standalone=bool(info.standalone),
            )
        return data if isinstance(data, bytes) else data.encode()


def local_name(element: etree._Element) -> str:
    """The name of an element without its namespace; empty for comments."""
    tag = element.tag
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""


def load(source: bytes | str | Path) -> Model:
    """Read a BPMN 2.0 file.

    Args:
        source: The file's bytes (any encoding that XML allows), its text, or its path.

    Raises:
        UnreadableModel: Not well-formed, declares a DTD or entities, is larger than 64 MB, or
            its root is not ``definitions`` of BPMN 2.0.
        OSError: The path cannot be read.
    """
    if isinstance(source, Path):
        data = source.read_bytes()
    elif isinstance(source, str):
        # A declared encoding no longer holds once the text has been decoded.
        data = _without_declaration(source).encode()
    else:
        data = bytes(source)
    if len(data) > _MAX_BYTES:
        raise UnreadableModel("The file is larger than 64 MB; split the model.")
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        huge_tree=False,
        remove_blank_text=False,
    )
    try:
        root = etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError, LookupError) as error:
        raise UnreadableModel(f"The file is not well-formed XML: {error}") from None
    tree = root.getroottree()
    if tree.docinfo.internalDTD is not None:
        raise UnreadableModel("The file declares a document type, which is not allowed; remove it.")
    if root.tag != f"{{{BPMN}}}definitions":
        raise UnreadableModel(
            f"The root element is {root.tag!r}; a BPMN 2.0 file has <definitions> of {BPMN}."
        )
    return Model(tree, data)


def _without_declaration(text: str) -> str:
    text = text.removeprefix("\ufeff").lstrip()
    if text.startswith("<?xml"):
        return text.partition("?>")[2]
    return text
