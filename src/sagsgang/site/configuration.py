# SPDX-License-Identifier: MPL-2.0
"""Everything an operator can set, with its meaning; read from the environment (``SAGSGANG_*``).

Dangerous switches are named ``insecure_*``. ``sagsgang doctor`` explains what is wrong with a
configuration; ``Configuration`` itself refuses values that cannot work.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, Literal
from urllib.parse import parse_qsl, unquote, urlsplit

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic_settings import BaseSettings, SettingsConfigDict

_SENTENCES: Final = {
    "bool_parsing": "skriv true eller false",
    "bool_type": "skriv true eller false",
    "float_parsing": "skriv et tal, med punktum som decimaltegn",
    "greater_than": "tallet skal være over {gt:g}",
    "greater_than_equal": "tallet skal være mindst {ge:g}",
    "less_than_equal": "tallet må højst være {le:g}",
    "literal_error": "skriv {expected}",
    "string_pattern_mismatch": "værdien skal have formen {pattern}",
    "value_error": "{error}",
}
"""What is wrong with a setting, in Danish, by pydantic's type of the fault."""

_NETWORK: Final = {
    "connect_timeout": 10,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
    "options": "-c tcp_keepalives_idle=5 -c tcp_keepalives_interval=2 -c tcp_keepalives_count=3 "
    "-c tcp_user_timeout=10000 -c idle_in_transaction_session_timeout=60000",
}
"""How soon both ends of a connection to PostgreSQL find out that the other one is gone.

A machine that is cut off in the middle of a transaction leaves its locks behind: the server must
not keep them for the two hours that operating systems wait. What the address in
``SAGSGANG_DATABASE`` says counts more.
"""


