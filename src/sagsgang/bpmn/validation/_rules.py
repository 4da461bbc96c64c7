# SPDX-License-Identifier: MPL-2.0
"""The rules that a model is held to: id, clause of the standard, how grave, one sentence."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib import resources

__all__ = ["Rule", "Severity", "rules"]


class Severity(StrEnum):
    """How grave it is to break a rule."""

    VIOLATION = "violation"
    """The standard is broken: MUST, MUST NOT, SHALL, cannot, or its schema."""
    EXECUTION = "execution"
    """Legal as a drawing, but it cannot be executed: a deployment is refused."""
    ADVICE = "advice"
    """Legal, and it can be executed, but hardly what is meant."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule.

    Attributes:
        id: Stable id, such as ``end-event-outgoing``.
        chapter: Where it belongs, in Danish; the heading of its group.
        clause: Clause or table of BPMN 2.0.2 that it comes from.
        text: The rule as one sentence in Danish.
        severity: How grave it is to break it.
        signed: How grave it is in a file that a modelling tool has put its name on, where tools
            are known to break the rule as a matter of course; None where that makes no difference.
    """

    id: str
    chapter: str
    clause: str
    text: str
    severity: Severity
    signed: Severity | None = None


@cache
def rules() -> Mapping[str, Rule]:
    """Every rule by its id, in the order of the standard."""
    text = resources.files("sagsgang.bpmn.validation").joinpath("rules.toml").read_text("utf-8")
    return {
        key: Rule(
            key,
            chapter,
            each["clause"],
            each["text"],
            Severity(each.get("as", "violation")),
            Severity(each["signed"]) if "signed" in each else None,
        )
        for chapter, group in tomllib.loads(text).items()
        for key, each in group.items()
    }
