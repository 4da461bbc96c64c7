# SPDX-License-Identifier: MPL-2.0
"""Types of fields that operations share: what is allowed, said in code and in OpenAPI."""

from __future__ import annotations

import inspect
import re
from typing import Annotated, Any

from ninja import Schema
from ninja.params import functions
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

__all__ = [
    "Answer",
    "Body",
    "Code",
    "Id",
    "Line",
    "Name",
    "Number",
    "Text",
    "Variables",
    "page_size",
]

_PRINTABLE = r"^[^\x00-\x1f\x7f]*$"

Name = Annotated[str, StringConstraints(min_length=1, max_length=255, pattern=_PRINTABLE)]
"""The name of something in a model."""

Code = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")]
"""A stable name of a fault."""

Line = Annotated[str, StringConstraints(max_length=255, pattern=_PRINTABLE)]
"""One line, perhaps empty."""

Text = Annotated[str, StringConstraints(max_length=2_000)]
"""A sentence or a few, perhaps empty."""

Id = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,18}$")]
"""Id of a process instance; text, because it has more digits than JavaScript's numbers."""

Number = Annotated[str, StringConstraints(pattern=r"^[0-9]{4}-[0-9]{1,11}$")]
"""A case number."""

Variables = Annotated[dict[str, Any], Field(default_factory=dict)]
"""Process variables by name."""


def page_size() -> Any:
    """The parameter that says how many entries a page has at most."""
    return functions.Query(100, ge=1, le=500)


_ATTRIBUTE = re.compile(r"^ {4}(\w+): (.+)$")


def _describe(schema: dict[str, Any], model: type[BaseModel]) -> None:
    """Put what the docstring says of each attribute where readers of OpenAPI look for it."""
    text, _, attributes = inspect.cleandoc(model.__doc__ or "").partition("\n\nAttributes:\n")
    schema["description"] = " ".join(text.split())
    name = ""
    said: dict[str, list[str]] = {}
    for line in attributes.splitlines():
        found = _ATTRIBUTE.match(line)
        if found:
            name = found[1]
        said.setdefault(name, []).append(found[2] if found else line.strip())
    for field, described in schema.get("properties", {}).items():
        if field in said:
            described["description"] = " ".join(said[field]).replace("``", "`")


class Answer(Schema):
    """What is answered."""

    model_config = ConfigDict(json_schema_extra=_describe)


class Body(Schema):
    """A body that is sent in: unknown fields are refused, so that a spelling mistake is seen."""

    model_config = ConfigDict(extra="forbid", json_schema_extra=_describe)
