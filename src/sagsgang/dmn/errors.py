# SPDX-License-Identifier: MPL-2.0
"""Errors of the DMN library.

    DmnError                       base; catch this one
      DmnXmlError                  the file is not well-formed, not safe or not DMN
      DmnModelError                the model cannot be compiled (see ``findings`` for every fault)
      UnknownElementError          a decision, service or model asked for is not there
      DmnTestKitError              a test-kit file cannot be read

Each carries a stable ``code`` and, where known, ``file``, ``line`` and ``element_id``.
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sagsgang.dmn.findings import Finding

__all__ = [
    "DmnError",
    "DmnModelError",
    "DmnTestKitError",
    "DmnXmlError",
    "UnknownElementError",
    "did_you_mean",
]


class DmnError(Exception):
    """Something is wrong with a DMN model or with how it is used.

    Attributes:
        code: stable identifier of the kind of fault.
        message: one sentence: what is wrong and what to do.
        file: name of the file, as the caller gave it.
        line: line in the file, counted from 1.
        element_id: the ``id`` attribute of the element at fault.
    """

    code = "dmn.error"

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        file: str | None = None,
        line: int | None = None,
        element_id: str | None = None,
    ) -> None:
        self.message = message
        self.code = code or type(self).code
        self.file = file
        self.line = line
        self.element_id = element_id
        place = ":".join(str(part) for part in (file, line) if part is not None)
        super().__init__(f"{place}: {message}" if place else message)


class DmnXmlError(DmnError):
    """The bytes are not well-formed XML, not safe XML, or not a DMN model."""

    code = "dmn.xml"


class DmnModelError(DmnError):
    """The model as a whole cannot be compiled, for example because its imports are cyclic."""

    code = "dmn.model"

    def __init__(self, message: str, *, findings: Iterable[Finding] = (), **where: object) -> None:
        self.findings = tuple(findings)
        super().__init__(message, **where)  # type: ignore[arg-type]  # same keywords as the base


class UnknownElementError(DmnError):
    """A decision, decision service or business knowledge model of that name or id is not there."""

    code = "dmn.unknown-element"


class DmnTestKitError(DmnError):
    """A file of the test kit cannot be read or does not have the kit's shape."""

    code = "dmn.test-kit"


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return `` Did you mean "X"?`` for the nearest known name, or an empty string."""
    candidates = list(known)
    by_fold = {candidate.casefold(): candidate for candidate in candidates}
    exact = by_fold.get(name.casefold())
    if exact is not None:
        return f' Did you mean "{exact}"?'
    near = get_close_matches(name, candidates, n=1, cutoff=0.6)
    return f' Did you mean "{near[0]}"?' if near else ""
