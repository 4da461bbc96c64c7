# SPDX-License-Identifier: MPL-2.0
"""The check of one expression in a box or a cell: what its operations and its result can be."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from sagsgang.dmn import elements as el
from sagsgang.dmn._infer import can_fit, infer
from sagsgang.dmn._text import Scope
from sagsgang.dmn.findings import Cell, Finding
from sagsgang.feel import FeelError
from sagsgang.feel import compile as compile_feel
from sagsgang.feel import tree as ft

if TYPE_CHECKING:
    from sagsgang.dmn._plan import Unit
    from sagsgang.dmn.findings import Severity

__all__ = ["Owner", "check_literal", "finding"]

Owner = el.Decision | el.BusinessKnowledgeModel
"""What an expression belongs to."""


def check_literal(
    unit: Unit,
    owner: Owner,
    expression: el.LiteralExpression,
    scope: Scope,
    wanted: str | None,
    cell: Cell | None,
) -> Iterator[Finding]:
    """Report operations that cannot work and a result that cannot be of the type wanted."""
    text = expression.text or ""
    language = expression.language or unit.compiler.language
    if not text.strip() or (language and "feel" not in language.lower()):
        return
    try:
        program = compile_feel(text, types=scope.names, functions=unit.compiler.functions)
    except FeelError:
        return
    said: list[tuple[ft.Node, str]] = []
    found = infer(program.tree, scope.names, lambda node, sentence: said.append((node, sentence)))
    for node, sentence in said:
        before = text[: node.start]
        yield finding(
            unit,
            owner,
            "feel.operation",
            "error",
            f"In {text[node.start : node.end]}: {sentence}",
            line=expression.line,
            element_id=expression.id,
            cell=cell,
            position=(before.count("\n") + 1, node.start - before.rfind("\n")),
        )
    item = unit.compiler.table.get(wanted)
    if item is not None and not can_fit(found, item.feel):
        yield finding(
            unit,
            owner,
            "type.mismatch",
            "error",
            f"The value is of type {found}, but {item.name} is asked for here.",
            line=expression.line,
            element_id=expression.id,
            cell=cell,
        )


def finding(
    unit: Unit,
    owner: Owner,
    code: str,
    severity: Severity,
    message: str,
    *,
    line: int | None,
    element_id: str | None = None,
    cell: Cell | None = None,
    position: tuple[int, int] | None = None,
    example: Sequence[tuple[str, str]] = (),
) -> Finding:
    """A finding in an expression of ``owner``; the arguments are those of ``Finding``."""
    return Finding(
        code=code,
        severity=severity,
        message=message,
        file=unit.model.file,
        line=line,
        element_id=element_id or owner.id,
        element=owner.name,
        cell=cell,
        position=position,
        example=tuple(example),
    )
