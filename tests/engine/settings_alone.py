# SPDX-License-Identifier: MPL-2.0
"""Django with the engine alone, for work on the engine."""

import os
from urllib.parse import urlsplit

SECRET_KEY = "engine-tests"
USE_TZ = True
TIME_ZONE = "Europe/Copenhagen"
INSTALLED_APPS = ["sagsgang.engine"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
_url = urlsplit(os.environ.get("SAGSGANG_DATABASE", ""))
if _url.scheme.startswith("postgres"):
    DATABASES = {
        "default": {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": _url.path.lstrip("/"),
            "USER": _url.username or "",
            "PASSWORD": _url.password or "",
            "HOST": _url.hostname or "",
            "PORT": str(_url.port or ""),
        }
    }
else:
    DATABASES = {
        "default": {
            "ENGINE": "sagsgang.sqlite",
            "NAME": os.environ.get("ENGINE_SQLITE", ":memory:"),
            "OPTIONS": {
                "transaction_mode": "IMMEDIATE",
                "timeout": 30,
                "init_command": (
                    "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;"
                    "PRAGMA temp_store=MEMORY; PRAGMA cache_size=-65536;"
                    "PRAGMA mmap_size=268435456;"
                    "PRAGMA journal_size_limit=67108864; PRAGMA wal_autocheckpoint=4000;"
                ),
            },
        }
    }
