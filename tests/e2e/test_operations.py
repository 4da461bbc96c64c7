# SPDX-License-Identifier: MPL-2.0
"""Operations in a browser: three hundred incidents of one cause before breakfast."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect

from sagsgang import engine
from sagsgang.engine.models import Incident, ProcessInstance
from sagsgang.organisation.models import User
from tests import operating
from tests import world as worlds
from tests.e2e.conftest import Site
from tests.e2e.test_accessibility import faults, too_wide
from tests.world import World, duty

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

DRIFT = "/sagsbehandling/drift/"
Picture = Callable[[Page, str], None]


@pytest.fixture
def payroll() -> Iterator[operating.Payroll]:
    handler = operating.Payroll()
    engine.register_handler("payroll-test", engine.HandlerSpec(handler))
    yield handler
    engine.unregister_handler("payroll-test")


@pytest.fixture
def operator(world: World) -> User:
    return operating.operator()


def test_three_hundred_of_one_cause_are_one_problem(
    site: Site, world: World, operator: User, payroll: operating.Payroll, picture: Picture
) -> None:
    worlds.order(world, duty("2025-10-02", "06:00", "20:00"), key="b")
    operating.stopped(site.clock, 300)
    operating.waiting(site.clock, 4)
    operating.later(site.clock, hours=9)
    operating.worker_alive(site.clock)
    page = site.open_as(operator, DRIFT)
    picture(page, "drift")
    payroll.down = False
    page.get_by_role("button", name="Prøv alle 300 igen").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Prøv igen: 300 instanser")
    page.get_by_role("button", name="Prøv igen: 300").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Prøv igen: udført")
    operating.work(site.clock)
    assert Incident.objects.filter(resolved_at=None).count() == 0
    assert len(payroll.sent) == 300


def test_a_token_is_moved_by_a_click_in_the_diagram(
    site: Site, operator: User, payroll: operating.Payroll, picture: Picture
) -> None:
    [instance] = operating.stopped(site.clock, 1)
    page = site.open_as(operator, f"{DRIFT}instanser/{instance}/")
    page.wait_for_selector("[data-shown=yes]")
    picture(page, "drift-instans")
    page.locator('.diagram [data-element-id="archive"] .djs-hit').first.click()
    expect(page.get_by_label("Til lige før")).to_have_value("archive")
    page.get_by_label("Begrundelse", exact=True).locator("visible=true").fill("Sendt i hånden")
    page.get_by_role("button", name="Flyt", exact=True).click()
    expect(page.get_by_role("status")).to_contain_text("venter ved »Task archive«")


def test_fields_of_a_variable_unfold_by_the_keyboard_without_script(
    site: Site, world: World, operator: User
) -> None:
    case = worlds.order(world, duty("2025-10-02", "06:00", "20:00"), key="b")
    page = site.open_as(operator, f"{DRIFT}instanser/{case.process_instance}/", script=False)
    field = page.get_by_text("unit_name", exact=True).first
    expect(field).to_be_hidden()
    page.locator("summary", has_text="facts").first.focus()
    page.keyboard.press("Enter")
    expect(field).to_be_visible()


def test_instances_move_to_another_version_without_script(
    site: Site, operator: User, payroll: operating.Payroll, picture: Picture
) -> None:
    operating.waiting(site.clock, 5)
    engine.deploy(operating.second_version(), now=site.clock.now())
    page = site.open_as(operator, DRIFT, script=False)
    page.goto(f"{site.url}{DRIFT}flyt/?proces=salary&fra=1&til=2")
    expect(page.get_by_label("Task check").first).to_have_value("checking")
    page.get_by_label("Begrundelse").fill("Ny lovgivning")
    page.get_by_role("button", name="Flyt 5").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Flyt til anden version: udført")
    versions = ProcessInstance.objects.values_list("definition__version", flat=True)
    assert list(versions) == [2] * 5
    page.get_by_role("button", name="Flyt tilbage til version 1").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Flyt til anden version: i gang")
    page.get_by_role("button", name="Fortsæt").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Flyt til anden version: udført")
    assert list(versions.all()) == [1] * 5


@pytest.mark.parametrize("width", [1280, 360])
def test_the_pages_have_no_faults_that_can_be_found_automatically(
    site: Site, operator: User, payroll: operating.Payroll, picture: Picture, width: int
) -> None:
    [instance, _] = operating.stopped(site.clock, 2)
    operating.waiting(site.clock, 2)
    engine.deploy(operating.second_version(), now=site.clock.now())
    operating.worker_alive(site.clock)
    page = site.open_as(operator, DRIFT, width=width)
    found: dict[str, list[str]] = {}
    for name, address in {
        "drift": DRIFT,
        "instanser": f"{DRIFT}instanser/?proces=salary",
        "instans": f"{DRIFT}instanser/{instance}/",
        "flyt": f"{DRIFT}flyt/?proces=salary&fra=1&til=2",
    }.items():
        page.goto(site.url + address)
        if name in {"instans", "flyt"}:
            page.wait_for_selector("[data-shown=yes]")
        if width > 1000 and name in {"instanser", "flyt"}:
            picture(page, f"drift-{name}")
        wrong = faults(page)
        if too_wide(page):
            wrong.append("the page is wider than the screen")
        if wrong:
            found[name] = wrong
    assert found == {}
