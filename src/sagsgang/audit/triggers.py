# SPDX-License-Identifier: MPL-2.0
"""Database triggers that refuse changes to the audit trail, whoever makes them.

An entry is never updated. It can be deleted only when its block has been marked as purged, and a
block can be changed only by marking it so. Somebody who may change the schema can of course remove
the triggers; the hash chain then tells.
"""

from __future__ import annotations

from typing import Final

from django.db.backends.base.base import BaseDatabaseWrapper

__all__ = ["create", "drop", "present"]

_MESSAGE: Final = "The audit trail is append-only."
_NAMES: Final = {
    "audit_entry_no_update": "audit_entry",
    "audit_entry_no_delete": "audit_entry",
    "audit_block_only_purge": "audit_block",
    "audit_block_no_delete": "audit_block",
}
_TRUNCATE: Final = {
    "audit_entry_no_truncate": "audit_entry",
    "audit_block_no_truncate": "audit_block",
}

_PURGED: Final = """EXISTS (
      SELECT 1 FROM audit_block b
      WHERE b.purged_at IS NOT NULL AND OLD.id BETWEEN b.first_id AND b.last_id)"""
_SAME: Final = " AND ".join(
    f"NEW.{column} = OLD.{column}"
    for column in (
        "number",
        "sealed_at",
        "count",
        "first_id",
        "last_id",
        "gaps",
        "content_hash",
        "previous_hash",
        "hash",
    )
)
_PURGES: Final = (
    f"OLD.purged_at IS NULL AND NEW.purged_at IS NOT NULL AND length(NEW.leaves) = 0 AND {_SAME}"
)

_SQLITE: Final = (
    f"""CREATE TRIGGER IF NOT EXISTS audit_entry_no_update BEFORE UPDATE ON audit_entry
    BEGIN SELECT RAISE(ABORT, '{_MESSAGE}'); END""",
    f"""CREATE TRIGGER IF NOT EXISTS audit_entry_no_delete BEFORE DELETE ON audit_entry
    WHEN NOT {_PURGED}
    BEGIN SELECT RAISE(ABORT, '{_MESSAGE}'); END""",
    f"""CREATE TRIGGER IF NOT EXISTS audit_block_only_purge BEFORE UPDATE ON audit_block
    WHEN NOT ({_PURGES})
    BEGIN SELECT RAISE(ABORT, '{_MESSAGE}'); END""",
    f"""CREATE TRIGGER IF NOT EXISTS audit_block_no_delete BEFORE DELETE ON audit_block
    BEGIN SELECT RAISE(ABORT, '{_MESSAGE}'); END""",
)
_POSTGRESQL: Final = (
    f"""CREATE OR REPLACE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION '{_MESSAGE}' USING ERRCODE = 'integrity_constraint_violation'; END $$""",
    f"""CREATE OR REPLACE FUNCTION audit_refuse_unless_purged() RETURNS trigger
    LANGUAGE plpgsql AS $$
    BEGIN
      IF {_PURGED} THEN RETURN OLD; END IF;
      RAISE EXCEPTION '{_MESSAGE}' USING ERRCODE = 'integrity_constraint_violation';
    END $$""",
    """CREATE OR REPLACE TRIGGER audit_entry_no_update BEFORE UPDATE ON audit_entry
    FOR EACH ROW EXECUTE FUNCTION audit_refuse()""",
    """CREATE OR REPLACE TRIGGER audit_entry_no_delete BEFORE DELETE ON audit_entry
    FOR EACH ROW EXECUTE FUNCTION audit_refuse_unless_purged()""",
    f"""CREATE OR REPLACE TRIGGER audit_block_only_purge BEFORE UPDATE ON audit_block
    FOR EACH ROW WHEN (NOT ({_PURGES})) EXECUTE FUNCTION audit_refuse()""",
    """CREATE OR REPLACE TRIGGER audit_block_no_delete BEFORE DELETE ON audit_block
    FOR EACH ROW EXECUTE FUNCTION audit_refuse()""",
    """CREATE OR REPLACE TRIGGER audit_entry_no_truncate BEFORE TRUNCATE ON audit_entry
    FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()""",
    """CREATE OR REPLACE TRIGGER audit_block_no_truncate BEFORE TRUNCATE ON audit_block
    FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()""",
)


def create(connection: BaseDatabaseWrapper) -> None:
    """Make the triggers where the tables exist and they do not."""
    with connection.cursor() as cursor:
        if not {"audit_entry", "audit_block"} <= set(connection.introspection.table_names(cursor)):
            return
        for statement in _SQLITE if connection.vendor == "sqlite" else _POSTGRESQL:
            cursor.execute(statement)


def drop(connection: BaseDatabaseWrapper) -> None:
    """Remove the triggers: for emptying a test database."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            for name in _NAMES:
                cursor.execute(f"DROP TRIGGER IF EXISTS {name}")
            return
        for name, table in {**_NAMES, **_TRUNCATE}.items():
            cursor.execute(f"DROP TRIGGER IF EXISTS {name} ON {table}")


def present(connection: BaseDatabaseWrapper) -> bool:
    """Whether all triggers are in place."""
    if connection.vendor == "sqlite":
        wanted = set(_NAMES)
        query = "SELECT name FROM sqlite_master WHERE type = 'trigger'"
    else:
        wanted = {*_NAMES, *_TRUNCATE}
        query = "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal AND tgenabled = 'O'"
    with connection.cursor() as cursor:
        cursor.execute(query)
        return wanted <= {name for (name,) in cursor.fetchall()}
