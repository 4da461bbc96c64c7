# SPDX-License-Identifier: MPL-2.0
"""A real browser against a live server, with the payroll simulator behind it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from sagsgang.cases import systems
from sagsgang.connectors.payroll import EmploymentTerms, Period, PeriodState
from sagsgang.engine.clock import ManualClock
from sagsgang.engine.worker import Worker
from sagsgang.organisation.models import EmploymentTerms as StoredTerms
from sagsgang.organisation.models import User
from sagsgang.simulators.payroll import PayrollControl, serve_payroll
from sagsgang.solutions.timesheets.parameters import rulebook
from tests import world as worlds
from tests.simulators.support import opus
from tests.webfixtures import as_user, time

__all__ = ["as_user", "time"]

PICTURES = Path(__file__).resolve().parents[2] / "docs" / "pictures"
PATIENCE = 60_000
"""Milliseconds after which a page is given up, also on a machine that has much else to do."""
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
    "--no-first-run",
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """The system's Chromium.

    Playwright keeps an event loop in this thread, in which Django would refuse to work; it ends
    with the module, so that no other test meets it.
    """
    found = next(
        path
        for name in ("chromium", "chromium-browser", "google-chrome")
        if (path := shutil.which(name))
    )
    expect.set_options(timeout=PATIENCE)
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        launched = playwright.chromium.launch(
            executable_path=found, args=ARGUMENTS, timeout=2 * PATIENCE
        )
        yield launched
        launched.close()


@pytest.fixture
def world(browser: Browser, transactional_db: None, time: ManualClock) -> worlds.World:
    """A small municipality."""
    return worlds.build()


@dataclass(frozen=True)
class Site:
    """The live site as a person meets it.

    Attributes:
        url: Address of the live server.
        browser: The browser.
        control: Control of the payroll simulator.
        clock: The installation's clock.
    """

    url: str
    browser: Browser
    control: PayrollControl
    clock: ManualClock

    def open_as(
        self,
        user: User,
        path: str = "/",
        *,
        width: int = 1280,
        height: int = 900,
        script: bool = True,
    ) -> Page:
        """A new browser window, signed in through the page as a demo user.

        Everything that the content security policy stops, or that fails in a script, fails the
        test.
        """
        context = self.browser.new_context(
            viewport={"width": width, "height": height},
            locale="da-DK",
            java_script_enabled=script,
            reduced_motion="reduce",
        )
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        page.on("pageerror", lambda error: pytest.fail(f"a script failed: {error}"))
        page.on(
            "console",
            lambda message: (
                pytest.fail(f"the console says: {message.text}")
                if "Content Security Policy" in message.text
                else None
            ),
        )
        page.goto(f"{self.url}/log-ind/?next={path}")
        page.locator(f'button[name="user"][value="{user.username}"]').click()
        page.wait_for_url(f"{self.url}{path}")
        return page

    def work(self) -> None:
        """Let the background work be done, as far as it can be at this time."""
        Worker(threads=0, clock=self.clock).run_until_idle()


@pytest.fixture
def site(
    live_server: object,
    browser: Browser,
    world: worlds.World,
    time: ManualClock,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Site]:
    """The site with a payroll system that knows the world's employments."""
    with serve_payroll() as url, opus(url) as payroll, PayrollControl(url) as control:
        control.set_clock(worlds.NOW)
        stored = StoredTerms.objects.select_related("employment__unit").get()
        control.load_employments(
            [
                EmploymentTerms(
                    number=stored.employment.number,
                    valid_from=stored.valid_from,
                    agreement=stored.agreement,
                    hourly_rate=stored.hourly_rate,
                    weekly_hours=stored.weekly_hours,
                    wage_step="",
                    unit=stored.employment.unit.external_id,
                    cost_center=stored.employment.unit.cost_center,
                    starts=stored.employment.starts,
                    hourly_paid=True,
                )
            ]
        )
        control.load_wage_codes(wage_codes())
        control.load_accounts([stored.employment.unit.cost_center])
        control.load_periods(
            [
                Period(
                    month="2025-10",
                    state=PeriodState.OPEN,
                    closes_at=worlds.NOW.replace(month=11, day=8),
                )
            ]
        )
        monkeypatch.setattr(systems, "payroll", lambda: payroll)
        yield Site(str(live_server), browser, control, time)


def wage_codes() -> dict[str, str]:
    """The wage codes of the agreements."""
    agreement = rulebook().agreement("KL-79.01")
    return {code: name for name, code in agreement.wage_codes.items()}


@pytest.fixture
def picture() -> Callable[[Page, str], None]:
    """Takes a picture for the documentation when ``SAGSGANG_PICTURES`` is set, so that a test run
    leaves no trace.
    """

    def take(page: Page, name: str) -> None:
        if os.environ.get("SAGSGANG_PICTURES"):
            PICTURES.mkdir(parents=True, exist_ok=True)
            page.screenshot(path=PICTURES / f"{name}.png", full_page=True)

    return take
