# SPDX-License-Identifier: MPL-2.0
"""Runs an ASGI application on loopback in a thread, and lets it break its own connections."""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any, Final

import uvicorn
from starlette.requests import Request
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

_HOST: Final = "127.0.0.1"
_START_SECONDS: Final = 20.0

_transports: dict[tuple[Any, Any], asyncio.Transport] = {}


class _BreakableProtocol(H11Protocol):
    """Remembers its transport, because ASGI has no way to drop a connection."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        # asyncio does this only for sockets made with an explicit protocol number; without it each
        # answer waits 40 ms for the client's delayed acknowledgement.
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        super().connection_made(transport)
        self._ends = _ends(
            transport.get_extra_info("sockname"), transport.get_extra_info("peername")
        )
        _transports[self._ends] = transport

    def connection_lost(self, exc: Exception | None) -> None:
        _transports.pop(self._ends, None)
        super().connection_lost(exc)


def _ends(server: Any, client: Any) -> tuple[Any, Any]:
    return (tuple(server or ())[:2], tuple(client or ())[:2])


async def break_connection(request: Request) -> None:
    """Reset the request's connection without an answer, and return when that has happened."""
    transport = _transports.get(_ends(request.scope["server"], request.scope["client"]))
    if transport is not None:
        transport.abort()
    await wait_for_disconnect(request)


async def wait_for_disconnect(request: Request) -> None:
    """Return when the client has gone; the request's body must have been read."""
    while (await request.receive())["type"] != "http.disconnect":
        pass


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = threading.Event()

    def capture_signals(self) -> Any:
        """Leave signals to the process that runs the thread."""
        return nullcontext()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        self.ready.set()


@contextmanager
def serve(app: ASGIApp, *, port: int = 0) -> Iterator[str]:
    """Serve ``app`` on loopback while the context lasts.

    Args:
        app: The application.
        port: 0 takes a free one.

    Yields:
        The base address, without a slash at the end.

    Raises:
        OSError: The port is taken.
        RuntimeError: The server did not start.
    """
    listener = socket.create_server((_HOST, port))
    config = uvicorn.Config(
        app,
        http=_BreakableProtocol,
        ws="none",
        lifespan="off",
        log_config=None,
        log_level=logging.ERROR,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=1,
        timeout_keep_alive=60,
    )
    server = _Server(config)
    thread = threading.Thread(
        target=server.run, kwargs={"sockets": [listener]}, name="simulator", daemon=True
    )
    thread.start()
    try:
        if not server.ready.wait(_START_SECONDS):
            message = "The simulator did not start: look at the log above."
            raise RuntimeError(message)
        yield f"http://{_HOST}:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
        listener.close()
