# SPDX-License-Identifier: MPL-2.0
"""What commits cost, whoever makes them: counted by the databases themselves."""

from __future__ import annotations

import time
from pathlib import Path
from urllib.parse import urlsplit

# https://www.sqlite.org/walformat.html: the wal-index counts transactions at byte 8, in the
# machine's order; https://www.sqlite.org/fileformat.html: the file itself at byte 24, big-endian.
_IN_WAL_INDEX = slice(8, 12)
_IN_FILE = slice(24, 28)


def counts(database: str | Path, *, settle: bool = False) -> dict[str, int]:
    """Transactions that wrote, so far; on PostgreSQL also all of them, and syncs of the log.

    On PostgreSQL, what has written is what took a transaction number (``commits``), and
    ``xact_commit`` counts this database's reading transactions too (``transactions``). Numbers and
    syncs are those of the whole server, so let nothing else run. They are looked up from another
    database, where looking does not count. SQLite counts the transactions that write; the file
    must be open.

    Args:
        database: Address on PostgreSQL, or file of SQLite.
        settle: Wait until busy connections have told their numbers, which they do each second.
    """
    if isinstance(database, Path):
        index = database.with_name(database.name + "-shm")
        if index.exists() and index.stat().st_size:
            import sys

            return {"commits": int.from_bytes(_bytes(index)[_IN_WAL_INDEX], sys.byteorder)}
        return {"commits": int.from_bytes(_bytes(database)[_IN_FILE], "big")}
    import psycopg

    if settle:
        time.sleep(1.5)
    elsewhere = urlsplit(database)._replace(path="/postgres").geturl()
    with psycopg.connect(elsewhere, autocommit=True) as connection:
        [(number, transactions, syncs)] = connection.execute(
            "SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint, xact_commit, wal_sync "
            "FROM pg_stat_database, pg_stat_wal WHERE datname = %s",
            [urlsplit(database).path.lstrip("/")],
        ).fetchall()
    return {"commits": int(number), "transactions": int(transactions), "syncs": int(syncs)}


def _bytes(file: Path) -> bytes:
    with file.open("rb") as opened:
        return opened.read(32)


def per_instance(before: dict[str, int], after: dict[str, int], count: int) -> dict[str, float]:
    """What ``counts`` gave before and after so many instances, for each of them."""
    return {
        f"{name}_per_instance": round((after[name] - before[name]) / count, 3) for name in before
    }
