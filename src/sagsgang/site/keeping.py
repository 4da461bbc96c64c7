# SPDX-License-Identifier: MPL-2.0
"""The worker beside the pages on the embedded database: one that dies is started again."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Callable, Sequence
from time import monotonic
from typing import Final

_LOOK_EVERY: Final = 0.5
_SOON: Final = 10.0
"""A worker that dies within so many seconds would die again at once."""
_LONGEST_PAUSE: Final = 60.0
_PATIENCE: Final = 60.0
"""Seconds that a worker gets to finish what it has begun."""


class KeptWorker:
    """A child process that is started again when it ends by itself, until it is told to stop."""

    def __init__(
        self,
        command: Sequence[str],
        say: Callable[[str], None],
        start: Callable[[Sequence[str]], subprocess.Popen[bytes]],
    ) -> None:
        """Start the process.

        Args:
            command: What to run.
            say: Told, in Danish, when the process has ended by itself.
            start: Starts the command.
        """
        self._command = command
        self._say = say
        self._start = start
        self._stopping = threading.Event()
        self._begun = monotonic()
        self._pause = 0.0
        self.process = start(command)
        self._thread = threading.Thread(target=self._keep, name="kept-worker", daemon=True)
        self._thread.start()

    def _keep(self) -> None:
        while not self._stopping.wait(_LOOK_EVERY):
            code = self.process.poll()
            if code is None:
                continue
            lived = monotonic() - self._begun
            self._pause = min(max(self._pause * 2, 1.0), _LONGEST_PAUSE) if lived < _SOON else 0.0
            how = f"signal {-code}" if code < 0 else f"kode {code}"
            self._say(
                f"Workeren standsede af sig selv ({how}). Den startes igen"
                + (f" om {self._pause:.0f} sekunder." if self._pause else ".")
            )
            if self._stopping.wait(self._pause):
                return
            self._begun = monotonic()
            self.process = self._start(self._command)

    def stop(self) -> None:
        """Let the process finish what it has begun, and end."""
        self._stopping.set()
        self._thread.join()
        self.process.terminate()
        try:
            self.process.wait(timeout=_PATIENCE)
        except subprocess.TimeoutExpired:
            # What it holds comes back when its leases end.
            self.process.kill()
            self.process.wait()
