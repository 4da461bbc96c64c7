# SPDX-License-Identifier: MPL-2.0
"""People, their employments, and the terms that their pay is computed from."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.db import models

from sagsgang.audit.identifiers import blind_index, decrypt, encrypt, mask
from sagsgang.organisation.models._units import Unit
from sagsgang.organisation.querysets import EmploymentQuerySet, PersonQuerySet

__all__ = ["Employment", "EmploymentTerms", "Person"]


class Person(models.Model):
    """A human being, once, however many employments.

    Attributes:
        cpr_encrypted: The CPR number, bound to this row; see :mod:`sagsgang.audit.identifiers`.
        cpr_index: Its blind index; none for a person without a known number.
        protected: Has address protection (adressebeskyttelse, CPR-loven section 28): no address is
            kept or shown.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    cpr_encrypted = models.BinaryField("CPR-nummer, krypteret", max_length=64, null=True)
    cpr_index = models.BinaryField("CPR-nummer, indeks", max_length=32, null=True, unique=True)
    first_name = models.CharField("fornavn", max_length=80)
    last_name = models.CharField("efternavn", max_length=80, blank=True, default="")
    email = models.CharField("e-mail", max_length=254, blank=True, default="")
    phone = models.CharField("telefon", max_length=20, blank=True, default="")
    protected = models.BooleanField("adressebeskyttet", default=False)

    objects = PersonQuerySet.as_manager()

    class Meta:
        verbose_name = "person"
        verbose_name_plural = "personer"
        ordering = ("last_name", "first_name")
        indexes: ClassVar = [
            models.Index(fields=["last_name", "first_name"], name="organisation_person_name")
        ]

    def __str__(self) -> str:
        return self.full_name

    @property
    def full_name(self) -> str:
        """First and last name."""
        return f"{self.first_name} {self.last_name}".strip()

    def set_cpr(self, cpr: str) -> None:
        """Give the person a CPR number; saved by the caller.

        Raises:
            sagsgang.audit.errors.InvalidIdentifierError: It is not a CPR number.
        """
        self.cpr_index = blind_index(cpr)
        self.cpr_encrypted = encrypt(cpr, bound_to=self.pk.bytes)

    def reveal_cpr(self) -> str:
        """The ten digits in clear, empty when there are none.

        Whoever shows them to somebody records it first: :func:`sagsgang.audit.trail.record_access`.

        Raises:
            sagsgang.audit.errors.UndecipherableError: The keys of the installation are not those it
                was stored with.
        """
        return (
            ""
            if self.cpr_encrypted is None
            else decrypt(self.cpr_encrypted, bound_to=self.pk.bytes)
        )

    @property
    def masked_cpr(self) -> str:
        """``ddmmyy-xxxx``, as shown on screen; empty when there is no number."""
        return "" if self.cpr_encrypted is None else mask(self.reveal_cpr())


