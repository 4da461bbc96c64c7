# SPDX-License-Identifier: MPL-2.0
"""Which column holds which field: Danish and English names, with a hint for misspelt ones."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final

from sagsgang.solutions.timesheets.intake._fields import LABELS

__all__ = ["REQUIRED", "Columns", "recognise"]

REQUIRED: Final = ("employment", "date", "start", "end")

_NAMES: Final[Mapping[str, str]] = {
    "employment": "medarbejdernummer medarbejdernr medarbejder ansættelsesnummer ansættelsesnr "
    "lønnummer lønnr tjenestenummer tjenestenr employment employmentnumber employee "
    "employeenumber employeeid",
    "date": "dato vagtdato startdato dag date day startdate",
    "start": "start fra frakl starttid startkl mødetid begynd from starttime begin",
    "end": "slut til tilkl sluttid slutkl gåtid end to endtime stop",
    "end_date": "slutdato enddate",
    "break_minutes": "pause pauser pauseminutter pausemin break breaks breakminutes breakmin",
    "kind": "tjenestetype vagttype tjeneste type dutytype kind",
    "work": "arbejde arbejdstype work",
    "called_in": "tilkald tilkaldt calledin",
    "note": "bemærkning bemærkninger kommentar note notes comment remark",
    "reference": "timeseddel timeseddelnr timeseddelnummer timeseddelid seddel seddelnr sheet "
    "sheetid timesheet timesheetid reference",
    "unit": "enhed enhedsnr enhedsnummer afdeling afdelingsnr unit unitid department",
    "corrects": "retter rettersag corrects",
}
_FIELD_OF: Final[Mapping[str, str]] = {
    name: field for field, names in _NAMES.items() for name in names.split()
}


@dataclass(frozen=True, slots=True)
class Columns:
    """Where the fields are in a row.

    Attributes:
        places: Field to its column, counted from 0.
        fault: Danish sentence when the header cannot be used; otherwise empty.
        field: Label of the field that the fault is about.
    """

    places: Mapping[str, int]
    fault: str = ""
    field: str = ""


def _plain(name: object) -> str:
    text = re.sub(r"\(.*?\)|\[.*?\]", "", str(name if name is not None else "").casefold())
    text = text.replace("ae", "æ").replace("oe", "ø").replace("aa", "å")
    return re.sub(r"[^0-9a-zæøå]", "", text)


def recognise(header: Sequence[object]) -> Columns:
    """Return the columns of a header row, or why the file cannot be read by it."""
    places: dict[str, int] = {}
    seen: dict[str, str] = {}
    unknown: list[str] = []
    for number, cell in enumerate(header):
        plain = _plain(cell)
        field = _FIELD_OF.get(plain)
        shown = str(cell).strip()[:40]
        if field is None:
            if plain:
                unknown.append(shown)
            continue
        if field in places:
            return Columns(
                places,
                f'Kolonnerne "{seen[field]}" og "{shown}" er begge {LABELS[field].lower()}: '
                "slet eller omdøb den ene.",
                LABELS[field],
            )
        places[field] = number
        seen[field] = shown
    missing = [field for field in REQUIRED if field not in places]
    hints = _hints(unknown, places)
    if missing:
        names = ", ".join(LABELS[field] for field in missing)
        hint = f" {hints}" if hints else ""
        return Columns(
            places,
            f"Filen mangler {'kolonnen' if len(missing) == 1 else 'kolonnerne'} {names} i "
            f"overskriften: tilføj {'den' if len(missing) == 1 else 'dem'}.{hint}",
            LABELS[missing[0]],
        )
    if hints:
        return Columns(places, f"{hints} Ret navnet, eller slet kolonnen.")
    return Columns(places)


def _hints(unknown: Sequence[str], places: Mapping[str, int]) -> str:
    """Return which unknown columns are probably misspelt: a break must not be lost in silence."""
    open_names = [name for name, field in _FIELD_OF.items() if field not in places]
    hints = []
    for name in unknown:
        near = get_close_matches(_plain(name), open_names, n=1, cutoff=0.8)
        if near:
            hints.append(f'Mente du "{LABELS[_FIELD_OF[near[0]]]}" med kolonnen "{name}"?')
    return " ".join(hints)
