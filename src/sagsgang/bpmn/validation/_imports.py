# SPDX-License-Identifier: MPL-2.0
"""Imports: the file must be there, be of the kind that is said, have the namespace that is said,
and clash with nothing here (BPMN 2.0.2, 8.2.2)."""

from __future__ import annotations

from pathlib import Path

from lxml import etree

from sagsgang.bpmn.errors import UnreadableModel
from sagsgang.bpmn.model import BPMN, Model
from sagsgang.bpmn.validation._context import ABSOLUTE_URI, Context
from sagsgang.bpmn.validation._imported import WSDL, XML_SCHEMA, is_file, kind_of

__all__ = ["check_imports"]

_ENDINGS = {".xsd": XML_SCHEMA, ".wsdl": WSDL, ".bpmn": BPMN}
# The standard names WSDL 2.0; what it says of other kinds is that they may be supported.
_OLD_WSDL = "http://schemas.xmlsoap.org/wsdl/"


def check_imports(context: Context) -> None:
    """Look at every import."""
    imports = context.imports
    for element in imports.elements:
        location, kind = element.get("location", ""), element.get("importType", "")
        path = imports.file(element)
        if path is not None and not is_file(path):
            context.add(
                element,
                "import-file-missing",
                f"Filen {location!r} findes ikke ved siden af modellen; læg den der, eller fjern "
                "importen.",
            )
        model = imports.read(element)
        root = model.root if isinstance(model, Model) else imports.other(element)
        wanted = _ENDINGS.get(Path(location.partition("#")[0]).suffix.lower(), "")
        if root is not None and not isinstance(root, UnreadableModel):
            wanted = kind_of(root) or wanted
        if wanted and kind != wanted and (kind, wanted) != (_OLD_WSDL, WSDL):
            context.add(
                element,
                "import-type",
                f"{location!r} importeres som {kind!r}; importType skal være {wanted!r}.",
            )
        elif kind and not ABSOLUTE_URI.fullmatch(kind.strip()):
            context.add(
                element,
                "import-type",
                f"importType={kind!r} skal være en URI, der nævner filens art.",
            )
        for read in (model, root):
            if isinstance(read, UnreadableModel):
                context.add(element, "import-unreadable", f"{location!r} kan ikke læses: {read}")
        if root is not None and not isinstance(root, UnreadableModel):
            _namespace(context, element, root)
        if isinstance(model, Model) and element.get("namespace") == context.home:
            _same_ids(context, model, location)


def _namespace(context: Context, element: etree._Element, root: etree._Element) -> None:
    """A BPMN file must have the namespace; a schema without one takes that of who imports it."""
    theirs = root.get("targetNamespace")
    if theirs == element.get("namespace") or (theirs is None and kind_of(root) != BPMN):
        return
    context.add(
        element,
        "import-namespace",
        f"{element.get('location')!r} har navnerummet {theirs!r}, ikke "
        f"{element.get('namespace')!r}; ret det ene.",
    )


def _same_ids(context: Context, other: Model, location: str) -> None:
    """Two files of one namespace cannot both have an element of a name."""
    if other.path == context.model.path:
        return
    for key in sorted(set(context.model.by_id) & set(other.by_id)):
        if other.by_id[key] is not other.root:
            context.add(
                context.model.by_id[key],
                "id-not-unique",
                f"Id {key!r} er også brugt i {location!r}, som har samme navnerum; giv hvert "
                "element sit eget id.",
            )
