# SPDX-License-Identifier: MPL-2.0
"""Django's settings, derived from :mod:`sagsgang.site.configuration`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from csp.constants import NONE, SELF

from sagsgang.engine.queues import Limits
from sagsgang.site import keys
from sagsgang.site.configuration import configuration

_configuration = configuration()
_package = Path(__file__).resolve().parent.parent
_keys = keys.load(_configuration.data_dir / "keys.json", create=_configuration.embedded)

SECRET_KEY = _configuration.secret_key or _keys.session
DEBUG = _configuration.debug
ALLOWED_HOSTS = [host for host in _configuration.allowed_hosts.split(",") if host]

SAGSGANG = _configuration
SAGSGANG_IDENTIFIER_KEY = bytes.fromhex(_keys.identifiers)
SAGSGANG_INDEX_KEY = bytes.fromhex(_keys.index)

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "csp",
    "sagsgang.engine",
    "sagsgang.audit",
    "sagsgang.organisation",
    "sagsgang.cases",
    "sagsgang.forms",
    "sagsgang.portal",
    "sagsgang.desk",
    "sagsgang.api",
    "sagsgang.site",
]

# The engine asks the first; the second brings the tables and what else Procrastinate needs.
SAGSGANG_DISPATCH = _configuration.dispatcher
if SAGSGANG_DISPATCH == "procrastinate":
    INSTALLED_APPS.insert(INSTALLED_APPS.index("sagsgang.engine"), "procrastinate.contrib.django")
SAGSGANG_QUEUES = {
    name: Limits.of(each.concurrency, each.rate) for name, each in _configuration.queues.items()
}

MIDDLEWARE = [
    "sagsgang.api.measuring.MeasuringMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "sagsgang.site.middleware.IdleSessionMiddleware",
    "sagsgang.site.middleware.SignInMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "sagsgang.site.middleware.PageHeadersMiddleware",
    "sagsgang.site.middleware.CaseFaultMiddleware",
]

ROOT_URLCONF = "sagsgang.site.urls"
ASGI_APPLICATION = "sagsgang.site.asgi.application"

TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        # A solution may bring pages of its own: how its orders and results are shown.
        "DIRS": sorted(_package.glob("solutions/*/templates")),
        "OPTIONS": {
            "builtins": ["sagsgang.site.templatetags.sagsgang"],
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "sagsgang.site.context.municipality",
            ],
        },
    },
]

DATABASES = {"default": _configuration.django_database()}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_USER_MODEL = "organisation.User"
LOGIN_URL = "/log-ind/"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "/log-ind/"

LANGUAGE_CODE = "da"
LANGUAGES = [("da", "Dansk"), ("en", "English")]
LOCALE_PATHS = [_package / "locale"]
TIME_ZONE = "Europe/Copenhagen"
USE_I18N = True
USE_TZ = True

STATIC_URL = "/static/"
STORAGES = {
    "default": {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {"location": str(_configuration.data_dir / "documents")},
    },
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = DEBUG
# Bundled files carry a digest in their name.
WHITENOISE_IMMUTABLE_FILE_TEST = r"/bundle/.*-[A-Z0-9]{8}\.\w+$"

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "img-src": [SELF, "data:"],
        "object-src": [NONE],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}
X_FRAME_OPTIONS = "DENY"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _configuration.https
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_AGE = 10 * 60 * 60
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
SECURE_HSTS_SECONDS = 31_536_000 if _configuration.https else 0
DATA_UPLOAD_MAX_MEMORY_SIZE = 20 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 5_000

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    # The last line of defence: what looks like a CPR number is masked wherever it comes from.
    "filters": {"cpr": {"()": "sagsgang.audit.identifiers.CprFilter"}},
    "formatters": {"line": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}},
    "handlers": {
        "stderr": {"class": "logging.StreamHandler", "filters": ["cpr"], "formatter": "line"}
    },
    "root": {"handlers": ["stderr"], "level": _configuration.log_level},
    # Django's own handler for requests would write every line twice, and only while developing.
    "loggers": {
        "django": {"handlers": [], "level": "INFO", "propagate": True},
        # The connectors log each call themselves, without addresses.
        "httpx": {"level": "WARNING"},
        # Procrastinate writes several lines for each entry; the engine logs what goes wrong.
        "procrastinate": {"level": "WARNING"},
    },
}
