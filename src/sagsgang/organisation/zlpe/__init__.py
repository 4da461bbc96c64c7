# SPDX-License-Identifier: MPL-2.0
"""Import of the payroll system's nightly extract, the XML file ``ZLPE<time>_delta.xml``.

Despite its name the file is complete, so the import compares it with what is known: who joined,
left, moved, and whose record was withdrawn. One transaction: either the whole extract is in, or the
organisation is as it was.
"""

from __future__ import annotations

from sagsgang.organisation.zlpe._reader import extract_time, read
from sagsgang.organisation.zlpe._records import (
    EmployeeRecord,
    Extract,
    Finding,
    FindingCode,
    LeaveRecord,
    UnitRecord,
)
from sagsgang.organisation.zlpe._report import Limits, Move, Report
from sagsgang.organisation.zlpe._run import import_extract

__all__ = [
    "EmployeeRecord",
    "Extract",
    "Finding",
    "FindingCode",
    "LeaveRecord",
    "Limits",
    "Move",
    "Report",
    "UnitRecord",
    "extract_time",
    "import_extract",
    "read",
]
