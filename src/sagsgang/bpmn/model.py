# SPDX-License-Identifier: MPL-2.0
"""A BPMN file: read safely, kept whole, written back without loss.

The XML tree stays as it was read, with diagram and the extensions of any vendor. What the engine
needs is read from the tree by ``compile``; what the standard demands is looked at by ``check``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from lxml import etree

from sagsgang.bpmn.errors import UnreadableModel

__all__ = ["BPMN", "BPMNDI", "CAMUNDA", "DC", "DI", "KIN", "SAGSGANG", "XSI", "ZEEBE", "Model"]
__all__ += ["SUBPROCESSES", "TASKS", "ProcessInfo", "load", "local_name"]

BPMN = "http://www.omg.org/spec/BPMN/20100524/MODEL"
BPMNDI = "http://www.omg.org/spec/BPMN/20100524/DI"
DC = "http://www.omg.org/spec/DD/20100524/DC"
DI = "http://www.omg.org/spec/DD/20100524/DI"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
ZEEBE = "http://camunda.org/schema/zeebe/1.0"
CAMUNDA = "http://camunda.org/schema/1.0/bpmn"
KIN = (
    "http://activiti.org/bpmn",
    "http://flowable.org/bpmn",
    "http://operaton.org/schema/1.0/bpmn",
)
"""Engines of one descent, whose extensions say the same as ``camunda:`` in their own namespaces."""
SAGSGANG = "https://sagsgang.dk/schema/bpmn/1.0"

TASKS = frozenset(
    {
        "task",
        "userTask",
        "manualTask",
        "serviceTask",
        "scriptTask",
        "businessRuleTask",
        "sendTask",
        "receiveTask",
    }
)
SUBPROCESSES = frozenset({"subProcess", "transaction", "adHocSubProcess"})

_MAX_BYTES = 64 * 1024 * 1024
# A declaration that can be read byte by byte is not in the wide encoding that it names: the text
# was made in memory as UTF-16 and written as UTF-8, as some programs do.
_WRONG_DECLARATION = re.compile(
    rb"""(\xef\xbb\xbf)?<\?xml[^>]*encoding\s*=\s*["'](utf-?16|utf-?32|ucs-?[24])""", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class ProcessInfo:
    """One process of a file.

    Attributes:
        id: Its id; one made of its place in the file where it has none, which the standard allows.
        name: Its name; that of its pool where it has none; else its id.
        executable: The ``isExecutable`` attribute; True where the file does not say.
        element: Its element in the file.
    """

    id: str
    name: str
    executable: bool
    element: etree._Element


class Model:
    """A BPMN file in memory. Make one with ``load``.

    Attributes:
        root: The ``definitions`` element. Treat as read-only unless you mean to change the file.
        source: The bytes that were read.
        path: Where the file lies; None where only its bytes are known.
    """

    def __init__(self, tree: etree._ElementTree, source: bytes, path: Path | None = None) -> None:
        self._tree = tree
        self.root = tree.getroot()
        self.source = source
        self.path = path
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
        for number, element in enumerate(self.root.findall(f"{{{BPMN}}}process"), start=1):
            key = element.get("id") or f"process-{number}"
            result.append(
                ProcessInfo(
                    id=key,
                    name=element.get("name") or pools.get(key) or key,
                    executable=element.get("isExecutable", "true") in {"true", "1"},
                    element=element,
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
        UnreadableModel: Not well-formed, has a document type with content or entities, is larger
            than 64 MB, or its root is not ``definitions`` of BPMN 2.0; told in a sentence for
            people.
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
        raise UnreadableModel("Filen er større end 64 MB; del modellen i flere filer.")
    if not data.strip():
        raise UnreadableModel("Filen er tom; vælg en BPMN-fil.")
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        huge_tree=False,
        remove_blank_text=False,
        strip_cdata=False,
        encoding="utf-8" if _WRONG_DECLARATION.match(data) else None,
    )
    try:
        root = etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError, LookupError) as error:
        raise UnreadableModel(_what_is_wrong(error)) from None
    tree = root.getroottree()
    if _declares(tree.docinfo):
        raise UnreadableModel(
            "Filens dokumenttype (DOCTYPE) erklærer noget eller henviser til en anden fil, hvad "
            "der ikke er sikkert; fjern den."
        )
    if root.tag != f"{{{BPMN}}}definitions":
        raise UnreadableModel(
            f"Filen begynder med <{str(root.tag)[:200]}>; en BPMN 2.0-fil begynder med "
            f"<definitions> i navnerummet {BPMN}. Eksportér modellen som BPMN 2.0."
        )
    return Model(tree, data, source if isinstance(source, Path) else None)


def _declares(info: etree.DocInfo) -> bool:
    """Whether a document type does more than name the root, which some tools let it do."""
    dtd: Any = info.internalDTD  # the stubs do not know what is in it
    if dtd is None:
        return False
    return bool(dtd.system_url or any(dtd.iterentities()) or any(dtd.iterelements()))


def _what_is_wrong(error: Exception) -> str:
    """Why a file is not XML, in a sentence."""
    text = " ".join(str(error).split())
    if "XML_PARSE_HUGE" in text:
        limit = "mere end 256 niveauer" if "depth" in text else "et stykke tekst på over 10 MB"
        return f"Filen har {limit}; gør den mindre."
    if "entity amplification" in text:
        return "Filen er lavet, så den vokser uden grænse, når den læses (entiteter); fjern dem."
    line = error.lineno if isinstance(error, etree.XMLSyntaxError) else None
    place = f" på linje {line}" if line else ""
    help_ = "ret den, eller eksportér modellen igen"
    return f"Filen er ikke velformet XML{place} ({text[:200]}); {help_}."


def _without_declaration(text: str) -> str:
    text = text.removeprefix("\ufeff").lstrip()
    if text.startswith("<?xml"):
        return text.partition("?>")[2]
    return text
