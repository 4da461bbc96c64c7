# SPDX-License-Identifier: MPL-2.0
"""Immutable records that cost no more to make than ordinary objects."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeVar, dataclass_transform

__all__ = ["struct"]

Made = TypeVar("Made")


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def struct(cls: type[Made]) -> type[Made]:
    """A data class with slots that nobody changes, compared and hashed by its values.

    A frozen data class sets each field in a roundabout way and takes three times as long to make,
    and a step makes dozens of small records. So that they are not changed is held by the type
    checker, which takes them for frozen, instead of at run time.
    """
    return dataclass(slots=True, unsafe_hash=True)(cls)
