# SPDX-License-Identifier: MPL-2.0
"""A model field for JSON that must come back exactly as it was written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
from django.db import models

if TYPE_CHECKING:
    _TextField = models.TextField[Any, Any]
else:
    _TextField = models.TextField

__all__ = ["CanonicalJSONField", "canonical"]


def canonical(value: object) -> str:
    """The one JSON text of a value: keys sorted, no spaces, the same on every database."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()


class CanonicalJSONField(_TextField):
    """JSON kept as text.

    A database's own JSON type rewrites numbers and refuses some characters; a sealed entry must
    come back as it was written.
    """

    if TYPE_CHECKING:
        _pyi_private_set_type: Any
        _pyi_private_get_type: Any

    def from_db_value(self, value: str | None, *_: object) -> Any:
        """Parse what is stored."""
        return None if value is None else orjson.loads(value)

    def get_prep_value(self, value: Any) -> Any:
        """Write the canonical text."""
        return canonical(value)

    def to_python(self, value: Any) -> Any:
        """Values are already plain JSON values."""
        return value

    def value_to_string(self, obj: models.Model) -> str:
        """For serialisers."""
        return canonical(self.value_from_object(obj))
