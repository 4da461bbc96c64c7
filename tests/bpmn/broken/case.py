# SPDX-License-Identifier: MPL-2.0
"""One broken model."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Case", "case", "variants"]


@dataclass(frozen=True)
class Case:
    """A valid model, and the same with one rule broken.

    Attributes:
        rule: The rule that is broken.
        element: Id of the element that it is told about.
        valid: The model before.
        broken: The model after.
        what: What sets it apart from other cases of the rule.
        also: Rules that cannot but be broken at the same time.
    """

    rule: str
    element: str
    valid: bytes
    broken: bytes
    what: str = ""
    also: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return f"{self.rule} {self.what}".strip()


def case(
    rule: str,
    element: str,
    valid: bytes,
    *edits: tuple[str, str],
    what: str = "",
    also: tuple[str, ...] = (),
) -> Case:
    """A case by edits: each replaces the first place of a text by another."""
    text = valid.decode()
    for old, new in edits:
        assert old in text, f"{rule}: the valid model does not hold {old!r}"
        text = text.replace(old, new, 1)
    assert text != valid.decode(), rule
    return Case(rule, element, valid, text.encode(), what, also)


def variants(
    rule: str,
    element: str,
    valid: bytes,
    old: str,
    new: dict[str, str],
    also: tuple[str, ...] = (),
) -> list[Case]:
    """Several cases that put different texts in one place."""
    return [
        case(rule, element, valid, (old, text), what=what, also=also) for what, text in new.items()
    ]
