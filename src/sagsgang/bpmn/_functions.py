# SPDX-License-Identifier: MPL-2.0
"""The functions that expressions of a model may call, beyond those of FEEL.

Beside the municipal ones these are what models drawn for other engines call most. They depend on
their arguments alone: a function that draws lots or looks at the clock would make a step that is
taken again give another result.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from sagsgang.feel.library import Library
from sagsgang.feel.municipal import MUNICIPAL

__all__ = ["FUNCTIONS"]

_COMMON: Final = Library("common")


@_COMMON.function("is defined(value: Any?) -> boolean")
def _is_defined(value: Any) -> bool:
    """Whether a variable, or an entry of a context, exists and is not null."""
    return value is not None


@_COMMON.function("get or else(value: Any?, default: Any?) -> Any")
def _get_or_else(value: Any, default: Any) -> Any:
    """The value; the default where it is null."""
    return default if value is None else value


@_COMMON.function("is blank(string: string) -> boolean")
def _is_blank(string: str) -> bool:
    """Whether a text holds nothing but space."""
    return not string.strip()


@_COMMON.function("trim(string: string) -> string")
def _trim(string: str) -> str:
    """A text without the space around it."""
    return string.strip()


@_COMMON.function("is empty(list: list) -> boolean")
def _is_empty(list: list[Any]) -> bool:  # noqa: A002 - the name of the parameter in FEEL
    """Whether a list has no elements."""
    return not list


@_COMMON.function("put(context: context, key: string, value: Any?) -> context")
def _put(context: Mapping[str, Any], key: str, value: Any) -> dict[str, Any]:
    """A context with one more entry, or with one changed."""
    return {**context, key: value}


@_COMMON.function("put all(context: context, more: context) -> context")
def _put_all(context: Mapping[str, Any], more: Mapping[str, Any]) -> dict[str, Any]:
    """The entries of both contexts; those of the second win."""
    return {**context, **more}


FUNCTIONS: Final = MUNICIPAL | _COMMON
"""The functions by their FEEL name."""
