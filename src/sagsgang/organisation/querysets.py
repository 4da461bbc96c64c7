# SPDX-License-Identifier: MPL-2.0
"""Querysets that authorise in SQL: what a user may see is part of the query."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import TYPE_CHECKING, Final

from django.contrib.auth.models import AnonymousUser
from django.db import models
from django.db.models import Exists, ExpressionWrapper, F, OuterRef, Q

if TYPE_CHECKING:
    from sagsgang.organisation.models import (  # noqa: F401 (named in the bases, as strings)
        Employment,
        Person,
        RoleAssignment,
        Substitution,
        Unit,
        User,
    )

__all__ = [
    "ROLES_THAT_SEE_PEOPLE",
    "EmploymentQuerySet",
    "PersonQuerySet",
    "RoleAssignmentQuerySet",
    "SubstitutionQuerySet",
    "UnitQuerySet",
    "in_force",
]

# A process owner works on models and an operator on machines: neither needs to see who is employed.
ROLES_THAT_SEE_PEOPLE: Final = frozenset(
    {"requester", "approver", "caseworker", "controller", "administrator"}
)


def in_force(on: date, *, start: str = "valid_from", end: str = "valid_to") -> Q:
    """The condition that a dated row holds on a day; both ends included, an empty end is open."""
    return Q(**{f"{start}__lte": on}) & (Q(**{f"{end}__isnull": True}) | Q(**{f"{end}__gte": on}))


def _outer_path() -> ExpressionWrapper[OuterRef]:
    """The path of the row outside, as something that an inner condition can compare with."""
    return ExpressionWrapper(OuterRef("path"), output_field=models.CharField())


class RoleAssignmentQuerySet(models.QuerySet["RoleAssignment"]):
    """Roles given to users."""

    def on(self, day: date) -> RoleAssignmentQuerySet:
        """The roles that hold on a day."""
        return self.filter(in_force(day))

    def of(self, user: User | AnonymousUser) -> RoleAssignmentQuerySet:
        """The roles of a user; none for one who is not signed in or no longer active."""
        return (
            self.filter(user_id=user.pk, user__is_active=True)
            if user.is_authenticated
            else self.none()
        )

    def seeing_people(self) -> RoleAssignmentQuerySet:
        """The roles whose work needs to see people."""
        return self.filter(role__in=ROLES_THAT_SEE_PEOPLE)


class SubstitutionQuerySet(models.QuerySet["Substitution"]):
    """Who stands in for whom."""

    def on(self, day: date) -> SubstitutionQuerySet:
        """The substitutions that hold on a day."""
        return self.filter(in_force(day))


class UnitQuerySet(models.QuerySet["Unit"]):
    """Units, and the sub-trees that a user may see."""

    def subtree(self, *roots: Unit) -> UnitQuerySet:
        """The units and everything below them."""
        condition = Q(pk__in=())
        for root in roots:
            condition |= Q(path__startswith=root.path)
        return self.filter(condition)

    def ancestors(self, unit: Unit) -> UnitQuerySet:
        """The unit itself and the units above it, the top one first."""
        return self.filter(pk__in=unit.path_ids).order_by("depth")

    def managed_by(self, user: User | AnonymousUser, *, on: date) -> UnitQuerySet:
        """The units that the user leads on a day, with everything below them."""
        from sagsgang.organisation.models import Employment

        if not user.is_authenticated or user.person_id is None:
            return self.none()
        leads = (
            Employment.objects.in_force(on)
            .filter(person_id=user.person_id, is_manager=True)
            .annotate(seen=_outer_path())
            .filter(seen__startswith=F("unit__path"))
        )
        return self.filter(Exists(leads))

    def covered_by(self, assignments: RoleAssignmentQuerySet) -> UnitQuerySet:
        """The units that at least one of the assignments covers."""
        covering = assignments.annotate(seen=_outer_path()).filter(
            Q(unit__isnull=True) | Q(seen__startswith=F("unit__path"))
        )
        return self.filter(Exists(covering))

    def with_role(self, user: User | AnonymousUser, *roles: str, on: date) -> UnitQuerySet:
        """The units in which the user has one of the roles on a day."""
        from sagsgang.organisation.models import RoleAssignment

        return self.covered_by(RoleAssignment.objects.of(user).on(on).filter(role__in=roles))

    def visible_to(self, user: User | AnonymousUser, *, on: date) -> UnitQuerySet:
        """The units whose people a user may see on a day.

        Those covered by a role whose work needs it, those the user leads, and those the user works
        in.
        """
        from sagsgang.organisation.models import Employment, RoleAssignment

        if not user.is_authenticated or not user.is_active:
            return self.none()
        if user.is_superuser:
            return self.all()
        by_role = UnitQuerySet(self.model, using=self.db).covered_by(
            RoleAssignment.objects.of(user).on(on).seeing_people()
        )
        led = UnitQuerySet(self.model, using=self.db).managed_by(user, on=on)
        condition = Q(pk__in=by_role.values("pk")) | Q(pk__in=led.values("pk"))
        if user.person_id is not None:
            own = Employment.objects.in_force(on).filter(person_id=user.person_id)
            condition |= Q(pk__in=own.values("unit_id"))
        return self.filter(condition)


class PersonQuerySet(models.QuerySet["Person"]):
    """People, found by number without the number being stored in clear."""

    def by_cpr(self, cpr: str) -> PersonQuerySet:
        """The person with a CPR number, if known; found by the blind index.

        Raises:
            sagsgang.audit.errors.InvalidIdentifierError: It is not a CPR number.
        """
        from sagsgang.audit.identifiers import blind_index

        return self.filter(cpr_index=blind_index(cpr))

    def visible_to(self, user: User | AnonymousUser, *, on: date) -> PersonQuerySet:
        """The people that a user may see on a day: oneself, and those whose employment one sees."""
        from sagsgang.organisation.models import Employment

        if not user.is_authenticated or not user.is_active:
            return self.none()
        if user.is_superuser:
            return self.all()
        seen = Employment.objects.visible_to(user, on=on).values("person_id")
        return self.filter(Q(pk__in=seen) | Q(pk=user.person_id))


class EmploymentQuerySet(models.QuerySet["Employment"]):
    """Employments, and those that a user may see."""

    def in_force(self, on: date) -> EmploymentQuerySet:
        """Those that hold on a day and were not cancelled."""
        return self.filter(in_force(on, start="starts", end="ends")).exclude(status="cancelled")

    def numbered(self, numbers: Iterable[str]) -> EmploymentQuerySet:
        """Those with the given employment numbers."""
        return self.filter(number__in=list(numbers))

    def visible_to(self, user: User | AnonymousUser, *, on: date) -> EmploymentQuerySet:
        """The employments that a user may see on a day.

        One's own, and those in units that the user leads or has a role in whose work needs it.
        Working in a unit does not by itself show one's colleagues' employments.
        """
        from sagsgang.organisation.models import RoleAssignment, Unit

        if not user.is_authenticated or not user.is_active:
            return self.none()
        if user.is_superuser:
            return self.all()
        by_role = Unit.objects.covered_by(RoleAssignment.objects.of(user).on(on).seeing_people())
        led = Unit.objects.managed_by(user, on=on)
        condition = Q(unit_id__in=by_role.values("pk")) | Q(unit_id__in=led.values("pk"))
        if user.person_id is not None:
            condition |= Q(person_id=user.person_id)
        return self.filter(condition)
