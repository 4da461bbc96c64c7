# SPDX-License-Identifier: MPL-2.0
"""Replacing the key that CPR numbers are stored with."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from sagsgang.audit.errors import UndecipherableError
from sagsgang.audit.models import Entry
from sagsgang.organisation.cli import app
from sagsgang.organisation.models import Person
from sagsgang.organisation.rekeying import reencrypt


@pytest.fixture
def old_key(org, settings):
    """A person stored with a key that has been replaced since."""
    person = org.person()
    person.set_cpr("7101900001")
    person.save()
    org.person("Uden nummer")
    key = settings.SAGSGANG_IDENTIFIER_KEY
    settings.SAGSGANG_IDENTIFIER_KEY = b"n" * 32
    return key


def test_numbers_are_written_with_the_new_key(old_key, settings, now):
    settings.SAGSGANG_RETIRED_IDENTIFIER_KEYS = (old_key,)
    assert reencrypt(now) == 1
    del settings.SAGSGANG_RETIRED_IDENTIFIER_KEYS
    assert Person.objects.get(cpr_index__isnull=False).reveal_cpr() == "7101900001"
    assert Entry.objects.get().data == {"people": 1}


def test_a_second_run_has_nothing_to_do(old_key, settings, now):
    settings.SAGSGANG_RETIRED_IDENTIFIER_KEYS = (old_key,)
    reencrypt(now)
    assert reencrypt(now) == 0


def test_without_the_old_key_nothing_is_lost(old_key, now):
    before = bytes(Person.objects.get(cpr_index__isnull=False).cpr_encrypted)
    with pytest.raises(UndecipherableError):
        reencrypt(now)
    assert bytes(Person.objects.get(cpr_index__isnull=False).cpr_encrypted) == before


def test_the_command_says_how_many(old_key, settings):
    assert CliRunner().invoke(app, ["reencrypt"]).exit_code == 1
    settings.SAGSGANG_RETIRED_IDENTIFIER_KEYS = (old_key,)
    result = CliRunner().invoke(app, ["reencrypt"])
    assert result.output == "1 CPR-numre er krypteret med den nye nøgle.\n"
