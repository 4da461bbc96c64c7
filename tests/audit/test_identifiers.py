# SPDX-License-Identifier: MPL-2.0
"""CPR numbers: stored, found, masked and kept out of logs. All numbers here cannot exist."""

from __future__ import annotations

import io
import logging

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from sagsgang.audit.errors import InvalidIdentifierError, UndecipherableError
from sagsgang.audit.identifiers import (
    CprFilter,
    blind_index,
    decrypt,
    encrypt,
    is_cpr,
    mask,
    needs_new_key,
    normalise,
    scrub,
    scrub_event,
)

CPR = "7107614285"

cprs = st.builds(
    lambda day, month, year, running: f"{day:02d}{month:02d}{year:02d}{running:04d}",
    st.integers(61, 91),
    st.integers(1, 12),
    st.integers(0, 99),
    st.integers(0, 9999),
)


@given(cprs, st.binary(max_size=16))
def test_what_is_encrypted_is_decrypted_again(cpr, owner):
    assert decrypt(encrypt(cpr, bound_to=owner), bound_to=owner) == cpr


def test_the_same_number_is_encrypted_differently_each_time():
    assert encrypt(CPR) != encrypt(CPR)


def test_the_stored_value_does_not_hold_the_number():
    assert CPR.encode() not in encrypt(CPR)


@given(st.data())
def test_any_altered_byte_makes_a_stored_number_undecipherable(data):
    stored = bytearray(encrypt(CPR))
    at = data.draw(st.integers(0, len(stored) - 1))
    stored[at] ^= data.draw(st.integers(1, 255))
    with pytest.raises(UndecipherableError):
        decrypt(bytes(stored))


def test_a_number_cannot_be_moved_to_another_row():
    with pytest.raises(UndecipherableError):
        decrypt(encrypt(CPR, bound_to=b"one"), bound_to=b"another")


@pytest.mark.parametrize("stored", [b"", b"\x01", b"\x02" + bytes(40)])
def test_what_was_never_encrypted_is_refused(stored):
    with pytest.raises(UndecipherableError):
        decrypt(stored)


def test_a_replaced_key_still_reads_old_numbers(settings):
    stored = encrypt(CPR)
    old = settings.SAGSGANG_IDENTIFIER_KEY
    settings.SAGSGANG_IDENTIFIER_KEY = b"n" * 32
    with pytest.raises(UndecipherableError):
        decrypt(stored)
    settings.SAGSGANG_RETIRED_IDENTIFIER_KEYS = (old,)
    assert decrypt(stored) == CPR
    assert needs_new_key(stored)
    assert not needs_new_key(encrypt(CPR))


def test_a_stored_number_may_come_as_the_database_gives_it():
    assert decrypt(memoryview(encrypt(CPR))) == CPR


@given(cprs, cprs)
def test_blind_indexes_are_equal_exactly_for_equal_numbers(one, other):
    assert (blind_index(one) == blind_index(other)) is (one == other)


def test_the_blind_index_depends_on_its_key(settings):
    before = blind_index(CPR)
    settings.SAGSGANG_INDEX_KEY = b"n" * 32
    assert blind_index(CPR) != before


def test_writing_with_hyphen_or_spaces_finds_the_same_number():
    assert blind_index("710761-4285") == blind_index(" 710761 4285 ") == blind_index(CPR)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "123",
        "0001014285",
        "3201014285",
        "6113014285",
        "71076142851",
        "７１０７６１４２８５",
        "71O7614285",
    ],
)
def test_what_is_no_cpr_number_is_refused_without_being_repeated(text):
    assert not is_cpr(text)
    with pytest.raises(InvalidIdentifierError) as refusal:
        normalise(text)
    assert not text or text not in str(refusal.value)


@pytest.mark.parametrize("cpr", ["2512484916", "070761-4285", "1111111118", "9112994000"])
def test_numbers_without_check_digit_and_replacement_numbers_are_accepted(cpr):
    assert is_cpr(cpr)


def test_a_masked_number_shows_the_date_only():
    assert mask("0101610000") == "010161-xxxx"
    assert mask("010161-0000") == "010161-xxxx"


def test_what_is_no_number_is_masked_whole():
    assert mask("not a number") == "xxxxxx-xxxx"


@given(
    cprs,
    st.sampled_from(["", "-", " ", " - ", "\u2013"]),
    st.text(alphabet=" ,.:;<>()\n'\"=", max_size=3),
)
def test_no_cpr_number_survives_scrubbing(cpr, separator, around):
    written = f"{around}{cpr[:6]}{separator}{cpr[6:]}{around}"
    assert cpr[6:] not in scrub(written).replace(cpr[:6], "")


@pytest.mark.parametrize(
    "text",
    [
        "sag 2026-000123 er lukket",
        "EAN 5798000000001",
        "3f0c7107614285ab",
        "telefon 33 12 34 56",
        "5132994000 er ingen dato",
    ],
)
def test_other_numbers_are_left_alone(text):
    assert scrub(text) == text


def test_a_structlog_event_is_scrubbed_in_depth():
    event = scrub_event(
        None,
        "info",
        {
            "event": f"fandt {CPR}",
            "number": int(CPR),
            "nested": {"list": ["710761-4285", 7, None, True], "tuple": (CPR,)},
            "error": ValueError(CPR),
        },
    )
    assert "4285" not in repr(event)
    assert event["nested"]["list"][1:] == [7, None, True]


def test_the_processor_works_in_a_structlog_chain():
    output = io.StringIO()
    logger = structlog.wrap_logger(
        structlog.PrintLogger(output), processors=[scrub_event, structlog.processors.JSONRenderer()]
    )
    logger.info("person_found", cpr=CPR)
    assert output.getvalue().strip() == '{"cpr": "710761-xxxx", "event": "person_found"}'


@pytest.fixture
def log():
    output = io.StringIO()
    handler = logging.StreamHandler(output)
    handler.addFilter(CprFilter())
    logger = logging.getLogger("test.scrubbed")
    logger.propagate = False
    logger.addHandler(handler)
    yield logger, output
    logger.removeHandler(handler)


def test_the_log_filter_scrubs_message_and_arguments(log):
    logger, output = log
    logger.warning("fandt %s og %d", "710761-4285", int(CPR))
    assert output.getvalue() == "fandt 710761-xxxx og 710761-xxxx\n"


def test_the_log_filter_scrubs_tracebacks(log):
    logger, output = log
    try:
        int(f"CPR {CPR}")
    except ValueError:
        logger.exception("galt")
    assert "Traceback" in output.getvalue()
    assert CPR not in output.getvalue()


def test_the_log_filter_scrubs_extras(log):
    logger, output = log
    handler = logger.handlers[0]
    handler.setFormatter(logging.Formatter("%(message)s %(person)s"))
    logger.warning("fandt", extra={"person": {"cpr": CPR}})
    assert output.getvalue() == "fandt {'cpr': '710761-xxxx'}\n"


def test_the_log_filter_survives_wrong_arguments(log):
    logger, output = log
    logger.warning("fandt %d", "710761-4285")
    assert "4285" not in output.getvalue()
