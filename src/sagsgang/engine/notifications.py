# SPDX-License-Identifier: MPL-2.0
"""Hears on PostgreSQL that a transaction has made work, and calls the worker."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import psycopg
import structlog
from django.db import connection

from sagsgang.engine.wakeup import CHANNEL

if TYPE_CHECKING:
    from sagsgang.engine.wakeup import Wakeup

__all__ = ["Listener"]

_log = structlog.get_logger(__name__)


class Listener:
    """A thread with a connection of its own that waits for notifications."""

    def __init__(self, wakeup: Wakeup) -> None:
        """Start to listen; args: wakeup: what to call."""
        self._wakeup = wakeup
        self._parameters = {
            name: value
            for name, value in connection.get_connection_params().items()
            if name not in {"cursor_factory", "context", "server_side_binding", "isolation_level"}
        }
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._listen, name="engine-listen", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop listening."""
        self._closing.set()
        self._thread.join()

    def _listen(self) -> None:
        while not self._closing.is_set():
            try:
                with psycopg.connect(**self._parameters, autocommit=True) as listening:
                    listening.execute(f"LISTEN {CHANNEL}")
                    # Work may have been made before the server knew of us.
                    self._wakeup.set()
                    while not self._closing.is_set():
                        for _ in listening.notifies(timeout=0.5, stop_after=1):
                            self._wakeup.set()
            except psycopg.Error as error:
                # Looking every now and then finds the work meanwhile.
                _log.warning("engine.listening_again", error=type(error).__name__)
                self._closing.wait(1)
