# SPDX-License-Identifier: MPL-2.0
"""Faults of form schemas.

FormError
└── FormSchemaError   a schema cannot be shown or filled in as it stands
"""

from __future__ import annotations

from collections.abc import Sequence


class FormError(Exception):
    """Base of all faults of forms.

    Attributes:
        code: Stable, for programs and tests.
    """

    code = "form"


class FormSchemaError(FormError):
    """A schema has faults; ``faults`` lists them all, each with the component it lies in."""

    code = "form_schema"

    def __init__(self, form: str, faults: Sequence[str]) -> None:
        self.faults = tuple(faults)
        listed = "\n".join(f"  - {fault}" for fault in faults)
        super().__init__(f"The form {form} cannot be used:\n{listed}")
