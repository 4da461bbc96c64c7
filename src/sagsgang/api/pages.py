# SPDX-License-Identifier: MPL-2.0
"""The documentation page: the OpenAPI document, rendered on the server without any script."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from sagsgang.api.problems import CODES

__all__ = ["Operation", "operations", "page", "types"]

_REFERENCE = "#/components/schemas/"


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a body, a parameter or an answer.

    Attributes:
        type: In words: ``string``, ``list of string``, the name of a type.
        meaning: What the schema says of it.
    """

    name: str
    type: str
    required: bool
    default: str = ""
    meaning: str = ""


@dataclass(frozen=True, slots=True)
class Part:
    """A table of fields: the parameters, the body, an answer, a type.

    Attributes:
        sent: Whether it is sent in, so that it matters what must be given.
    """

    title: str
    fields: tuple[Field, ...]
    sent: bool = False
    meaning: str = ""


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation as the page shows it."""

    id: str
    tag: str
    method: str
    path: str
    summary: str
    description: str
    scope: str
    parts: tuple[Part, ...]


def operations(document: Mapping[str, Any]) -> Iterator[Operation]:
    """The operations of an OpenAPI document, in its order."""
    schemas: Mapping[str, Any] = document["components"]["schemas"]
    for path, methods in document["paths"].items():
        for method, found in methods.items():
            yield Operation(
                id=found["operationId"],
                tag=next(iter(found.get("tags", ())), ""),
                method=method.upper(),
                path=path,
                summary=found["summary"],
                description=_plain(found.get("description", "")),
                scope=found.get("x-scope", ""),
                parts=tuple(part for part in _parts(found, schemas) if part.fields),
            )


def types(document: Mapping[str, Any]) -> Iterator[Part]:
    """The types that fields of other types have: those that are not shown with an operation."""
    schemas: Mapping[str, Any] = document["components"]["schemas"]
    shown = {
        _name(schema)
        for methods in document["paths"].values()
        for found in methods.values()
        for schema in (
            _schema(found.get("requestBody", {})),
            *map(_schema, found["responses"].values()),
        )
    }
    for name, schema in schemas.items():
        if name not in shown and "properties" in schema:
            yield Part(
                name, _fields(schema, schemas), meaning=_plain(schema.get("description", ""))
            )


def _plain(text: str) -> str:
    """Text of a docstring without its marks and line ends; paragraphs stay."""
    paragraphs = text.replace("`", "").split("\n\n")
    return "\n\n".join(" ".join(each.split()) for each in paragraphs)


def _parts(found: Mapping[str, Any], schemas: Mapping[str, Any]) -> Iterator[Part]:
    parameters = tuple(
        Field(
            each["name"],
            _type(each["schema"]),
            each.get("required", False),
            _default(each["schema"]),
            each.get("description", ""),
        )
        for each in found.get("parameters", ())
    )
    yield Part("Parameters", parameters, sent=True)
    yield Part("Body", _fields(_schema(found.get("requestBody", {})), schemas), sent=True)
    for status, answer in found["responses"].items():
        yield Part(f"Answer {status}", _fields(_schema(answer), schemas))


def _schema(answer: Mapping[str, Any]) -> Mapping[str, Any]:
    found: Mapping[str, Any] = (
        answer.get("content", {}).get("application/json", {}).get("schema", {})
    )
    return found


def _name(schema: Mapping[str, Any]) -> str:
    return str(schema.get("$ref", "")).removeprefix(_REFERENCE)


def _fields(schema: Mapping[str, Any], schemas: Mapping[str, Any]) -> tuple[Field, ...]:
    resolved = schemas.get(_name(schema), schema)
    required = resolved.get("required", ())
    return tuple(
        Field(
            field,
            _type(each),
            field in required,
            _default(each),
            _plain(each.get("description", "")),
        )
        for field, each in resolved.get("properties", {}).items()
    )


def _default(schema: Mapping[str, Any]) -> str:
    default = schema.get("default")
    return "" if default in (None, "", {}, []) else str(default)


def _type(schema: Mapping[str, Any]) -> str:
    if "$ref" in schema:
        return _name(schema)
    for several in ("anyOf", "oneOf"):
        if several in schema:
            return " or ".join(_type(each) for each in schema[several])
    if "enum" in schema:
        return " | ".join(map(str, schema["enum"]))
    if "const" in schema:
        return str(schema["const"]) or "empty"
    kind = str(schema.get("type", "any"))
    if kind == "array":
        return f"list of {_type(schema.get('items', {}))}"
    return str(schema["format"]) if "format" in schema else kind


@login_not_required
@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """Every operation with its fields, and every problem code."""
    from sagsgang.api.application import document

    described = document()
    grouped: dict[str, list[Operation]] = {}
    for each in operations(described):
        grouped.setdefault(each.tag, []).append(each)
    return render(
        request,
        "api/docs.html",
        {
            "groups": grouped,
            "types": list(types(described)),
            "problems": [(code, status, title) for code, (status, title) in CODES.items()],
            "version": described["info"]["version"],
            "LANGUAGE_CODE": "en",
        },
    )
