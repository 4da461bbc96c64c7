# SPDX-License-Identifier: MPL-2.0
"""Agreement files: what they hold, and how faults in them are told."""

from __future__ import annotations

from datetime import date

import pytest

from sagsgang.solutions.timesheets.pay import (
    AgreementFileError,
    Place,
    Status,
    UnknownAgreementError,
    read_agreement,
    standard_rulebook,
)

from .helpers import rulebook

ENTRY = """
[[parameter]]
agreement = "KL-79.01"
name = "NIGHT.percent"
from = 2026-01-01
value = 40
source = "Byrådets beslutning"
"""


def with_line(old: str, new: str) -> str:
    assert old in ENTRY
    return ENTRY.replace(old, new)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (with_line("NIGHT.percent", "NIGHT.procent"), "no such parameter"),
        (with_line("NIGHT.percent", "base_roundin"), 'Did you mean "base_rounding"'),
        (with_line("value = 40", "value = -1"), "not a number from 0"),
        (with_line("value = 40", 'value = "40"'), "not a number"),
        (with_line("value = 40", "value = true"), "not a number"),
        (with_line("value = 40", "valeu = 40"), '"valeu" is not known'),
        (with_line("from = 2026-01-01", 'from = "2026"'), "from and to are dates"),
        (with_line("from = 2026-01-01", "from = 2026-01-01\nto = 2025-01-01"), "to not before"),
        (with_line('source = "Byrådets beslutning"', ""), "who decided the value"),
        (with_line("KL-79.01", "KL-99"), '"KL-99", which is not loaded'),
        (ENTRY + ENTRY, "two values on 2026-01-01"),
        ("[[parameter", "not a TOML file"),
        (with_line("value = 40", 'value = 40\ngroup = "nowhere"'), "nowhere"),
    ],
)
def test_a_fault_in_a_local_file_is_named(text, told):
    with pytest.raises(AgreementFileError, match="^(?s:.)*" + told.replace("(", r"\(")):
        standard_rulebook(text.encode())


def test_bytes_that_are_no_text_are_refused():
    with pytest.raises(AgreementFileError, match="not a TOML file"):
        standard_rulebook(b"\xff\xfe\x00")


def test_an_agreement_file_names_the_parameter_at_fault(tmp_path):
    path = tmp_path / "X.toml"
    path.write_text(
        'code = "X"\ntitle = "X"\ncite = "X"\n[wage_codes]\nbase = "1110"\n'
        '[parameter."EVE.window.all"]\n'
        'values = [{ from = 2025-01-01, value = "17-23", status = "verified" }]\n',
        encoding="utf-8",
    )
    with pytest.raises(AgreementFileError, match=r'X\.toml, parameter "EVE\.window\.all": "17"'):
        read_agreement(path)


def test_a_wage_code_has_four_digits(tmp_path):
    path = tmp_path / "X.toml"
    path.write_text('code = "X"\ntitle = "X"\ncite = "X"\n[wage_codes]\nbase = "11"\n')
    with pytest.raises(AgreementFileError, match="4 digits"):
        read_agreement(path)


def test_aliases_lead_to_the_same_rules():
    assert rulebook().agreement("KL-79.03") is rulebook().agreement("KL-79.01")


def test_an_unknown_agreement_is_named():
    with pytest.raises(UnknownAgreementError, match='"HK"'):
        rulebook().agreement("HK")


def test_what_a_municipality_must_confirm_is_listed():
    found = rulebook().agreement("KL-79.01").to_confirm(date(2026, 6, 1))
    by_name = {entry.name: entry.status for entry in found}
    assert by_name["NIGHT.percent"] is Status.MISSING
    assert by_name["round_rate_first"] is Status.ASSUMED
    assert "EVE.percent" not in by_name


def test_a_missing_entry_has_no_value_and_every_entry_a_source():
    for agreement in rulebook().agreements:
        for entries in agreement.entries.values():
            for entry in entries:
                assert (entry.value is None) == (entry.status is Status.MISSING)
                assert entry.source


def test_the_narrowest_entry_wins():
    agreement = rulebook().agreement("KL-79.01")
    general = agreement.find("special_day.12-31", date(2024, 12, 31), Place())
    fkka = agreement.find("special_day.12-31", date(2024, 12, 31), Place(group="fkka"))
    assert general is not None
    assert fkka is not None
    assert [window.band for window in general.value] == ["SUN"]
    assert [window.band for window in fkka.value] == ["EVE"]
