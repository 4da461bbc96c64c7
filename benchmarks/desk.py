# SPDX-License-Identifier: MPL-2.0
"""Time on the server for the caseworker's pages, with 100,000 cases in SQLite.

Run: ``python benchmarks/desk.py [CASES]``. It makes an installation of its own in a
temporary folder.
Aim (issue 2): inbox and case page under 100 ms.
"""

from __future__ import annotations

import os
import random
import statistics
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ROUNDS = 30
OPEN_SHARE = 0.3
REASONS = ("long_duty", "overlap", "duplicate", "too_old", "period_closed")


def main(cases: int) -> None:
    folder = tempfile.mkdtemp(prefix="sagsgang-bench-")
    os.environ["SAGSGANG_DATA_DIR"] = folder
    os.environ["SAGSGANG_INSECURE_DEMO_USERS"] = "true"
    os.environ["DJANGO_SETTINGS_MODULE"] = "sagsgang.site.testing"
    sys.path.insert(0, str(ROOT))
    import django

    django.setup()
    from django.conf import settings
    from django.core.management import call_command
    from django.test import Client

    settings.ALLOWED_HOSTS = ["testserver"]
    call_command("migrate", verbosity=0)
    from sagsgang.cases import clock
    from sagsgang.engine.clock import ManualClock
    from tests import world as worlds

    clock.clock = ManualClock(worlds.NOW)
    world = worlds.build()
    real = worlds.order(world, worlds.duty("2025-10-02", "06:00", "20:00"))
    fill(cases, real, world)
    client = Client()
    client.force_login(world.caseworker)
    inbox = "/sagsbehandling/?fane="
    pages = {
        "inbox, mine": f"{inbox}mine",
        "inbox, unassigned": f"{inbox}ledige",
        "inbox, all": f"{inbox}alle",
        "inbox, page far down": f"{inbox}alle&efter=2025-11-01T00:00:00%2B00:00~1",
        "inbox, one reason": f"{inbox}alle&grund=too_old",
        "inbox, search by name": f"{inbox}alle&q=Navn+Prøve42",
        "inbox, search by case number": f"{inbox}alle&q=2024-01234",
        "all cases": "/sagsbehandling/sager/",
        "all cases, search by employment": "/sagsbehandling/sager/?q=20123",
        "case page": f"/sagsbehandling/sager/{real.number}/",
    }
    print(
        f"{cases:,} cases, {int(cases * OPEN_SHARE):,} open tasks, SQLite;"
        " milliseconds on the server"
    )
    for name, address in pages.items():
        took = []
        for _ in range(ROUNDS):
            start = time.perf_counter()
            answer = client.get(address)
            took.append((time.perf_counter() - start) * 1000)
            assert answer.status_code == 200, answer.status_code
        took = sorted(took)
        late = took[int(ROUNDS * 0.95) - 1]
        print(f"{name:35} median {statistics.median(took):7.1f}   p95 {late:7.1f}")


def fill(cases: int, real: object, world: object) -> None:
    """Rows as the case layer makes them, without running a flow for each."""
    from sagsgang.cases.models import Case, Task
    from sagsgang.organisation.models import Employment, Person
    from tests import world as worlds

    dice = random.Random(1)
    people = Person.objects.bulk_create(
        Person(first_name=f"Navn {n}", last_name=f"Prøve{n % 97}") for n in range(5_000)
    )
    employments = Employment.objects.bulk_create(
        Employment(
            number=str(20_000 + n),
            person=person,
            unit=world.school,
            position="Afløser",
            starts=worlds.BEGINNING,
        )
        for n, person in enumerate(people)
    )
    batch = 10_000
    for begin in range(0, cases, batch):
        made = Case.objects.bulk_create(
            Case(
                number=f"2024-{n:06d}",
                solution="timesheets",
                release=real.release,
                title=f"Timeseddel for september 2024, Navn {n % 5_000}",
                subject=people[n % 5_000],
                employment=employments[n % 5_000],
                unit=world.school,
                requester="x",
                origin="file",
                data={"employment": "1"},
                summary=real.summary,
                created_at=worlds.NOW - timedelta(minutes=cases - n),
                updated_at=worlds.NOW,
            )
            for n in range(begin, min(begin + batch, cases))
        )
        Task.objects.bulk_create(
            Task(
                case=case,
                instance=case.pk,
                wait=1,
                element="correct",
                title="Ret timesedlen",
                form="correct",
                kind="caseworker",
                solution="timesheets",
                queue="timelon",
                unit=world.school,
                reason=dice.choice(REASONS),
                status="open" if dice.random() < OPEN_SHARE else "completed",
                claimed_by=world.colleague if dice.random() < 0.2 else None,
                due=case.created_at + timedelta(days=dice.randrange(1, 90)),
                created_at=case.created_at,
            )
            for case in made
        )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
