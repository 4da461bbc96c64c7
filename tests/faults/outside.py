# SPDX-License-Identifier: MPL-2.0
"""A recording outside system on loopback: does each thing once a key, and remembers every call.

It can be told to be slow, to fail before it has done anything, to lose the answer after it has
done it, and to keep callers waiting. As a real system does, it knows a call that is made again by
its idempotency key, and answers it without doing the thing again.
"""

from __future__ import annotations

import http.client
import json
import random
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

__all__ = ["Outside", "call", "outside"]


@dataclass(slots=True)
class Outside:
    """What the outside system has done, and how it is to behave.

    Attributes:
        calls: Keys in the order of the calls.
        effects: What was done under each key: instance, element.
        faults: Keys that came again with something else to do.
        refusing: How large a part of the calls is refused before anything is done.
        losing: How large a part of the answers is lost after it is done.
        delay: Up to how many seconds a call takes.
        answering: While not set, callers wait for their answers.
    """

    rng: random.Random
    url: str = ""
    calls: list[str] = field(default_factory=list)
    effects: dict[str, tuple[int, str]] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    refusing: float = 0.0
    losing: float = 0.0
    delay: float = 0.0
    answering: threading.Event = field(default_factory=threading.Event)
    _changed: threading.Condition = field(default_factory=threading.Condition)

    def wait_for(self, calls: int, *, seconds: float = 120.0) -> None:
        """Wait until so many calls have been made."""
        with self._changed:
            if not self._changed.wait_for(lambda: len(self.calls) >= calls, seconds):
                raise TimeoutError(f"{len(self.calls)} calls were made, not {calls}.")

    def behave(self) -> None:
        """No faults from now on."""
        self.refusing = self.losing = self.delay = 0.0
        self.answering.set()

    def take(self, asked: dict[str, Any]) -> int | None:
        """Do what is asked; the HTTP status, or None where the answer is lost."""
        key, effect = asked["key"], (asked["instance"], asked["element"])
        with self._changed:
            chance, lost = self.rng.random(), self.rng.random()
            wait = self.rng.random() * self.delay
        if wait:
            time.sleep(wait)
        with self._changed:
            self.calls.append(key)
            if chance >= self.refusing and self.effects.setdefault(key, effect) != effect:
                self.faults.append(key)
            self._changed.notify_all()
        self.answering.wait(60)
        if chance < self.refusing:
            return 503
        return None if lost < self.losing else 200


def _handler(system: Outside) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            status = system.take(asked)
            if status is None:
                self.close_connection = True
                return
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Nothing: the calls are recorded."""

    return Handler


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: Any) -> None:
        """A caller that was killed is none of the server's troubles."""


@contextmanager
def outside(seed: int = 1, listening: socket.socket | None = None) -> Iterator[Outside]:
    """Serve on a free port of loopback, or on a socket that listens already."""
    system = Outside(random.Random(seed))
    system.answering.set()
    server = _Server(("127.0.0.1", 0), _handler(system), bind_and_activate=listening is None)
    if listening is not None:
        server.socket.close()
        server.socket = listening
        server.server_address = listening.getsockname()
    host, port = server.server_address[:2]
    system.url = f"http://{host!s}:{port}"
    serving = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    serving.start()
    try:
        yield system
    finally:
        system.answering.set()
        server.shutdown()
        server.server_close()
        serving.join()


def call(url: str, *, key: str, instance: int, element: str, timeout: float = 10.0) -> None:
    """Ask an outside system to do something.

    Raises:
        OSError: It cannot be reached, refuses, or its answer is lost.
    """
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=timeout)
    try:
        connection.request(
            "POST", "/", json.dumps({"key": key, "instance": instance, "element": element})
        )
        status = connection.getresponse().status
    except http.client.HTTPException as error:
        raise ConnectionError("The answer was lost.") from error
    finally:
        connection.close()
    if status != http.client.OK:
        raise ConnectionError(f"The outside system answered {status}.")
