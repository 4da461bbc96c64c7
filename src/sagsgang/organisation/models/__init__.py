# SPDX-License-Identifier: MPL-2.0
"""Tables of the organisation."""

from __future__ import annotations

from sagsgang.organisation.models._authority import RoleAssignment, Substitution
from sagsgang.organisation.models._extracts import ExtractRun
from sagsgang.organisation.models._people import Employment, EmploymentTerms, Person
from sagsgang.organisation.models._units import Unit
from sagsgang.organisation.models._users import User, UserManager

__all__ = [
    "Employment",
    "EmploymentTerms",
    "ExtractRun",
    "Person",
    "RoleAssignment",
    "Substitution",
    "Unit",
    "User",
    "UserManager",
]