class Employment(models.Model):
    """One employment (ansættelsesforhold) of a person in a unit, as payroll knows it.

    Attributes:
        number: The payroll system's employment number (medarbejdernummer).
        login: The user name that payroll has for the employee (userId).
        position: Job title (stilling).
        agreement: Code of the collective agreement (overenskomst) of the latest terms; empty until
            known.
        pay_grade: Payroll's text for the pay grade (løntrin).
        contract: Payroll's contract code (ansættelsesform); ``contract_text`` is its name.
        weekly_hours: Agreed hours a week (numerator).
        full_time_hours: Hours a week of a full-time position (denominator).
        hourly_paid: Paid by the hour (timelønnet), otherwise by the month.
        is_manager: Leads the unit.
        superior_level: Payroll's level of the manager.
        subordinate_level: Payroll's level of those led.
        starts: First day.
        ends: Last day, included; none while open.
        status: Cancelled (annulleret) means that payroll withdrew the record: it never was.
    """

    class Status(models.TextChoices):
        """Where the employment is in its life."""

        ACTIVE = "active", "Aktiv"
        ENDED = "ended", "Ophørt"
        CANCELLED = "cancelled", "Annulleret"

    number = models.CharField("medarbejdernummer", max_length=20, unique=True)
    person = models.ForeignKey(
        Person, verbose_name="person", on_delete=models.PROTECT, related_name="employments"
    )
    unit = models.ForeignKey(
        Unit, verbose_name="enhed", on_delete=models.PROTECT, related_name="employments"
    )
    login = models.CharField("brugernavn", max_length=60, blank=True, default="")
    position_id = models.CharField("stillingsnummer", max_length=20, blank=True, default="")
    position = models.CharField("stilling", max_length=120)
    position_short = models.CharField("stilling, kort", max_length=40, blank=True, default="")
    agreement = models.CharField("overenskomst", max_length=40, blank=True, default="")
    pay_grade = models.CharField("løntrin", max_length=80, blank=True, default="")
    contract = models.CharField("ansættelsesform", max_length=10, blank=True, default="")
    contract_text = models.CharField("ansættelsesform, navn", max_length=80, blank=True, default="")
    weekly_hours = models.DecimalField("timer om ugen", max_digits=7, decimal_places=4, default=0)
    full_time_hours = models.DecimalField(
        "fuldtidstimer om ugen", max_digits=7, decimal_places=4, default=37
    )
    hourly_paid = models.BooleanField("timelønnet", default=False)
    is_manager = models.BooleanField("leder", default=False)
    superior_level = models.CharField("lederniveau", max_length=10, blank=True, default="")
    subordinate_level = models.CharField("medarbejderniveau", max_length=10, blank=True, default="")
    starts = models.DateField("ansat fra")
    ends = models.DateField("ansat til", null=True, blank=True)
    status = models.CharField("status", max_length=10, choices=Status, default=Status.ACTIVE)

    objects = EmploymentQuerySet.as_manager()

    class Meta:
        verbose_name = "ansættelse"
        verbose_name_plural = "ansættelser"
        ordering = ("number",)
        indexes: ClassVar = [
            models.Index(
                fields=["unit"],
                name="organisation_employment_leads",
                condition=models.Q(is_manager=True),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.position}"


class EmploymentTerms(models.Model):
    """The terms of an employment in a period, as payroll gives them; a change is a new row.

    Attributes:
        valid_from: First day.
        valid_to: Last day, included; none while open.
        agreement: Code of the collective agreement.
        hourly_rate: Kroner an hour, before supplements.
        weekly_hours: Agreed hours a week.
        municipality_group: The area group that decides the pay level (områdegruppe), such as ``3``.
        pension_qualified: Has passed the qualifying time for pension (pensionskarens).
    """

    employment = models.ForeignKey(
        Employment, verbose_name="ansættelse", on_delete=models.CASCADE, related_name="terms"
    )
    valid_from = models.DateField("gælder fra")
    valid_to = models.DateField("gælder til", null=True, blank=True)
    agreement = models.CharField("overenskomst", max_length=40)
    hourly_rate = models.DecimalField("timeløn", max_digits=8, decimal_places=2)
    weekly_hours = models.DecimalField("timer om ugen", max_digits=7, decimal_places=4)
    municipality_group = models.CharField("områdegruppe", max_length=20, blank=True, default="")
    pension_qualified = models.BooleanField("pensionsberettiget", default=False)

    class Meta:
        verbose_name = "lønvilkår"
        verbose_name_plural = "lønvilkår"
        ordering = ("employment", "valid_from")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["employment", "valid_from"], name="organisation_terms_from"
            ),
            models.CheckConstraint(
                condition=models.Q(valid_to__isnull=True)
                | models.Q(valid_to__gte=models.F("valid_from")),
                name="organisation_terms_dates",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.agreement} {self.hourly_rate} kr. fra {self.valid_from}"
