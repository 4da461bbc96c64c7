# SPDX-License-Identifier: MPL-2.0
"""Starts and stops the payroll simulator."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Mount, Route

from sagsgang.connectors.opus.wire import OPERATIONS
from sagsgang.simulators._server import serve
from sagsgang.simulators.payroll._control import Control
from sagsgang.simulators.payroll._page import page
from sagsgang.simulators.payroll._services import Services
from sagsgang.simulators.payroll._store import Store

__all__ = ["DEFAULT_USER", "SERVICES_PATH", "serve_payroll"]

SERVICES_PATH: Final = "/payroll"
"""Where the web services are, below the simulator's address."""

DEFAULT_USER: Final = "sagsgang"


def _application(store: Store, *, user: str, password: str) -> Starlette:
    services = Services(store, user=user, password=password)
    control = Control(store)

    async def front(request: Request) -> HTMLResponse:  # noqa: ARG001 -- a route's shape
        with store.transaction():
            store.settle()
        return page(store)

    paths = sorted({operation.path for operation in OPERATIONS})
    return Starlette(
        routes=[
            *(
                Route(f"{SERVICES_PATH}{path}", services.endpoint, methods=["POST"])
                for path in paths
            ),
            Mount("/control", routes=control.routes()),
            Route("/", front, methods=["GET"]),
        ]
    )


@contextmanager
def serve_payroll(
    port: int = 0,
    state: Path | str = ":memory:",
    *,
    user: str = DEFAULT_USER,
    password: str = "",
) -> Iterator[str]:
    """Serve the payroll simulator on loopback while the context lasts.

    The web services are at :data:`SERVICES_PATH` below the address, the control interface at
    ``/control`` (see :class:`~sagsgang.simulators.payroll.PayrollControl`), a page for people at
    ``/``. What it holds is in one file, so that it may be killed and started again; one process
    at a time may have the file.

    Args:
        port: 0 takes a free one.
        state: The file; made when it is not there. Default: memory, forgotten at the end.
        user: Name for basic authentication.
        password: Its password.

    Yields:
        The base address, without a slash at the end.

    Raises:
        OSError: The port is taken.
    """
    store = Store(Path(state))
    try:
        with serve(_application(store, user=user, password=password), port=port) as url:
            yield url
    finally:
        store.close()
