# SPDX-License-Identifier: MPL-2.0
"""Django with the engine alone, on the database that the fault test names."""

import os
from pathlib import Path

os.environ.setdefault("SAGSGANG_DATA_DIR", str(Path(os.environ["RIG_RECORD"]).parent))

from sagsgang.site.configuration import configuration

SECRET_KEY = "rig"
USE_TZ = True
TIME_ZONE = "Europe/Copenhagen"
INSTALLED_APPS = ["sagsgang.engine"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
DATABASES = {"default": configuration().django_database()}

if os.environ.get("RIG_DISPATCH") == "procrastinate":
    INSTALLED_APPS = ["procrastinate.contrib.django", *INSTALLED_APPS]
    SAGSGANG_DISPATCH = "procrastinate"
