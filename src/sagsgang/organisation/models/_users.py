# SPDX-License-Identifier: MPL-2.0
"""Users: who signs in."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.contrib.auth.validators import UnicodeUsernameValidator
from django.db import models

from sagsgang.organisation.models._people import Person

__all__ = ["User", "UserManager"]


class UserManager(BaseUserManager["User"]):
    """Makes users."""

    def create_user(self, username: str, password: str | None = None, **fields: Any) -> User:
        """Make a user; without a password only another way of signing in works."""
        user = self.model(username=self.model.normalize_username(username), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, username: str, password: str | None = None, **fields: Any) -> User:
        """Make a user who may do everything."""
        return self.create_user(
            username, password, **{"is_staff": True, "is_superuser": True, **fields}
        )


class User(AbstractBaseUser, PermissionsMixin):
    """Somebody who signs in.

    Attributes:
        person: Who it is in the organisation; none for a technical user.
        is_staff: May open the administration pages.
        demo: Made for demonstration; may be signed in to without a password where the installation
            allows it.
    """

    username = models.CharField(
        "brugernavn", max_length=150, unique=True, validators=[UnicodeUsernameValidator()]
    )
    person = models.ForeignKey(
        Person,
        verbose_name="person",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="users",
    )
    is_active = models.BooleanField("aktiv", default=True)
    is_staff = models.BooleanField("administrationsadgang", default=False)
    demo = models.BooleanField("demobruger", default=False)

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "username"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        verbose_name = "bruger"
        verbose_name_plural = "brugere"
        ordering = ("username",)

    def __str__(self) -> str:
        return self.username

    @property
    def full_name(self) -> str:
        """The person's name, or the user name where there is no person."""
        return self.person.full_name if self.person is not None else self.username

    def get_full_name(self) -> str:
        """The person's name; the name Django's own pages ask by."""
        return self.full_name

    def get_short_name(self) -> str:
        """The first name."""
        return self.person.first_name if self.person is not None else self.username
