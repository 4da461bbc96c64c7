# SPDX-License-Identifier: MPL-2.0
"""A TCP proxy on loopback whose connections can be cut, stalled, and cut around a commit."""

from __future__ import annotations

import random
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Literal
from urllib.parse import urlsplit, urlunsplit

__all__ = ["Proxy", "proxy"]

Commit = Literal["", "lost", "unanswered"]

_SIZE = 65536


class _Line:
    """One connection through the proxy."""

    def __init__(self, client: socket.socket, server: socket.socket) -> None:
        self.client, self.server = client, server
        self.muted = False
        self.answered = threading.Event()
        self._ways = 2
        self._lock = threading.Lock()

    def cut(self) -> None:
        """Reset both sides, as when a machine in between forgets the connection."""
        for each in (self.client, self.server):
            with suppress(OSError):
                each.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                each.shutdown(socket.SHUT_RDWR)

    def left(self) -> bool:
        """One way has ended; whether it was the last.

        The sockets are closed after both: a thread that is about to read from one would otherwise
        read from whatever gets its number next.
        """
        with self._lock:
            self._ways -= 1
            if self._ways:
                return False
        self.client.close()
        self.server.close()
        return True

    def half_close(self) -> None:
        """End the direction to the client only."""
        with suppress(OSError):
            self.client.shutdown(socket.SHUT_WR)


class Proxy:
    """The proxy.

    Attributes:
        address: The database's address by way of the proxy.
        lines: How many connections there have been.
        commits_hit: How many commits were lost or left without an answer.
    """

    def __init__(self, database: str) -> None:
        parts = urlsplit(database)
        self._target = (parts.hostname or "127.0.0.1", parts.port or 5432)
        self._listening = socket.create_server(("127.0.0.1", 0), backlog=50)
        port = self._listening.getsockname()[1]
        netloc = f"{parts.username}@127.0.0.1:{port}" if parts.username else f"127.0.0.1:{port}"
        # No encryption: the proxy looks for the commits.
        self.address = urlunsplit(("postgresql", netloc, parts.path, "sslmode=disable", ""))
        self.lines = self.commits_hit = 0
        self._alive: dict[int, _Line] = {}
        self._flowing = threading.Event()
        self._flowing.set()
        self._commit: Commit = ""
        self._chance = 0.0
        self._rng = random.Random(1)
        self._lock = threading.Lock()
        threading.Thread(target=self._accept, daemon=True).start()

    # --- Disasters -----------------------------------------------------------------------------

    def cut(self) -> int:
        """Cut every connection; how many there were."""
        with self._lock:
            lines = list(self._alive.values())
            self._alive.clear()
        for line in lines:
            line.cut()
        return len(lines)

    def half_close(self) -> None:
        """Close every connection in the direction to the clients."""
        for line in list(self._alive.values()):
            line.half_close()

    def stall(self) -> None:
        """Let nothing through any more, without a word."""
        self._flowing.clear()

    def flow(self) -> None:
        """Let everything through again, also what was held back."""
        self._flowing.set()

    def at_commits(self, what: Commit, chance: float = 1.0) -> None:
        """Cut the connection at commits: before the server has got it, or before it can answer."""
        self._commit, self._chance = what, chance

    # --- Passing on ------------------------------------------------------------------------------

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listening.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(self._target)
            except OSError:
                client.close()
                continue
            for each in (client, server):
                each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            line = _Line(client, server)
            with self._lock:
                self.lines += 1
                self._alive[id(line)] = line
            for source, target in ((client, server), (server, client)):
                threading.Thread(
                    target=self._pass_on, args=(line, source, target), daemon=True
                ).start()

    def _pass_on(self, line: _Line, source: socket.socket, target: socket.socket) -> None:
        if not self._came_to_its_end(line, source, target):
            line.cut()
        if line.left():
            with self._lock:
                self._alive.pop(id(line), None)

    def _came_to_its_end(self, line: _Line, source: socket.socket, target: socket.socket) -> bool:
        """Pass on what one side says until it says no more, or until the line is to be cut."""
        try:
            while data := source.recv(_SIZE):
                self._flowing.wait()
                if source is line.server and line.muted:
                    line.answered.set()
                    return True
                hit = source is line.client and self._is_hit(data)
                if hit and self._commit == "lost":
                    break
                line.muted = hit
                target.sendall(data)
                if hit:
                    # The server gets it, carries it out, and its answer reaches nobody.
                    line.answered.wait(10)
                    break
            else:
                target.shutdown(socket.SHUT_WR)
                return True
        except OSError:
            pass
        return False

    def _is_hit(self, data: bytes) -> bool:
        if not self._commit or b"COMMIT" not in data:
            return False
        with self._lock:
            hit = self._rng.random() < self._chance
            self.commits_hit += hit
        return hit

    def close(self) -> None:
        """No more connections."""
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._flowing.set()
        self.cut()


@contextmanager
def proxy(database: str) -> Iterator[Proxy]:
    """A proxy before a database that ends with the block."""
    made = Proxy(database)
    try:
        yield made
    finally:
        made.close()
