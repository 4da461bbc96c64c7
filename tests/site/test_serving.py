# SPDX-License-Identifier: MPL-2.0
"""``sagsgang serve`` on a folder where nothing is."""

from __future__ import annotations

import signal
import socket

from sagsgang.site import commands
from tests.serving import serving


def test_a_fresh_folder_is_set_up_served_and_left_in_good_order(tmp_path):
    data = tmp_path / "data"
    with serving(tmp_path, SAGSGANG_DATA_DIR=str(data)) as served:
        page = served.get("/")
        assert page.status_code == 200
        assert page.url.path == "/log-ind/"
        assert (data / "sagsgang.sqlite3").exists()
        # Nobody signs in without a password where it has not been asked for.
        assert "demobruger" not in page.text.lower()
        code, errors = served.end(signal.SIGINT, everybody=True)
        assert code == 0, errors
        assert errors == ""
        assert served.has_left_nobody()


def test_a_small_answer_is_sent_at_once() -> None:
    with commands.listening("127.0.0.1", 0) as door:
        assert door.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
