# SPDX-License-Identifier: MPL-2.0
"""Ordering in the portal: form, summary, receipt; files with a trial run first."""

from __future__ import annotations

import html
import os
import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from pytest_django import Settings

from sagsgang.cases.models import Case, Submission
from tests.world import World

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _storage(settings: Settings, tmp_path: Path) -> None:
    """A folder for uploaded files that no other test sees."""
    settings.STORAGES = {
        **settings.STORAGES,
        "default": {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": str(tmp_path)},
        },
    }


AsUser = Callable[..., Client]
FORM = "/bestil/timesheets/udfyld/"
FILE = "/bestil/timesheets/fil/"
GOOD = {
    "employment": "10001",
    "lines.0": "row",
    "lines.0.date": "2025-10-01",
    "lines.0.start": "15",
    "lines.0.end": "22",
    "lines.0.break_minutes": "0",
    "lines.0.kind": "ordinary",
    "lines.0.work": "normal",
}


def text_of(answer: object) -> str:
    return html.unescape(answer.content.decode())  # type: ignore[attr-defined]


def upload(client: Client, content: str, name: str = "oktober.csv") -> str:
    file = SimpleUploadedFile(name, content.encode())
    answer = client.post(FILE, {"file": file})
    assert answer.status_code == 302
    return answer.headers["Location"]


CSV = (
    "Timeseddel;Medarbejdernummer;Dato;Start;Slut;Pause\r\n"
    "A;10001;01-10-2025;15:00;22:00;0\r\n"
    "B;10001;02-10-2025;25:00;26:00;0\r\n"
)


def test_nothing_is_sent_before_one_says_so(world: World, as_user: AsUser) -> None:
    client = as_user(world.employee)
    summary = text_of(client.post(FORM, GOOD))
    assert "Intet er sendt endnu." in summary
    assert "01-10-2025" in summary
    assert not Case.objects.exists()


def test_what_was_looked_over_is_what_is_sent(world: World, as_user: AsUser) -> None:
    client = as_user(world.employee)
    summary = text_of(client.post(FORM, {**GOOD, "_key": "k1"}))
    carried = dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', summary))
    answer = client.post(FORM, {**carried, "_step": "send"})
    case = Case.objects.get()
    assert answer.headers["Location"] == f"/kvittering/{case.number}/"
    assert case.data["lines"][0]["start"] == "15:00"
    receipt = text_of(client.get(answer.headers["Location"]))
    assert case.number in receipt
    assert "Venter på, at din leder godkender" in receipt


def test_sending_the_same_page_twice_makes_one_case(world: World, as_user: AsUser) -> None:
    client = as_user(world.employee)
    sent = {**GOOD, "_key": "k1", "_step": "send"}
    first, second = client.post(FORM, sent), client.post(FORM, sent)
    assert first.headers["Location"] == second.headers["Location"]
    assert Case.objects.count() == 1


def test_a_fault_found_behind_the_form_is_shown_at_its_field(world: World, as_user: AsUser) -> None:
    answer = as_user(world.employee).post(
        FORM, {**GOOD, "employment": "99999", "_key": "k", "_step": "send"}
    )
    assert answer.status_code == 422
    assert 'href="#f-employment"' in text_of(answer)
    assert "Medarbejdernummeret findes ikke." in text_of(answer)
    assert not Case.objects.exists()


def test_one_cannot_send_for_somebody_one_has_nothing_to_do_with(
    world: World, as_user: AsUser
) -> None:
    answer = as_user(world.outsider).post(FORM, {**GOOD, "_step": "send"})
    assert answer.status_code == 422
    assert not Case.objects.exists()


def test_going_back_to_correct_keeps_what_was_written(world: World, as_user: AsUser) -> None:
    again = text_of(as_user(world.employee).post(FORM, {**GOOD, "_step": "edit"}))
    assert 'name="lines.0.start" value="15"' in again


def test_a_receipt_is_only_for_the_sender(world: World, as_user: AsUser) -> None:
    client = as_user(world.employee)
    where = client.post(FORM, {**GOOD, "_step": "send"}).headers["Location"]
    assert as_user(world.outsider).get(where).status_code == 404


def test_a_file_is_tried_first_and_then_sent_without_its_faulty_rows(
    world: World, as_user: AsUser
) -> None:
    client = as_user(world.employee)
    where = upload(client, CSV)
    tried = text_of(client.get(where))
    assert "Send 1 og udelad 1" in tried
    assert "<td>3</td>" in tried
    assert not Case.objects.exists()
    answer = client.post(where)
    receipt = text_of(client.get(answer.headers["Location"]))
    assert Case.objects.count() == 1
    assert "Vi har modtaget oktober.csv" in receipt
    report = client.get(answer.headers["Location"] + "rapport.csv")
    assert report.content.startswith("\ufeff".encode())
    assert Case.objects.get().number in report.content.decode()


def test_the_report_of_a_trial_can_be_fetched(world: World, as_user: AsUser) -> None:
    client = as_user(world.employee)
    report = client.get(upload(client, CSV, "=ondt().csv") + "rapport.csv")
    assert report.headers["Content-Disposition"] == 'attachment; filename="rapport--ondt-.csv"'


def test_a_tried_file_is_only_there_for_the_one_who_sent_it(world: World, as_user: AsUser) -> None:
    where = upload(as_user(world.employee), CSV)
    assert as_user(world.manager).get(where).status_code == 404


def test_a_file_that_was_tried_and_never_sent_is_removed_after_a_day(
    world: World, as_user: AsUser
) -> None:
    client = as_user(world.employee)
    where = upload(client, CSV)
    (stored,) = (
        default_storage.path(f"uploads/{name}") for name in default_storage.listdir("uploads")[1]
    )
    long_ago = time.time() - 2 * 24 * 60 * 60
    os.utime(stored, (long_ago, long_ago))
    upload(client, CSV)
    assert client.get(where).status_code == 404


def test_a_submission_is_only_shown_to_its_sender(world: World, as_user: AsUser) -> None:
    client = as_user(world.employee)
    client.post(upload(client, CSV))
    submission = Submission.objects.get()
    for where in (f"/indsendelser/{submission.pk}/", f"/indsendelser/{submission.pk}/rapport.csv"):
        assert client.get(where).status_code == 200
        assert as_user(world.manager).get(where).status_code == 404


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("x.exe", "a", "Vælg en fil, der ender på"),
        ("x.csv", "", "Filen er tom."),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_at_once(
    world: World, as_user: AsUser, name: str, content: str, says: str
) -> None:
    file = SimpleUploadedFile(name, content.encode())
    answer = as_user(world.employee).post(FILE, {"file": file})
    assert answer.status_code == 422
    assert says in text_of(answer)


def test_no_file_is_no_file(world: World, as_user: AsUser) -> None:
    assert "Vælg en fil." in text_of(as_user(world.employee).post(FILE))


@pytest.mark.parametrize("content", ["\x00\x01\x02", "hej med dig", "Dato;Dato\n1;2\n", "\n\n"])
def test_a_file_with_nothing_usable_says_so_and_offers_no_sending(
    world: World, as_user: AsUser, content: str
) -> None:
    client = as_user(world.employee)
    tried = text_of(client.get(upload(client, content)))
    assert "Det skal rettes" in tried
    assert ">Send" not in tried
