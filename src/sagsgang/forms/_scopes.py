# SPDX-License-Identifier: MPL-2.0
"""What an expression of a form can read, and the contexts that a form's data is made of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sagsgang.forms.schema import Choice, Component, Field, Group, Rows


def scope_of(context: Mapping[str, Any], data: Mapping[str, Any]) -> dict[str, Any]:
    return {**context, **data}


def entry(data: Mapping[str, Any], key: str) -> Any:
    value: Any = data
    for part in key.split("."):
        if not isinstance(value, Mapping):
            return None
        value = value.get(part)
    return value


def offered(component: Field, scope: Mapping[str, Any]) -> Sequence[Choice]:
    if component.choices_from is None:
        return component.choices
    offered = component.choices_from(scope)
    if not isinstance(offered, list):
        return ()
    return [
        Choice(str(item["value"]), str(item.get("label", item["value"])))
        if isinstance(item, Mapping) and "value" in item
        else Choice(str(item), str(item))
        for item in offered
    ]


def row_scope(outer: Mapping[str, Any], row: Mapping[str, Any], number: int) -> dict[str, Any]:
    """As form-js has it: a row's own keys, ``this``, ``parent`` and ``i`` (from 1)."""
    return {**outer, **row, "this": row, "parent": outer, "i": number + 1}


def inside(
    component: Group | Rows, prefix: str, data: dict[str, Any], scope: Mapping[str, Any]
) -> Iterator[tuple[str, dict[str, Any], Mapping[str, Any]]]:
    """The contexts inside a group or list: name prefix, data and scope of each."""
    if isinstance(component, Rows):
        for number, row in enumerate(entry(data, component.path) or ()):
            yield f"{prefix}{component.path}.{number}.", row, row_scope(scope, row, number)
    elif component.path:
        inner = entry(data, component.path)
        if isinstance(inner, dict):
            yield f"{prefix}{component.path}.", inner, {**scope, **inner}
    else:
        yield prefix, data, scope


def is_hidden(component: Component, scope: Mapping[str, Any]) -> bool:
    return bool(component.hide) and component.hide.value(scope) is True
