# SPDX-License-Identifier: MPL-2.0
"""Network namespaces: machines of their own on this one, whose cables can be pulled."""

from __future__ import annotations

import ctypes
import os
import shutil
import socket
import subprocess
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["Network", "absence", "enter", "network"]

_CLONE_NEWNET = 0x40000000
_FOLDER = "/run/netns"


def enter(path: str) -> None:
    """Move the calling thread into a network namespace.

    Raises:
        OSError: It is not there, or it is not allowed.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    descriptor = os.open(path, os.O_RDONLY)
    try:
        if libc.setns(descriptor, _CLONE_NEWNET) != 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number), path)
    finally:
        os.close(descriptor)


def absence() -> str:
    """Why namespaces cannot be made here; "" where they can."""
    if os.geteuid() != 0:
        return "network namespaces need root"
    if shutil.which("ip") is None:
        return "there is no ip command (Debian package iproute2)"
    probe = f"sagsgang-{uuid.uuid4().hex[:8]}"
    made = subprocess.run(
        ["ip", "netns", "add", probe], check=False, capture_output=True, text=True
    )
    if made.returncode != 0:
        return f"network namespaces are not permitted ({made.stderr.strip()})"
    _ip("netns", "delete", probe)
    return ""


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True)


class Network:
    """A hub, and machines that each have one cable to it.

    Attributes:
        hub: Path of the hub's namespace, where servers stand.
    """

    def __init__(self) -> None:
        self._prefix = f"sagsgang-{uuid.uuid4().hex[:8]}"
        self._spaces: list[str] = []
        self._cables: dict[str, str] = {}
        self.hub = self._add("hub")

    def _add(self, name: str) -> str:
        space = f"{self._prefix}-{name}"
        _ip("netns", "add", space)
        self._spaces.append(space)
        _ip("-n", space, "link", "set", "lo", "up")
        return f"{_FOLDER}/{space}"

    def machine(self, name: str) -> tuple[str, str]:
        """Add a machine; the path of its namespace, and the address of the hub as it sees it."""
        path = self._add(name)
        number = len(self._spaces)
        hub, space = self._spaces[0], self._spaces[-1]
        cable = f"to-{name}"
        _ip("-n", hub, "link", "add", cable, "type", "veth", "peer", "name", "eth0", "netns", space)
        for where, device, host in ((hub, cable, 1), (space, "eth0", 2)):
            _ip("-n", where, "address", "add", f"10.77.{number}.{host}/24", "dev", device)
            _ip("-n", where, "link", "set", device, "up")
        self._cables[name] = cable
        return path, f"10.77.{number}.1"

    def pull(self, name: str) -> None:
        """Pull the cable of a machine: nothing comes or goes, and nobody is told."""
        _ip("-n", self._spaces[0], "link", "set", self._cables[name], "down")

    def plug(self, name: str) -> None:
        """Put the cable back."""
        _ip("-n", self._spaces[0], "link", "set", self._cables[name], "up")

    def listen(self) -> socket.socket:
        """A socket that listens in the hub, to be served from the test's own process."""
        made: list[socket.socket] = []

        def listening() -> None:
            enter(self.hub)
            made.append(socket.create_server(("0.0.0.0", 0), backlog=50))

        # A thread of its own: only it moves into the namespace.
        thread = threading.Thread(target=listening)
        thread.start()
        thread.join()
        return made[0]

    def close(self) -> None:
        """Take everything away again."""
        for space in self._spaces:
            subprocess.run(["ip", "netns", "delete", space], capture_output=True, check=False)


@contextmanager
def network() -> Iterator[Network]:
    """A network of namespaces that ends with the block."""
    made = Network()
    try:
        yield made
    finally:
        made.close()
