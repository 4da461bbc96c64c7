# SPDX-License-Identifier: MPL-2.0
"""Between what people write in a field and the value it means. Danish ways of writing are
understood.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, time
from decimal import Decimal
from typing import Any

import regex

from sagsgang.forms.schema import Choice, Field

_DATE = regex.compile(r"(?P<d>\d{1,2})[-./ ](?P<m>\d{1,2})[-./ ](?P<y>\d{4})")
_TIME = regex.compile(r"(?P<h>\d{1,2})(?:[:. ]?(?P<m>\d{2}))?")
_NUMBER = regex.compile(r"-?\d+(,\d+)?|-?\d{1,3}(\.\d{3})+,\d+|-?\d+\.\d{1,2}|-?\d+\.\d{4,}")
_EMAIL = regex.compile(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+")
_PHONE = regex.compile(r"\+?[\d ]{8,20}")
_CONTROL = regex.compile(r"[\p{Cc}--[\t\n\r]]", regex.VERSION1)
_CPR = regex.compile(
    r"(?<!\d)(0[1-9]|[12]\d|3[01]|6[1-9]|[78]\d|9[01])(0[1-9]|1[0-2])\d{2}[- ]?\d{4}(?!\d)"
)
_LONGEST = {"textfield": 1_000, "textarea": 20_000}
_PATTERN_SECONDS = 0.2


class ReadError(ValueError):
    """What is written cannot be read; the text says what to write instead, in Danish."""


def read(field: Field, texts: Sequence[str], choices: Sequence[Choice]) -> Any:
    """The value of what was written in a field; None where nothing was, an empty text for a text
    field.

    Dates are ``2026-03-01``, times ``08:30``, as in form-js; numbers are ``int`` without decimals,
    else ``Decimal``.

    Args:
        field: The field.
        texts: What came in: usually one text; several for a checklist; date and time for a
            ``datetime``.
        choices: What the field offers.

    Raises:
        ReadError: It cannot be read.
    """
    cleaned = [_clean(text) for text in texts]
    match field.type:
        case "checkbox":
            return any(text.lower() in {"on", "true", "1", "ja"} for text in cleaned)
        case "checklist":
            return [_chosen(text, choices) for text in cleaned if text]
        case "datetime" if field.subtype == "datetime":
            day, clock = [*cleaned, "", ""][:2]
            if not day and not clock:
                return None
            if not day or not clock:
                message = "Udfyld både dato og klokkeslæt."
                raise ReadError(message)
            return f"{read_date(day)}T{read_time(clock)}"
    text = cleaned[0] if cleaned else ""
    if not text:
        return "" if field.type in _LONGEST else None
    match field.type:
        case "number":
            return _number(field, text)
        case "datetime":
            return read_time(text) if field.subtype == "time" else read_date(text)
        case "select" | "radio":
            return _chosen(text, choices)
        case _:
            return _text(field, text)


def _clean(text: str) -> str:
    stripped = text.replace("\r\n", "\n").strip()
    if _CONTROL.search(stripped):
        message = "Feltet har usynlige tegn, der ikke kan gemmes. Skriv det igen."
        raise ReadError(message)
    return stripped


def _chosen(text: str, choices: Sequence[Choice]) -> str:
    if all(choice.value != text for choice in choices):
        message = "Vælg en af mulighederne."
        raise ReadError(message)
    return text


def read_date(text: str) -> str:
    """A date in ISO form, from ``2026-03-01``, ``1-3-2026``, ``1.3.2026`` or ``1/3/2026``.

    Raises:
        ReadError: It is not a date.
    """
    found = _DATE.fullmatch(text)
    try:
        day = (
            date(int(found["y"]), int(found["m"]), int(found["d"]))
            if found
            else date.fromisoformat(text)
        )
    except ValueError:
        message = "Skriv en dato, der findes, som dag-måned-år, for eksempel 24-03-2026."
        raise ReadError(message) from None
    return day.isoformat()


def read_time(text: str) -> str:
    """A time of day as ``08:30``, from ``8``, ``8:30``, ``8.30``, ``0830`` or ``08:30:00``.

    Raises:
        ReadError: It is not a time of day.
    """
    found = _TIME.fullmatch(text.removesuffix(":00") if text.count(":") == 2 else text)
    try:
        clock = time(int(found["h"]), int(found["m"] or 0)) if found else time.fromisoformat(text)
    except ValueError:
        message = "Skriv et klokkeslæt mellem 00:00 og 23:59, for eksempel 08:30."
        raise ReadError(message) from None
    return f"{clock:%H:%M}"


def _number(field: Field, text: str) -> int | Decimal:
    compact = text.replace(" ", "").replace("\N{NO-BREAK SPACE}", "")
    if len(compact) > 20:
        message = "Tallet er for stort."
        raise ReadError(message)
    if not _NUMBER.fullmatch(compact):
        # One point and three digits is a thousand to a Dane and a fraction to a machine: ask, never
        # guess.
        message = (
            "Skriv tallet uden punktum, for eksempel 1250 eller 7,5."
            if regex.fullmatch(r"-?\d{1,3}(\.\d{3})+", compact)
            else "Skriv et tal, for eksempel 7,5."
        )
        raise ReadError(message)
    if "," in compact:
        compact = compact.replace(".", "").replace(",", ".")
    value = Decimal(compact)
    decimals = max(0, -int(value.as_tuple().exponent))
    if field.decimals is not None and decimals > field.decimals:
        message = (
            "Skriv et helt tal."
            if field.decimals == 0
            else f"Skriv højst {field.decimals} decimaler."
        )
        raise ReadError(message)
    return int(value) if value == value.to_integral_value() and decimals == 0 else value


def _text(field: Field, text: str) -> str:
    if len(text) > _LONGEST.get(field.type, 1_000):
        message = f"Skriv højst {_LONGEST.get(field.type, 1_000)} tegn."
        raise ReadError(message)
    if not field.personal and _CPR.search(text):
        message = "Skriv ikke CPR-numre her."
        raise ReadError(message)
    return text


def faults(field: Field, value: Any, scope: Mapping[str, Any]) -> list[str]:
    """What is wrong with a value that could be read, in Danish, each saying what to do.

    Args:
        field: The field.
        value: Its value, None where nothing was written.
        scope: What expressions may read.
    """
    # Zero is an answer, though it equals False.
    if value is None or value is False or value == "" or value == []:
        if field.required.value(scope) is True:
            return [_missing(field)]
        return []
    found = list(_limits(field, value, scope))
    if isinstance(value, str) and field.type in {"textfield", "textarea"}:
        found += _form_of_text(field, value)
    if not found and field.check and field.check.value({**scope, "value": value}) is not True:
        found.append(field.message or "Det kan ikke være rigtigt. Se efter, og ret det.")
    return found


def _missing(field: Field) -> str:
    match field.type:
        case "checkbox":
            return "Sæt kryds for at gå videre."
        case "select" | "radio":
            return "Vælg en af mulighederne."
        case "checklist":
            return "Vælg mindst en."
        case "datetime":
            return {"date": "Udfyld datoen.", "time": "Udfyld klokkeslættet."}.get(
                field.subtype, "Udfyld dato og klokkeslæt."
            )
    return "Feltet skal udfyldes."


def _limits(field: Field, value: Any, scope: Mapping[str, Any]) -> list[str]:
    limits = {name: setting.value(scope) for name, setting in field.limits.items()}
    found: list[str] = []
    if field.type == "number":
        lowest, highest = limits.get("min"), limits.get("max")
        if lowest is not None and value < lowest:
            found.append(f"Skriv mindst {plain(lowest)}.")
        if highest is not None and value > highest:
            found.append(f"Skriv højst {plain(highest)}.")
    elif isinstance(value, str) and field.type in {"textfield", "textarea"}:
        shortest, longest = limits.get("minLength"), limits.get("maxLength")
        if shortest is not None and len(value) < shortest:
            found.append(f"Skriv mindst {plain(shortest)} tegn.")
        if longest is not None and len(value) > longest:
            found.append(f"Skriv højst {plain(longest)} tegn. Du har skrevet {len(value)}.")
    return found


def _form_of_text(field: Field, value: str) -> list[str]:
    if field.kind == "email" and not _EMAIL.fullmatch(value):
        return ["Skriv en e-mailadresse, for eksempel navn@eksempel.dk."]
    if field.kind == "phone" and not _PHONE.fullmatch(value):
        return ["Skriv et telefonnummer med mindst 8 cifre."]
    if field.pattern is not None:
        try:
            good = field.pattern.fullmatch(value, timeout=_PATTERN_SECONDS) is not None
        except TimeoutError:
            good = False
        if not good:
            return [field.message or "Feltet er ikke skrevet på den rigtige måde."]
    return []


def plain(value: Any) -> str:
    """A number as Danes write it."""
    return f"{value}".replace(".", ",")


def as_text(field: Field, value: Any) -> str:
    """A value as it is written in its field."""
    if value is None:
        return ""
    if field.type == "number":
        return plain(value)
    if field.type == "checkbox":
        return "on" if value is True else ""
    return str(value)


def as_words(field: Field, value: Any, choices: Sequence[Choice]) -> str:
    """A value as it is read out on a summary or a case page."""
    if value in (None, "") or value == []:
        return "Ikke udfyldt"
    labels = {choice.value: choice.label for choice in choices}
    match field.type:
        case "checkbox":
            return "Ja" if value is True else "Nej"
        case "checklist":
            return ", ".join(labels.get(str(item), str(item)) for item in value)
        case "select" | "radio":
            return labels.get(str(value), str(value))
        case "number":
            return f"{plain(value)} {field.suffix}".strip()
        case "datetime" if field.subtype != "time":
            day, _, clock = str(value).partition("T")
            try:
                shown = f"{date.fromisoformat(day):%d-%m-%Y}"
            except ValueError:
                shown = day
            return f"{shown} kl. {clock}" if clock else shown
    return str(value)
