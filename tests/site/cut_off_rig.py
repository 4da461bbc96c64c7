# SPDX-License-Identifier: MPL-2.0
"""A move to another database that is killed on its way.

Run as ``python cut_off_rig.py WHERE SOURCE TARGET``; ``WHERE`` is ``migrate`` (some of the tables
are made), ``half`` (some of the rows are copied) or ``end`` (all but the commit).
"""

from __future__ import annotations

import os
import signal
import sys
from typing import Any, NoReturn

from sagsgang import cli


def _die(*_arguments: Any) -> NoReturn:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("killed")


def main(where: str, source: str, target: str) -> None:
    """Begin the move and be killed."""
    os.environ.update(SAGSGANG_DATABASE=target, DJANGO_SETTINGS_MODULE="sagsgang.site.settings")
    cli._platform()
    from sagsgang.engine import transfer
    from sagsgang.site import moving

    if where == "migrate":
        whole = moving.call_command

        def some(*arguments: Any, **options: Any) -> None:
            whole("migrate", "contenttypes", **options)
            whole("migrate", "engine", "0001", **options)
            _die()

        moving.call_command = some  # type: ignore[assignment]
    elif where == "half":
        transfer._digest = _die  # type: ignore[assignment]
    else:
        transfer._set_sequences = _die
    moving.move(source, lambda _table, _rows: None)


if __name__ == "__main__":
    main(*sys.argv[1:])
