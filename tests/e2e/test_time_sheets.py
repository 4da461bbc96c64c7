# SPDX-License-Identifier: MPL-2.0
"""Time sheets from hand to hand, as people meet them in a browser."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect

from sagsgang.cases.models import Case
from tests import world as worlds
from tests.e2e.conftest import Site
from tests.world import World, duty

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

Picture = Callable[[Page, str], None]


def fill_duty(page: Page, row: int, day: str, start: str, end: str) -> None:
    line = page.get_by_role("group", name=f"Vagt {row}")
    line.get_by_label("Dato").fill(day)
    line.get_by_label("Start").fill(start)
    line.get_by_label("Slut").fill(end)


def test_a_time_sheet_goes_from_the_employee_over_the_manager_to_payroll(
    site: Site, world: World, picture: Picture
) -> None:
    page = site.open_as(world.employee)
    picture(page, "portal-forside")
    page.get_by_role("link", name="Timesedler").click()
    page.get_by_role("link", name="Start").click()
    fill_duty(page, 1, "2025-10-01", "15", "2200")
    page.get_by_role("button", name="Tilføj vagt").click()
    expect(page.get_by_role("group", name="Vagt 2")).to_be_focused()
    fill_duty(page, 2, "2025-10-02", "8.00", "12:30")
    picture(page, "portal-timeseddel")
    page.get_by_role("button", name="Videre").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Se efter, om det er rigtigt")
    expect(page.get_by_text("22:00")).to_be_visible()
    picture(page, "portal-se-efter")
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.get_by_text("Vi har modtaget det, du sendte")).to_be_visible()
    picture(page, "portal-kvittering")
    case = Case.objects.get()
    expect(page.get_by_text(case.number)).to_be_visible()

    phone = site.open_as(world.manager, "/godkend/", width=360, height=740)
    expect(phone.get_by_text("2 vagter står ikke i vagtplanen")).to_be_visible()
    picture(phone, "portal-godkend-telefon")
    phone.get_by_role("button", name="Godkend").click()
    expect(phone.get_by_text("Sådan gik det")).to_be_visible()

    for _ in range(5):
        site.work()
        site.clock.advance(timedelta(minutes=1))
        site.control.set_clock(site.clock.now())
    page.goto(f"{site.url}/sager/{case.number}/")
    expect(page.get_by_text("Afsluttet").first).to_be_visible()
    expect(page.get_by_text("Aftentillæg: 5 timer à 35,12 % af 160,00 kr.")).to_be_visible()
    picture(page, "portal-sag")
    case.refresh_from_db()
    assert case.status == Case.Status.COMPLETED
    lines = site.control.lines()
    assert [line["employment"] for line in lines] == ["10001"] * len(lines)
    paid = sum(float(line["amount"]) for line in lines)
    assert f"{paid:.2f}" == f"{float(case.summary['Beløb']):.2f}"


def test_an_exception_goes_to_a_caseworker_who_asks_and_ends_with_pay(
    site: Site, world: World, picture: Picture
) -> None:
    case = worlds.order(world, duty("2025-10-02", "06:00", "20:00"))
    desk = site.open_as(world.caseworker, "/sagsbehandling/?fane=ledige")
    expect(desk.get_by_text("En vagt er længere end 13 timer.").last).to_be_visible()
    picture(desk, "desk-indbakke")
    desk.get_by_role("link", name=case.title).click()
    desk.get_by_role("button", name="Tag opgaven").click()
    expect(desk.get_by_text("Du har opgaven")).to_be_visible()
    expect(desk.locator("[data-diagram][data-shown=yes]")).to_be_attached()
    assert desk.locator(".djs-element.flow-active").count() == 1
    picture(desk, "desk-sag")
    desk.get_by_label("Begrundelse").fill("Gik du hjem klokken 20, eller er det en fejl?")
    desk.get_by_role("button", name="Spørg medarbejderen").click()

    page = site.open_as(world.employee)
    page.get_by_role("link", name="Svar på spørgsmål om timesedlen").click()
    expect(page.get_by_text("Gik du hjem klokken 20, eller er det en fejl?")).to_be_visible()
    picture(page, "portal-spoergsmaal")
    page.get_by_label("Slut").fill("14:00")
    page.get_by_role("button", name="Send timesedlen igen").click()
    expect(page.get_by_text("Det er sendt.").first).to_be_visible()

    manager = site.open_as(world.manager, "/godkend/")
    manager.get_by_role("button", name="Godkend").click()
    expect(manager.get_by_text("Sådan gik det")).to_be_visible()
    for _ in range(5):
        site.work()
        site.clock.advance(timedelta(minutes=1))
        site.control.set_clock(site.clock.now())
    case.refresh_from_db()
    assert case.status == Case.Status.COMPLETED
    assert sum(float(line["amount"]) for line in site.control.lines()) == pytest.approx(1280)
    desk.goto(f"{site.url}/sagsbehandling/sager/{case.number}/")
    expect(desk.get_by_text("Sagen er afsluttet.").first).to_be_visible()


def test_a_time_sheet_is_sent_with_the_keyboard_alone(site: Site, world: World) -> None:
    page = site.open_as(world.employee, "/bestil/timesheets/udfyld/")
    page.keyboard.press("Tab")
    expect(page.locator(":focus")).to_have_text("Gå til sidens indhold")
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()
    page.get_by_label("Dato").fill("2025-10-01")
    page.get_by_label("Dato").focus()
    # A date has one stop for each of day, month and year, and one for its calendar.
    while page.evaluate("document.activeElement.name") != "lines.0.start":
        page.keyboard.press("Tab")
    page.keyboard.type("0800")
    page.keyboard.press("Tab")
    page.keyboard.type("1600")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Se efter, om det er rigtigt")
    page.get_by_role("button", name="Send", exact=True).focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("Vi har modtaget det, du sendte")).to_be_visible()
    assert Case.objects.count() == 1


def test_everything_a_requester_and_an_approver_do_works_without_javascript(
    site: Site, world: World
) -> None:
    page = site.open_as(world.employee, "/bestil/timesheets/udfyld/", script=False)
    fill_duty(page, 1, "2025-10-01", "15:00", "22:00")
    page.get_by_role("button", name="Tilføj vagt").click()
    fill_duty(page, 2, "2025-10-02", "15:00", "")
    page.get_by_role("button", name="Videre").click()
    expect(page.get_by_role("link", name="Vagt 2, Slut: Udfyld klokkeslættet.")).to_be_visible()
    page.get_by_role("button", name="Fjern Vagt 2").click()
    expect(page.get_by_role("group", name="Vagt 2")).to_have_count(0)
    page.get_by_role("button", name="Videre").click()
    page.get_by_role("button", name="Ret").click()
    expect(page.get_by_label("Slut")).to_have_value("22:00")
    page.get_by_role("button", name="Videre").click()
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.get_by_text("Vi har modtaget det, du sendte")).to_be_visible()
    manager = site.open_as(world.manager, "/godkend/", script=False)
    manager.get_by_text("Send tilbage").first.click()
    manager.get_by_label("Hvorfor?").fill("Du gik klokken 21.")
    manager.get_by_role("button", name="Send tilbage").click()
    expect(manager.get_by_text("Sådan gik det")).to_be_visible()
    assert Case.objects.get().tasks.filter(status="open", kind="requester").exists()


def test_a_fault_takes_the_focus_and_leads_to_its_field(
    site: Site, world: World, picture: Picture
) -> None:
    page = site.open_as(world.employee, "/bestil/timesheets/udfyld/")
    fill_duty(page, 1, "2025-10-01", "15:00", "25:00")
    page.get_by_role("button", name="Videre").click()
    summary = page.locator("[data-module=error-summary]")
    expect(summary).to_be_focused()
    expect(page).to_have_title("Fejl: Timesedler: udfyld – Prøvelev Kommune")
    picture(page, "portal-fejl")
    summary.get_by_role("link").first.click()
    expect(page.get_by_label("Slut")).to_be_focused()
