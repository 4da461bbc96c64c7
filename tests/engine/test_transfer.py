# SPDX-License-Identifier: MPL-2.0
"""An installation moves to another database, whole or not at all."""

from __future__ import annotations

import sqlite3

import pytest
from django.core.management import call_command
from django.db import connections
from django.db.migrations.loader import MigrationLoader

from sagsgang import engine
from sagsgang.engine import transfer
from sagsgang.engine.models import HistoryStep, ProcessInstance

from .flows import one_job, one_user_task

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "other"])


@pytest.fixture(autouse=True, scope="module")
def second_database(tmp_path_factory, django_db_setup):
    """A second database in the settings, as an operator who moves would declare it."""
    settings = {**connections["default"].settings_dict}
    settings |= {
        "ENGINE": "sagsgang.sqlite",
        "NAME": str(tmp_path_factory.mktemp("other") / "other.sqlite3"),
        "OPTIONS": {},
    }
    connections.databases["other"] = settings
    yield
    connections["other"].close()
    del connections["other"]
    del connections.databases["other"]


@pytest.fixture
def other():
    """The second database, empty, with the same tables but those of the dispatcher."""
    for label in sorted(MigrationLoader(None).migrated_apps - {"procrastinate"}):
        call_command("migrate", label, database="other", verbosity=0)
    return "other"


def test_everything_arrives_and_is_compared(desk, other):
    desk.deploy(one_user_task())
    desk.deploy(one_job("job"))
    instance = desk.start(variables={"æøå": "1.50"})
    desk.start("job")
    copied = {each.table: each for each in transfer.copy("default", other)}
    assert copied["engine_processinstance"].rows == 2
    assert copied["engine_job"].rows == 1
    there = ProcessInstance.objects.using(other).get(pk=instance.id)
    assert there.state == ProcessInstance.objects.get(pk=instance.id).state
    assert HistoryStep.objects.using(other).count() == HistoryStep.objects.count()


def test_a_target_that_is_not_empty_is_refused_and_left_as_it_was(desk, other):
    desk.deploy(one_user_task())
    desk.start()
    transfer.copy("default", other)
    desk.start()
    with pytest.raises(transfer.TransferError, match="har rækker"):
        transfer.copy("default", other)
    assert ProcessInstance.objects.using(other).count() == 1
    assert engine.next_due() is None
    assert isinstance(connections[other].connection, sqlite3.Connection)
