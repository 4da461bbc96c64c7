# SPDX-License-Identifier: MPL-2.0
"""Context functions (DMN 1.5, table 81)."""

from __future__ import annotations

from typing import Any

from sagsgang.feel._run import Fault, Run
from sagsgang.feel._standard._base import STANDARD

__all__: list[str] = []


@STANDARD.function("get value(m: context, key: string)")
def _get_value(context: dict[str, Any], key: str) -> Any:
    """The value of an entry."""
    if key not in context:
        raise Fault("feel.path", actual="context", name=key)
    return context[key]


@STANDARD.function("get entries(m: context) -> list<context>")
def _get_entries(context: dict[str, Any]) -> list[dict[str, Any]]:
    """The entries as a list of contexts with ``key`` and ``value``."""
    return [{"key": key, "value": value} for key, value in context.items()]


@STANDARD.function("context(entries: list) -> context")
def _context(entries: list[Any]) -> dict[str, Any]:
    """A context from a list of contexts with ``key`` and ``value``."""
    made: dict[str, Any] = {}
    for entry in entries:
        if type(entry) is not dict or "key" not in entry or "value" not in entry:
            raise Fault("feel.value", reason="every entry must have a key and a value")
        key = entry["key"]
        if type(key) is not str:
            raise Fault("feel.value", reason="every key must be a string")
        if key in made:
            raise Fault("feel.duplicate-key", name=key)
        made[key] = entry["value"]
    return made


@STANDARD.function("context put(context: context, key: string, value: Any?) -> context", run=True)
def _context_put(run: Run, context: dict[str, Any], key: str, value: Any) -> dict[str, Any]:
    """The context with an entry added or replaced."""
    run.spend(len(context))
    return {**context, key: value}


@STANDARD.function("context put(context: context, keys: list, value: Any?) -> context", run=True)
def _context_put_path(
    run: Run, context: dict[str, Any], keys: list[Any], value: Any
) -> dict[str, Any]:
    if not keys or any(type(key) is not str for key in keys):
        raise Fault("feel.value", reason="the keys must be strings, at least one")
    run.spend(len(context) + len(keys))
    made = dict(context)
    level = made
    for key in keys[:-1]:
        inner = level.get(key)
        if type(inner) is not dict:
            raise Fault("feel.path", actual="context", name=key)
        level[key] = dict(inner)
        level = level[key]
    level[keys[-1]] = value
    return made


@STANDARD.function("context merge(contexts: list) -> context", run=True)
def _context_merge(run: Run, contexts: list[Any]) -> dict[str, Any]:
    """The entries of several contexts; the later win."""
    made: dict[str, Any] = {}
    for context in contexts:
        if type(context) is not dict:
            raise Fault("feel.value", reason="every item must be a context")
        run.spend(len(context))
        made.update(context)
    return made
