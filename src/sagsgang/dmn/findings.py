# SPDX-License-Identifier: MPL-2.0
"""What a check of a model reports: one finding per fault, with its place and a sentence of help."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

__all__ = ["Cell", "Finding", "Severity"]

Severity = Literal["error", "warning", "info"]


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of a decision table.

    Attributes:
        table: name of the decision or business knowledge model the table belongs to.
        rule: rule number counted from 1, as people read the table; None for a header cell.
        column: the column's label, expression or name.
    """

    table: str
    rule: int | None = None
    column: str | None = None

    def __str__(self) -> str:
        parts = [f'table "{self.table}"']
        if self.rule is not None:
            parts.append(f"rule {self.rule}")
        if self.column is not None:
            parts.append(f'column "{self.column}"')
        return ", ".join(parts)


@dataclass(frozen=True, slots=True)
class Finding:
    """One fault or doubt in a model.

    Attributes:
        code: stable identifier of the kind, for example ``table.gap``.
        severity: ``error`` stops deployment, ``warning`` should be looked at, ``info`` is a note.
        message: one sentence: what is wrong and what to do.
        file: name of the file the element is in.
        line: line in the file, counted from 1.
        element_id: ``id`` of the element.
        element: name of the decision, input, model or type.
        cell: the cell, when the place is in a decision table.
        position: (line, column) inside the FEEL text, both counted from 1.
        example: input values that show the fault (column to FEEL text), for table findings.
    """

    code: str
    severity: Severity
    message: str
    file: str | None = None
    line: int | None = None
    element_id: str | None = None
    element: str | None = None
    cell: Cell | None = None
    position: tuple[int, int] | None = None
    example: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        place = ":".join(str(part) for part in (self.file, self.line) if part is not None)
        subject = str(self.cell) if self.cell else (f'"{self.element}"' if self.element else "")
        if self.element_id:
            subject = f"{subject} ({self.element_id})".strip()
        if self.position:
            subject = f"{subject}, at {self.position[0]}:{self.position[1]} of its text"
        head = " ".join(
            part for part in (f"{place}:" if place else "", f"{self.severity}:") if part
        )
        where = f" {subject}:" if subject else ""
        return f"{head}{where} {self.message} [{self.code}]"

    def to_dict(self) -> dict[str, Any]:
        """Return the finding as plain data for JSON."""
        return {
            "code": self.code,
            "severity": self.severity,
            "message": self.message,
            "file": self.file,
            "line": self.line,
            "element_id": self.element_id,
            "element": self.element,
            "cell": None
            if self.cell is None
            else {"table": self.cell.table, "rule": self.cell.rule, "column": self.cell.column},
            "position": list(self.position) if self.position else None,
            "example": dict(self.example),
        }
