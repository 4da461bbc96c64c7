# SPDX-License-Identifier: MPL-2.0
"""Settings for the test suite: an installation of its own in a temporary folder."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from pathlib import Path

if "SAGSGANG_DATA_DIR" not in os.environ:
    _folder = Path(tempfile.mkdtemp(prefix="sagsgang-test-"))
    os.environ["SAGSGANG_DATA_DIR"] = str(_folder)
    # Only the process that made the folder removes it.
    _owner = os.getpid()

    def _remove() -> None:
        if os.getpid() == _owner:
            shutil.rmtree(_folder, ignore_errors=True)

    atexit.register(_remove)
    os.environ["SAGSGANG_INSECURE_DEMO_USERS"] = "true"
elif _process := os.environ.get("PYTEST_XDIST_WORKER"):
    # One of several test processes: an installation of its own in the folder of the first.
    _own = Path(os.environ["SAGSGANG_DATA_DIR"]) / _process
    _own.mkdir(exist_ok=True)
    os.environ["SAGSGANG_DATA_DIR"] = str(_own)

from sagsgang.site import keys as _keys_module
from sagsgang.site.configuration import configuration as _read

_keys_module.load(_read().data_dir / "keys.json", create=True)

from sagsgang.site.settings import *  # noqa: E402, F403

# Real hashing would take a second of every test that signs in.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

# Each test client makes a site of its own, which would look through all static files first.
WHITENOISE_AUTOREFRESH = True

if DATABASES["default"]["ENGINE"].endswith("postgresql"):  # noqa: F405
    # Nobody crashes this server, so no commit needs to wait for its disk.
    DATABASES["default"]["OPTIONS"]["options"] += " -c synchronous_commit=off"  # noqa: F405
else:
    # A file, as in an installation: threads then wait for each other's locks, which SQLite's shared
    # database in memory refuses to let them do.
    DATABASES["default"]["TEST"] = {"NAME": str(_read().data_dir / "test.sqlite3")}  # noqa: F405
    DATABASES["default"]["OPTIONS"]["init_command"] += " PRAGMA synchronous=OFF;"  # noqa: F405
