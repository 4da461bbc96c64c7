# SPDX-License-Identifier: MPL-2.0
"""What a parameter is called in Danish, for the sentences that a caseworker reads."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from sagsgang.solutions.timesheets.pay.agreements import Band

__all__ = ["parameter_title"]

_OF_BAND: Final[Mapping[str, str]] = {
    "percent": "procent",
    "amount": "beløb pr. time",
    "minimum": "mindstebeløb",
    "settlement": "løn eller afspadsering",
    "time_off_points": "point til afspadsering",
    "band_rounding": "afrunding",
    "window": "tidsrum",
}
_TITLES: Final[Mapping[str, str]] = {
    "band_rounding": "afrunding af tillæg til halve timer",
    "called_in.minimum_hours": "mindstebetaling ved tilkald",
    "cancelled.hours": "betaling ved aflyst vagt",
    "day_duty_start": "dagtjenestens begyndelse den 24. december",
    "holiday_allowance.percent": "feriegodtgørelse, procent",
    "holiday_pay.days": "søgnehelligdagsbetaling, krav om ansættelse",
    "moved.amount": "omlagt tjeneste, beløb",
    "moved.notice_hours": "omlagt tjeneste, varsel",
    "moved_on_call.amount": "omlagt rådighedstjeneste, beløb",
    "on_call.percent": "rådighedstjeneste, procent",
    "overtime.percent": "overarbejde, procent",
    "overtime.settlement": "overarbejde, løn eller afspadsering",
    "overtime.threshold": "overarbejde, grænse",
    "pension.percent": "pension af tillæg, procent",
    "split.span.amount": "delt tjeneste, beløb",
    "split.span.hours": "delt tjeneste, grænse i timer",
    "split.three_parts.amount": "delt tjeneste i tre dele, beløb",
    "unannounced.amount": "varskotillæg, beløb",
    "unplaced_break": "placering af pause uden klokkeslæt",
}


def parameter_title(name: str, bands: Iterable[Band]) -> str:
    """Return the Danish name of a parameter and its technical name in parentheses.

    Args:
        name: Name of the parameter.
        bands: The supplements of its agreement.
    """
    first, _, rest = name.partition(".")
    of_band = {band.id: band.name for band in bands}
    if first in of_band:
        title = f"{of_band[first]}, {_OF_BAND.get(rest.partition('.')[0], rest)}"
    elif first == "special_day":
        month, _, day = rest.partition("-")
        title = f"Særlig dag {int(day)}.{int(month)}."
    elif first == "level":
        title = "Regulering fra et lønniveau til i dag"
    else:
        title = _TITLES.get(name, "Parameteren")
    return f"{title[:1].upper()}{title[1:]} ({name})"
