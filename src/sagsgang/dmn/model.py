# SPDX-License-Identifier: MPL-2.0
"""Reading a DMN model with what it imports, and writing it back as it was."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from lxml import etree

from sagsgang.dmn._reader import VERSIONS, read_definitions
from sagsgang.dmn._xml import parse_xml
from sagsgang.dmn.elements import (
    Decision,
    DecisionService,
    Definitions,
    DrgElement,
    Import,
    InputData,
)
from sagsgang.dmn.errors import DmnError, DmnModelError, UnknownElementError, did_you_mean
from sagsgang.dmn.findings import Finding, Severity

if TYPE_CHECKING:
    from sagsgang.dmn.decisions import Decisions

__all__ = ["Model", "Resolver", "load"]

Resolver: TypeAlias = Callable[[str, str | None], bytes | None]
"""Finds an imported model: ``resolver(namespace, location_uri)`` gives its bytes, or None."""

_MAX_IMPORT_DEPTH = 20


class Model:
    """A DMN model as read: its elements, its XML tree and the models it imports.

    Attributes:
        definitions: the elements.
        file: the name it was read under, for messages.
        imports: imported models by the name this model gives them; imports that are not DMN
            models or that were not found are absent.
        findings: what was wrong with single elements while reading.
        digest: SHA-256 of the file, in hexadecimal.
    """

    def __init__(
        self,
        definitions: Definitions,
        tree: etree._ElementTree,
        *,
        file: str | None,
        imports: Mapping[str, Model],
        findings: tuple[Finding, ...],
        digest: str,
    ) -> None:
        self.definitions = definitions
        self.file = file
        self.imports = dict(imports)
        self.findings = findings
        self.digest = digest
        self._tree = tree
        self._by_id = {element.id: element for element in reversed(definitions.elements)}

    def __repr__(self) -> str:
        return f"Model({self.definitions.name!r}, version={self.definitions.version!r})"

    @property
    def name(self) -> str:
        """The name of the model."""
        return self.definitions.name

    @property
    def decisions(self) -> tuple[Decision, ...]:
        """The decisions in the order of the file."""
        return tuple(e for e in self.definitions.elements if isinstance(e, Decision))

    @property
    def inputs(self) -> tuple[InputData, ...]:
        """The input data in the order of the file."""
        return tuple(e for e in self.definitions.elements if isinstance(e, InputData))

    @property
    def services(self) -> tuple[DecisionService, ...]:
        """The decision services in the order of the file."""
        return tuple(e for e in self.definitions.elements if isinstance(e, DecisionService))

    def element(self, name_or_id: str) -> DrgElement:
        """Return the element of that id or, failing that, of that name.

        Raises:
            UnknownElementError: there is none.
        """
        found = self._by_id.get(name_or_id)
        if found is not None:
            return found
        for element in self.definitions.elements:
            if element.name == name_or_id:
                return element
        known = [element.name for element in self.definitions.elements]
        raise UnknownElementError(
            f'The model has no element "{name_or_id}".{did_you_mean(name_or_id, known)}',
            file=self.file,
        )

    def by_id(self, element_id: str) -> DrgElement | None:
        """Return the element of that id, or None."""
        return self._by_id.get(element_id)

    def resolve(self, href: str) -> tuple[str | None, DrgElement] | None:
        """Follow a reference such as ``#id`` or ``namespace#id``.

        Returns:
            The name of the import the element lies in (None for this model) and the element, or
            None when there is no such element.
        """
        base, _, element_id = href.rpartition("#")
        if not base or base == self.definitions.namespace:
            found = self._by_id.get(element_id)
            return None if found is None else (None, found)
        for declared in self.definitions.imports:
            if base in (declared.namespace, declared.location_uri):
                model = self.imports.get(declared.name)
                found = None if model is None else model.by_id(element_id)
                if found is not None:
                    return declared.name, found
        return None

    def compile(self, *, functions: Mapping[str, Any] | None = None) -> Decisions:
        """Compile every expression of the model once.

        Faults in single expressions do not stop the others: a decision with a fault gives null
        and an error when evaluated, and ``Decisions.findings`` lists all faults.

        Args:
            functions: further FEEL functions by name, for example ``sagsgang.feel.municipal``.

        Raises:
            DmnModelError: the model cannot be ordered, for example its imports are cyclic.
        """
        from sagsgang.dmn.decisions import Decisions

        return Decisions(self, functions=functions or {})

    def check(self, *, functions: Mapping[str, Any] | None = None) -> list[Finding]:
        """Report everything that is wrong or doubtful; see ``sagsgang.dmn.check``."""
        from sagsgang.dmn.checks import check

        return check(self, functions=functions)

    def to_xml(self) -> bytes:
        """Write the model as it was read: diagrams, extensions and comments included."""
        info = self._tree.docinfo
        standalone: Any = info.standalone
        written = etree.tostring(
            self._tree,
            xml_declaration=True,
            encoding=info.encoding or "UTF-8",
            standalone=standalone,
        )
        return written if isinstance(written, bytes) else written.encode()


def load(
    source: bytes | str | Path,
    *,
    resolver: Resolver | None = None,
    name: str | None = None,
) -> Model:
    """Read a DMN model of version 1.1 to 1.5, with the models it imports.

    Args:
        source: the XML as bytes, the XML as text (it starts with ``<``), or the path of a file.
        resolver: finds imported models; for a file the default looks among the ``.dmn`` files of
            the same folder.
        name: the name used in messages; default the file's name.

    Raises:
        DmnXmlError: the file is malformed, unsafe or not DMN.
        DmnModelError: the imports are cyclic.
        DmnError: the file cannot be read.
    """
    if isinstance(source, str) and source.lstrip("\ufeff \t\r\n").startswith("<"):
        data = source.lstrip("\ufeff \t\r\n").encode()
        if data.startswith(b"<?xml"):
            # The declared encoding spoke of bytes; this is text already.
            data = data[data.index(b"?>") + 2 :] if b"?>" in data else data
    elif isinstance(source, bytes):
        data = source
    else:
        path = Path(source)
        try:
            data = path.read_bytes()
        except OSError as error:
            raise DmnError(
                f"The file cannot be read: {error.strerror or error}.",
                code="dmn.file",
                file=str(source),
            ) from None
        name = name or path.name
        resolver = resolver or _sibling_resolver(path)
    return _load(data, resolver or (lambda _namespace, _uri: None), name, ())


def _load(data: bytes, resolver: Resolver, file: str | None, ancestors: tuple[str, ...]) -> Model:
    tree = parse_xml(data, file=file)
    definitions, findings = read_definitions(tree, file=file)
    chain = (*ancestors, definitions.namespace)
    imports: dict[str, Model] = {}
    for declared in definitions.imports:
        if not _is_dmn(declared.import_type):
            text = (
                f'The import "{declared.name}" is of type {declared.import_type}, which is not '
                "DMN; it is left out."
            )
            findings.append(_of_import(declared, "import.kind", "warning", text, file))
            continue
        if declared.namespace in chain or len(chain) > _MAX_IMPORT_DEPTH:
            raise DmnModelError(
                f'The import of "{declared.namespace}" goes in a circle; remove one.',
                code="dmn.model.cyclic-import",
                file=file,
                line=declared.line,
                element_id=declared.id,
            )
        found = resolver(declared.namespace, declared.location_uri)
        if found is None:
            text = (
                f'The imported model "{declared.namespace}" was not found; put it in the same '
                "folder."
            )
            findings.append(_of_import(declared, "import.not-found", "error", text, file))
            continue
        imported_file = declared.location_uri or declared.name or declared.namespace
        imports[declared.name] = _load(found, resolver, imported_file, chain)
    return Model(
        definitions,
        tree,
        file=file,
        imports=imports,
        findings=tuple(findings),
        digest=sha256(data).hexdigest(),
    )


def _of_import(
    declared: Import, code: str, severity: Severity, text: str, file: str | None
) -> Finding:
    return Finding(
        code=code,
        severity=severity,
        message=text,
        file=file,
        line=declared.line,
        element_id=declared.id,
        element=declared.name,
    )


def _is_dmn(import_type: str) -> bool:
    return not import_type or import_type in VERSIONS or "/DMN/" in import_type


def _sibling_resolver(path: Path) -> Resolver:
    """Look for imported models beside a file, by location first, then by namespace."""
    folder = path.parent
    by_namespace: dict[str, bytes] | None = None

    def resolve(namespace: str, location_uri: str | None) -> bytes | None:
        nonlocal by_namespace
        if location_uri and "/" not in location_uri and "\\" not in location_uri:
            candidate = folder / location_uri
            if candidate.is_file():
                data = candidate.read_bytes()
                if _namespace_of(data) == namespace:
                    return data
        if by_namespace is None:
            by_namespace = {}
            for sibling in sorted(folder.glob("*.dmn")):
                data = sibling.read_bytes()
                found = _namespace_of(data)
                if found is not None:
                    by_namespace.setdefault(found, data)
        return by_namespace.get(namespace)

    return resolve


def _namespace_of(data: bytes) -> str | None:
    try:
        return parse_xml(data).getroot().get("namespace")
    except DmnError:
        return None
