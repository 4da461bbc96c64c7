# SPDX-License-Identifier: MPL-2.0
"""The files that a model imports, read to look names up in (BPMN 2.0.2, 8.2.2).

Only files beside the model are read, never over the network.
"""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from urllib.parse import unquote, urlsplit

from lxml import etree

from sagsgang.bpmn.errors import UnreadableModel
from sagsgang.bpmn.model import BPMN, Model, load, local_name

__all__ = ["WSDL", "XML_SCHEMA", "Imports"]

XML_SCHEMA = "http://www.w3.org/2001/XMLSchema"
WSDL = "http://www.w3.org/TR/wsdl20/"
_WSDL_ROOTS = frozenset(
    {"{http://www.w3.org/ns/wsdl}description", "{http://schemas.xmlsoap.org/wsdl/}definitions"}
)
_MAX_BYTES = 16 * 1024 * 1024
# A file that takes in others may hold more names than can be seen in it.
_TAKES_IN = frozenset({"include", "redefine", "override", "import"})


class Imports:
    """The imports of a file.

    Args:
        model: The file.
    """

    def __init__(self, model: Model) -> None:
        self._path = model.path
        self.elements = model.root.findall(f"{{{BPMN}}}import")
        self._models: dict[str, Model | UnreadableModel | None] = {}

    @property
    def namespaces(self) -> frozenset[str]:
        """What is imported."""
        return frozenset(self._by_namespace)

    @cached_property
    def _by_namespace(self) -> dict[str, list[etree._Element]]:
        found: dict[str, list[etree._Element]] = {}
        for each in self.elements:
            found.setdefault(each.get("namespace", ""), []).append(each)
        return found

    def declares(self, namespace: str) -> bool:
        """Whether some import is for a namespace."""
        return namespace in self._by_namespace

    def file(self, element: etree._Element) -> Path | None:
        """Where an import lies; None where that cannot be known or is not on this machine."""
        try:
            parts = urlsplit(element.get("location", "").replace("\\", "/"))
        except ValueError:
            return None
        if self._path is None or not parts.path or parts.scheme or parts.netloc:
            return None
        return self._path.parent / unquote(parts.path)

    def read(self, element: etree._Element) -> Model | UnreadableModel | None:
        """The imported BPMN file, or why it cannot be read; None where it is none or not here."""
        path = self.file(element)
        if element.get("importType") != BPMN or path is None or not is_file(path):
            return None
        key = str(path)
        if key not in self._models:
            try:
                self._models[key] = load(path)
            except (UnreadableModel, OSError) as error:
                self._models[key] = UnreadableModel(str(error))
        return self._models[key]

    def other(self, element: etree._Element) -> etree._Element | UnreadableModel | None:
        """The root of an imported file of types or services, or why it cannot be read."""
        path = self.file(element)
        if path is None or not is_file(path) or element.get("importType") == BPMN:
            return None
        parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
        try:
            if path.stat().st_size > _MAX_BYTES:
                return None
            return etree.fromstring(path.read_bytes(), parser)
        except (etree.XMLSyntaxError, ValueError) as error:
            return UnreadableModel(" ".join(str(error).split()))
        except OSError:
            return None

    def models(self, namespace: str) -> list[Model] | None:
        """The BPMN files imported for a namespace; None where one of them cannot be looked at."""
        found: list[Model] = []
        for each in self._by_namespace.get(namespace, ()):
            model = self.read(each)
            if not isinstance(model, Model):
                return None
            found.append(model)
        return found

    def find(self, namespace: str, key: str) -> etree._Element | None:
        """An element of an imported BPMN file by its id."""
        for each in self.models(namespace) or ():
            if key in each.by_id:
                return each.by_id[key]
        return None

    def names(self, namespace: str) -> frozenset[str] | None:
        """What the imported types and services of a namespace are called; None where unknown."""
        found: set[str] = set()
        for each in self._by_namespace.get(namespace, ()):
            root = self.other(each)
            if root is None or isinstance(root, UnreadableModel):
                return None
            service = root.tag in _WSDL_ROOTS
            if not service and root.tag != f"{{{XML_SCHEMA}}}schema":
                return None
            if any(local_name(child) in _TAKES_IN for child in root):
                return None
            named = root.iter("*") if service else iter(root)
            found |= {name for child in named if (name := child.get("name"))}
        return frozenset(found)


def kind_of(root: etree._Element) -> str:
    """The importType of a file by its root element; "" where it is none of the known."""
    if root.tag in _WSDL_ROOTS:
        return WSDL
    namespace = etree.QName(root).namespace or ""
    return namespace if namespace in {XML_SCHEMA, BPMN} else ""


def is_file(path: Path) -> bool:
    """Whether a path is a file; no name that a file cannot have is one."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False
