# SPDX-License-Identifier: MPL-2.0
"""Intake of time sheets (timesedler): files and forms become sheets, or clear faults (K2).

``parse(content)`` reads a CSV, XLSX or JSON lines file; ``normalise(data)`` and ``validate(data)``
judge one sheet from a form by the same rules; ``read(file_name, content)`` gives what the case
layer takes. All but ``read`` is pure Python.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sagsgang.solutions.timesheets.intake._files import MAX_BYTES, MAX_ROWS
from sagsgang.solutions.timesheets.intake._sheets import (
    MAX_LINES,
    Fault,
    Reading,
    SheetOrder,
    normalise,
    parse,
    validate,
)

if TYPE_CHECKING:
    from sagsgang.cases.ordering import Intake

__all__ = [
    "MAX_BYTES",
    "MAX_LINES",
    "MAX_ROWS",
    "Fault",
    "Reading",
    "SheetOrder",
    "normalise",
    "parse",
    "read",
    "validate",
]


def read(file_name: str, content: bytes) -> Intake:
    """Return the orders of a file for the case layer.

    Args:
        file_name: Its name; only the content decides what it is.
        content: The bytes of the file.
    """
    from sagsgang.cases import ordering

    del file_name
    reading = parse(content)
    return ordering.Intake(
        orders=[ordering.Order(order.item, order.data, order.corrects) for order in reading.orders],
        rows=reading.rows,
        faults=[
            ordering.Fault(fault.row, fault.field, fault.message, fault.item)
            for fault in reading.faults
        ],
        received=reading.received,
    )