class QueueLimits(BaseModel):
    """How hard an outside system may be worked on, over all workers.

    Attributes:
        concurrency: How many jobs at once; empty is no bound.
        rate: How many may begin in a time, such as ``20/s`` or ``100/min``; empty is no bound.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    concurrency: int | None = Field(default=None, ge=1)
    rate: str = Field(default="", pattern=r"^([1-9]\d{0,6}/(s|min|h|d))?$")


class Configuration(BaseSettings):
    """The operator's settings.

    Attributes:
        data_dir: Folder for the embedded database, documents, keys and reports.
        database: ``sqlite:///file`` (default: ``sagsgang.sqlite3`` in ``data_dir``) or
            ``postgresql://user:password@host:port/name``.
        secret_key: Signs sessions. Empty: taken from ``data_dir/keys.json``, which is made on first
            use with SQLite only.
        allowed_hosts: Host names that the site answers to, with commas between.
        https: Whether the site is reached over https: cookies become secure, HSTS is sent.
        municipality_name: Shown as the sender on every page.
        municipality_code: Four digits, used for parameters that differ between municipalities.
        municipality_group: Column of the agreements' tables of special days: ``general``, ``fkka``
            or ``copenhagen``.
        pay_parameters: A file with the municipality's own pay parameters; empty: only those of the
            agreements.
        insecure_demo_users: Sign-in by picking a demo user, no password. Never on real data.
        insecure_clock_offset: Seconds that the site's clock is ahead of the machine's; negative:
            behind.
            The demo sets it, so that its month is always the last one. Never on real data.
        payroll_url: Address of the payroll system's web services.
        payroll_user: Its user name.
        payroll_password: Its password.
        payroll_timeout: Seconds before a call to payroll is given up.
        job_lease: Seconds for which a job is a worker's unless it renews it. After a worker has
            died, what it held waits so long before another takes over.
        poll_interval: Seconds between two looks of an idle worker for work that nobody has told it
            of. It knows when the next timer is due, and is told at once what its own process makes,
            on PostgreSQL what any process makes; on SQLite, what another process has made may wait
            so long.
        metrics_networks: Networks from which ``/metrics`` may be read without a key, such as
            ``127.0.0.1/32,10.20.0.0/16``. Behind a proxy every caller has the proxy's address.
        dispatch: Who hands background work to the workers: ``procrastinate``, on PostgreSQL only,
            or ``embedded``. Empty: Procrastinate on PostgreSQL, embedded on SQLite.
        unknown_grace: Seconds for which a job without a handler in this program is left to other
            workers, which may run a newer version; then it becomes an incident.
        queues: Limits of the queues of jobs, instead of those that their connectors declare, as
            JSON: ``{"payroll": {"concurrency": 4, "rate": "20/s"}}``. They hold over all workers.
    """

    model_config = SettingsConfigDict(env_prefix="SAGSGANG_", extra="ignore", frozen=True)

    data_dir: Path = Path("var")
    database: str = ""
    secret_key: str = ""
    allowed_hosts: str = "127.0.0.1,localhost,[::1]"
    https: bool = False
    debug: bool = False
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    municipality_name: str = "Prøvelev Kommune"
    municipality_code: str = Field(default="0999", pattern=r"^\d{4}$")
    municipality_group: Literal["general", "fkka", "copenhagen"] = "general"
    pay_parameters: Path | None = None
    insecure_demo_users: bool = False
    insecure_clock_offset: float = 0.0
    payroll_url: str = "http://127.0.0.1:8100/payroll"
    payroll_user: str = "sagsgang"
    payroll_password: str = ""
    payroll_timeout: float = Field(default=10.0, gt=0, le=120)
    job_lease: float = Field(default=60.0, ge=1, le=3600)
    poll_interval: float = Field(default=1.0, ge=0.1, le=60)
    metrics_networks: str = ""
    dispatch: Literal["", "embedded", "procrastinate"] = ""
    unknown_grace: float = Field(default=600.0, ge=0, le=86_400)
    queues: dict[str, QueueLimits] = Field(default_factory=dict)

    @field_validator("database")
    @classmethod
    def _known_database(cls, value: str) -> str:
        fault = address_fault(value) if value else ""
        if fault:
            raise ValueError(fault)
        return value

    @field_validator("dispatch")
    @classmethod
    def _possible_dispatch(cls, value: str, facts: ValidationInfo) -> str:
        if value == "procrastinate" and _is_sqlite(facts.data.get("database", "")):
            raise ValueError("procrastinate kræver PostgreSQL i SAGSGANG_DATABASE")
        return value

    @field_validator("metrics_networks")
    @classmethod
    def _known_networks(cls, value: str) -> str:
        for each in filter(None, map(str.strip, value.split(","))):
            try:
                ipaddress.ip_network(each)
            except ValueError:
                message = "skriv netværk som 10.20.0.0/16, med komma imellem"
                raise ValueError(message) from None
        return value

    @property
    def embedded(self) -> bool:
        """Whether the database is SQLite, so that nothing else has to be installed."""
        return _is_sqlite(self.database)

    @property
    def dispatcher(self) -> Literal["embedded", "procrastinate"]:
        """Who hands background work to the workers."""
        return self.dispatch or ("embedded" if self.embedded else "procrastinate")

    def django_database(self) -> dict[str, Any]:
        """The entry for Django's ``DATABASES``."""
        parts = urlsplit(self.database)
        if not self.embedded:
            return {
                "ENGINE": "django.db.backends.postgresql",
                "NAME": unquote(parts.path.lstrip("/")),
                "USER": unquote(parts.username or ""),
                "PASSWORD": unquote(parts.password or ""),
                "HOST": parts.hostname or "",
                "PORT": str(parts.port or ""),
                "CONN_MAX_AGE": None,
                "CONN_HEALTH_CHECKS": True,
                "OPTIONS": {**_NETWORK, **dict(parse_qsl(parts.query))},
            }
        name = unquote(parts.path)[1:] if parts.path else str(self.data_dir / "sagsgang.sqlite3")
        return {
            "ENGINE": "sagsgang.sqlite",
            "NAME": name,
            "CONN_MAX_AGE": None,
            "OPTIONS": {
                # A writer takes its lock at BEGIN, so that two workers wait for each other instead
                # of failing half-way; WAL lets pages be read meanwhile; FULL because a paid time
                # sheet must survive a power cut. The log is copied into the database while all
                # writers wait: seldom, and a page that was written often is copied once.
                "transaction_mode": "IMMEDIATE",
                "timeout": 30,
                "init_command": (
                    "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; "
                    "PRAGMA foreign_keys=ON;"
                    "PRAGMA temp_store=MEMORY; PRAGMA cache_size=-65536; "
                    "PRAGMA mmap_size=268435456; PRAGMA journal_size_limit=67108864;"
                    "PRAGMA wal_autocheckpoint=4000;"
                ),
            },
        }


def address_fault(address: str) -> str:
    """What is wrong with the address of a database, in Danish; empty where nothing is."""
    try:
        parts = urlsplit(address)
    except ValueError:
        parts = urlsplit("")
    if parts.scheme not in {"sqlite", "postgresql", "postgres"}:
        return "skriv sqlite:///fil eller postgresql://bruger:kode@vært:port/navn"
    try:
        _ = parts.port
    except ValueError:
        return "porten skal være et tal mellem 0 og 65535"
    return ""


def _is_sqlite(database: str) -> bool:
    return urlsplit(database).scheme in {"", "sqlite"}


@lru_cache(maxsize=1)
def configuration() -> Configuration:
    """The configuration of this process, read once."""
    return Configuration()


def faults(error: ValidationError) -> Iterator[str]:
    """What is wrong with the settings: one Danish sentence each, without the value, which may be a
    password."""
    for fault in error.errors(include_url=False, include_input=False):
        name = "SAGSGANG_" + "_".join(map(str, fault["loc"])).upper()
        context = fault.get("ctx", {})
        if fault["type"] == "literal_error":
            context = {"expected": str(context["expected"]).replace(" or ", " eller ")}
        sentence = _SENTENCES.get(fault["type"], "værdien kan ikke bruges")
        yield f"{name} er forkert: {sentence.format(**context)}."
