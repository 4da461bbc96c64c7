# SPDX-License-Identifier: MPL-2.0
"""Every page, on a screen and on a phone, against WCAG 2.2 A and AA as far as axe-core can see."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from sagsgang.cases.models import Task
from tests import world as worlds
from tests.e2e.conftest import Site
from tests.world import World, duty

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

RULES = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
}


def faults(page: Page) -> list[str]:
    """What axe finds, in one line each."""
    # The diagram repeats the list of steps beside it; its mark of origin must stay as it is.
    answer = Axe().run(page, context={"exclude": [[".diagram"]]}, options=RULES)
    found = answer.response["violations"]
    return [
        f"{violation['id']}: {node['target']}: {node['failureSummary']}"
        for violation in found
        for node in violation["nodes"]
    ]


def too_wide(page: Page) -> bool:
    """Whether the page has to be scrolled sideways (WCAG 1.4.10)."""
    return bool(
        page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
    )


@pytest.fixture
def pages(world: World) -> dict[str, list[str]]:
    """Addresses by the user who may open them."""
    waiting = worlds.order(world, key="a")
    stopped = worlds.order(world, duty("2025-10-02", "06:00", "20:00"), key="b")
    approval = Task.objects.get(case=waiting)
    return {
        "employee": [
            "/",
            "/bestil/timesheets/",
            "/bestil/timesheets/udfyld/",
            "/bestil/timesheets/fil/",
            "/sager/",
            f"/sager/{waiting.number}/",
            f"/kvittering/{waiting.number}/",
            "/hjaelp/",
            "/was/",
        ],
        "manager": ["/", "/godkend/", f"/godkend/{approval.pk}/"],
        "caseworker": [
            "/sagsbehandling/",
            "/sagsbehandling/?fane=ledige",
            f"/sagsbehandling/sager/{stopped.number}/",
            "/sagsbehandling/sager/",
        ],
    }


@pytest.mark.parametrize("width", [1280, 360])
def test_no_page_has_faults_that_can_be_found_automatically(
    site: Site, world: World, pages: dict[str, list[str]], width: int
) -> None:
    found: dict[str, list[str]] = {}
    for name, addresses in pages.items():
        page = site.open_as(world.users[name], width=width)
        for address in addresses:
            page.goto(site.url + address)
            wrong = faults(page)
            if too_wide(page):
                wrong.append("the page is wider than the screen")
            if wrong:
                found[f"{name} {address}"] = wrong
    assert found == {}


def test_the_sign_in_page_and_a_form_with_faults_are_accessible(site: Site, world: World) -> None:
    page = site.open_as(world.employee, "/bestil/timesheets/udfyld/")
    page.get_by_role("button", name="Videre").click()
    page.wait_for_selector("[data-module=error-summary]")
    assert faults(page) == []
    page.get_by_role("button", name="Log ud").click()
    page.wait_for_url("**/log-ind/")
    assert faults(page) == []
