# SPDX-License-Identifier: MPL-2.0
"""New databases on the PostgreSQL server that the tests may use."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest

__all__ = ["SERVER", "new_database"]

SERVER = os.environ.get("SAGSGANG_TEST_POSTGRES", "postgresql://postgres@127.0.0.1:5432/postgres")


@contextmanager
def new_database(template: str = "") -> Iterator[str]:
    """The address of a database that is gone afterwards; skips where no server answers.

    Empty, or a copy of the database at another address, to which nobody may be connected.
    Commits do not wait for the disk: tests that crash the server have one of their own.
    """
    name = f"sagsgang_{uuid.uuid4().hex[:12]}"
    try:
        server = psycopg.connect(SERVER, autocommit=True, connect_timeout=30)
    except psycopg.OperationalError:
        absence = "PostgreSQL does not answer; set SAGSGANG_TEST_POSTGRES to a server."
        if "postgres" in os.environ.get("SAGSGANG_REQUIRE", "").split(","):
            pytest.fail(f"SAGSGANG_REQUIRE asks for postgres, but {absence}", pytrace=False)
        pytest.skip(absence)
    with server:
        like = f' TEMPLATE "{template.rpartition("/")[2]}"' if template else ""
        server.execute(f'CREATE DATABASE "{name}"{like}')
        server.execute(f'ALTER DATABASE "{name}" SET synchronous_commit = off')
    try:
        yield f"{SERVER.rsplit('/', 1)[0]}/{name}"
    finally:
        with psycopg.connect(SERVER, autocommit=True) as server:
            server.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
