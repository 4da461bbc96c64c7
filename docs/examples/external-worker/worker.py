# SPDX-License-Identifier: MPL-2.0
"""A worker outside Sagsgang: fetches jobs over the API, does them, and says how they ended.

    SAGSGANG_URL=https://sagsgang.example.dk SAGSGANG_KEY=... OLD_SYSTEM=... python worker.py

Needs Python and httpx. Run as many as you like: a job is given to one at a time. A worker that is
killed keeps nobody waiting: its locks end, and another gets its jobs under the same keys. While
Sagsgang is restarted it waits; with a key that opens nothing it ends.
"""

import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx

LOCK_SECONDS = int(os.environ.get("LOCK_SECONDS", "60"))
WORKER = os.environ.get("WORKER", f"{socket.gethostname()}-{os.getpid()}")[:39]

api = httpx.Client(
    base_url=os.environ["SAGSGANG_URL"] + "/api/v1",
    headers={"Authorization": f"Bearer {os.environ['SAGSGANG_KEY']}"},
    timeout=60,
)
old_system = httpx.Client(base_url=os.environ["OLD_SYSTEM"], timeout=600)


PAUSE = 5


def call(path: str, body: dict, key: str = "") -> httpx.Response:
    """Call again while there is no answer, or one that says: later.

    The key makes a call that was carried out, but whose answer was lost, have no second effect.
    """
    while True:
        try:
            answer = api.post(path, json=body, headers={"Idempotency-Key": key} if key else {})
        except httpx.TransportError:
            time.sleep(PAUSE)
            continue
        if answer.status_code not in (429, 502, 503, 504):
            return answer
        time.sleep(float(answer.headers.get("Retry-After", PAUSE)))


class SoldOutError(Exception):
    """What the model knows how to go on from."""


def book(job: dict) -> dict:
    """Do the work. The key makes it safe to do again: the old system knows it from last time."""
    answer = old_system.put(f"/bookings/{job['idempotency_key']}", json=job["inputs"])
    if answer.status_code == 410:
        raise SoldOutError
    answer.raise_for_status()
    return {"receipt": answer.json()["number"]}


@contextmanager
def held(job: dict) -> Iterator[None]:
    """Extend the lock while the work lasts."""
    done = threading.Event()

    def extend() -> None:
        while not done.wait(LOCK_SECONDS / 3):
            call(f"/jobs/{job['id']}/extend", {"lock": job["lock"], "lock_seconds": LOCK_SECONDS})

    threading.Thread(target=extend, daemon=True).start()
    try:
        yield
    finally:
        done.set()


def end(job: dict, how: str, **facts: object) -> None:
    """Say how the job ended; 409 says that it is no longer ours, and then nothing is lost."""
    answer = call(f"/jobs/{job['id']}/{how}", {"lock": job["lock"], **facts}, key=job["lock"])
    if answer.status_code != 409:
        answer.raise_for_status()


def work(job: dict) -> None:
    """One job from beginning to end."""
    try:
        with held(job):
            result = book(job)
    except SoldOutError:
        end(job, "error", code="sold-out", message="Varen er udsolgt.")
    except httpx.HTTPError as error:
        end(job, "fail", code="old-system", message=f"Indkøbssystemet: {type(error).__name__}.")
    else:
        end(job, "complete", variables=result)


if __name__ == "__main__":
    asked = {
        "worker": WORKER,
        "types": ["book-equipment"],
        "max_jobs": 1,
        "lock_seconds": LOCK_SECONDS,
        "wait_seconds": 30,
    }
    while True:
        fetched = call("/jobs/fetch", asked)
        fetched.raise_for_status()
        for each in fetched.json()["jobs"]:
            work(each)
