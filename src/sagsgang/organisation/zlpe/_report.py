# SPDX-License-Identifier: MPL-2.0
"""What an import did, and how much it may do."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from sagsgang.organisation.zlpe._records import Finding

__all__ = ["Limits", "Move", "Report"]

_MOST_LINES: Final = 1_000


@dataclass(frozen=True, slots=True)
class Limits:
    """How much an extract may differ before a person has to look.

    Attributes:
        share: Greatest share of the known records that may disappear, or of the file's that may be
            malformed.
        least: This many are always accepted.
        hourly_contracts: Contract codes that mean paid by the hour; to be confirmed at onboarding,
            since payroll's list of codes is not public. A contract text with "timeløn" counts too.
    """

    share: float = 0.10
    least: int = 50
    hourly_contracts: frozenset[str] = frozenset({"06"})

    def exceeded(self, count: int, of: int) -> bool:
        """Whether ``count`` of ``of`` is more than may be."""
        return count > self.least and count > self.share * of


@dataclass(frozen=True, slots=True)
class Move:
    """An employment that went to another unit.

    Attributes:
        number: Employment number.
        source: The payroll system's number of the old unit.
        target: That of the new one.
    """

    number: str
    source: str
    target: str


@dataclass(slots=True)
class Report:
    """What an import did. Employment and unit numbers only: no personal data.

    Attributes:
        units_created: New units.
        units_changed: Units with a new name, place, address or account.
        units_closed: Units that ended or disappeared.
        joiners: Employments that are new, or active again.
        leavers: Employments that ended.
        cancelled: Employments whose record disappeared: they never were.
        moves: Employments that went to another unit.
        changed: Employments otherwise changed.
        historic: Employments that were new to us and had already ended.
        cpr_changed: Employments whose person got another CPR number.
        people_changed: How many people got a new name, contact or protection.
        hours_changed: How many employments changed nothing but their hours; the extract does that
            without meaning.
        unchanged: How many employments are as before.
        findings: What was left out.
    """

    units_created: list[str] = field(default_factory=list)
    units_changed: list[str] = field(default_factory=list)
    units_closed: list[str] = field(default_factory=list)
    joiners: list[str] = field(default_factory=list)
    leavers: list[str] = field(default_factory=list)
    cancelled: list[str] = field(default_factory=list)
    moves: list[Move] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    historic: list[str] = field(default_factory=list)
    cpr_changed: list[str] = field(default_factory=list)
    people_changed: int = 0
    hours_changed: int = 0
    unchanged: int = 0
    findings: list[Finding] = field(default_factory=list)

    @property
    def skipped(self) -> list[Finding]:
        """Well-formed records that were left out."""
        return [finding for finding in self.findings if finding.skipped]

    @property
    def malformed(self) -> list[Finding]:
        """Records that could not be read."""
        return [finding for finding in self.findings if not finding.skipped]

    def counts(self) -> dict[str, int]:
        """How many of each."""
        return {
            "units_created": len(self.units_created),
            "units_changed": len(self.units_changed),
            "units_closed": len(self.units_closed),
            "joiners": len(self.joiners),
            "leavers": len(self.leavers),
            "cancelled": len(self.cancelled),
            "moves": len(self.moves),
            "changed": len(self.changed),
            "historic": len(self.historic),
            "cpr_changed": len(self.cpr_changed),
            "people_changed": self.people_changed,
            "hours_changed": self.hours_changed,
            "unchanged": self.unchanged,
            "skipped": len(self.skipped),
            "malformed": len(self.malformed),
        }

    def details(self) -> dict[str, Any]:
        """The report as JSON values; long lists are cut, the counts are not."""
        return {
            "units_created": self.units_created[:_MOST_LINES],
            "units_changed": self.units_changed[:_MOST_LINES],
            "units_closed": self.units_closed[:_MOST_LINES],
            "joiners": self.joiners[:_MOST_LINES],
            "leavers": self.leavers[:_MOST_LINES],
            "cancelled": self.cancelled[:_MOST_LINES],
            "moves": [[move.number, move.source, move.target] for move in self.moves[:_MOST_LINES]],
            "changed": self.changed[:_MOST_LINES],
            "cpr_changed": self.cpr_changed[:_MOST_LINES],
            "findings": findings_as_json(self.findings),
        }


def findings_as_json(findings: list[Finding] | tuple[Finding, ...]) -> list[dict[str, Any]]:
    """Findings as JSON values, the first thousand."""
    return [
        {
            "code": finding.code.value,
            "element": finding.element,
            "record": finding.record,
            "line": finding.line,
            "field": finding.field,
            "text": str(finding),
        }
        for finding in findings[:_MOST_LINES]
    ]
