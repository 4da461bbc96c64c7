# SPDX-License-Identifier: MPL-2.0
"""Operations (drift): the overview, and the list with what can be done to many."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from sagsgang.cases import clock
from sagsgang.cases.errors import CaseError
from sagsgang.cases.operating import GovernedAct
from sagsgang.cases.operating_words import ACTS, AGES, STATUSES, ago, filter_words
from sagsgang.danish import number
from sagsgang.desk.operating import (
    Chosen,
    act_of,
    chosen_of,
    operator_at_desk,
    printable,
    whole_number,
)
from sagsgang.engine import overview, workers
from sagsgang.engine.inspection import elements_of
from sagsgang.engine.models import ProcessDefinition
from sagsgang.engine.operations import Result

_PAGE = 50
_TRIED = 50
_MOST_COUNTED = 10_000
_BULK = ("retry", "skip", "suspend", "resume", "cancel")
_GOVERNED: dict[str, tuple[GovernedAct, str]] = {
    "stop-process": ("suspend-definition", "{} starter ikke flere sager, før den startes igen."),
    "start-process": ("resume-definition", "{} kan starte sager igen."),
    "pause-type": ("pause-task-type", "{} er sat på pause."),
    "resume-type": ("resume-task-type", "{} er i gang igen."),
}


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """How everything stands: incidents by cause first, then what is late, then the processes."""
    now = clock.now()
    operator = operator_at_desk(request, now)
    found = operator.overview(now)
    alive = workers.alive(now)
    return render(
        request,
        "desk/operations/home.html",
        {
            "operator": operator,
            "overview": found,
            "causes": [{"cause": each, "age": ago(each.since, now)} for each in found.causes],
            "versions": [
                {"figures": each, "age": ago(each.oldest, now)} for each in found.versions
            ],
            "late_jobs": [{"late": each, "age": ago(each.since, now)} for each in found.late_jobs],
            "late_timers": found.late_timers and ago(found.late_timers.since, now),
            "workers": alive,
            "last_worker": None if alive else workers.last_seen(),
            "runs": operator.runs(limit=5),
            "pausable": sorted(set(found.task_types) - {each.task_type for each in found.paused}),
            "startable": _stopped_processes() if operator.governs else [],
            "now": now,
        },
    )


def _stopped_processes() -> Sequence[ProcessDefinition]:
    """Processes whose newest version may start nothing, also those with no open instance."""
    rows = ProcessDefinition.objects.defer("xml").order_by("key", "-version")
    newest: dict[str, ProcessDefinition] = {}
    for row in rows:
        newest.setdefault(row.key, row)
    return [row for row in newest.values() if row.state == ProcessDefinition.State.SUSPENDED]


@require_POST
def govern(request: HttpRequest) -> HttpResponse:
    """Stop or start a process; pause or resume a task type."""
    now = clock.now()
    operator = operator_at_desk(request, now, to_act=True)
    act, done = _GOVERNED.get(request.POST.get("do", ""), (None, ""))
    key = printable(request.POST.get("key", ""))
    if act is None:
        messages.error(request, "Vælg, hvad der skal ske.")
        return redirect("desk:operations")
    try:
        operator.govern(act, key, now=now, reason=request.POST.get("reason", ""))
    except CaseError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, done.format(key.partition(":")[0]))
    return redirect("desk:operations")


@require_safe
def instances(request: HttpRequest) -> HttpResponse:
    """The instances of a filter, the newest first."""
    now = clock.now()
    operator = operator_at_desk(request, now)
    known = _definitions()
    chosen = _fitting(chosen_of(request.GET), known)
    wanted = chosen.filter(now)
    after = whole_number(request.GET.get("efter", ""))
    rows = operator.find(wanted, after=after, limit=_PAGE + 1)
    shown = rows[:_PAGE]
    by_id = {row.pk: row for row in known}
    count = operator.count(wanted, most=_MOST_COUNTED)
    codes = {each.code for each in overview.causes(operator.within())}
    return render(
        request,
        "desk/operations/instances.html",
        {
            "operator": operator,
            "chosen": chosen,
            "rows": [_row(row, by_id[row.definition_id], now) for row in shown],
            "after": shown[-1].pk if len(rows) > _PAGE else None,
            "first": after is None,
            "count": f"{number(count)}+" if count == _MOST_COUNTED else number(count),
            "processes": {row.key: row.name or row.key for row in known},
            "versions": [row.version for row in known if row.key == chosen.process],
            "elements": _elements(known, chosen),
            "codes": sorted(codes | {chosen.code} - {"", "*"}),
            "statuses": STATUSES,
            "ages": {key: words for key, (words, _) in AGES.items()},
            "acts": {kind: ACTS[kind] for kind in _BULK},
        },
    )


def _definitions() -> list[ProcessDefinition]:
    return list(ProcessDefinition.objects.defer("xml").order_by("name", "key", "-version"))


def _fitting(chosen: Chosen, known: Sequence[ProcessDefinition]) -> Chosen:
    """Without the version and the step of another process, chosen before the process was."""
    versions = {row.version for row in known if row.key == chosen.process}
    if chosen.version not in versions:
        chosen = replace(chosen, version=None)
    if not any(chosen.element in elements_of(row.pk) for row in _of(chosen, known)):
        chosen = replace(chosen, element="")
    return chosen


def _of(chosen: Chosen, known: Sequence[ProcessDefinition]) -> list[ProcessDefinition]:
    """The definitions of the process and version chosen, the newest first."""
    return [
        row for row in known if row.key == chosen.process and chosen.version in {None, row.version}
    ]


def _elements(known: Sequence[ProcessDefinition], chosen: Chosen) -> list[tuple[str, str]]:
    """Where instances of a process may wait: of the version chosen, else of the newest."""
    rows = _of(chosen, known)
    if not rows:
        return []
    found = {
        key: name
        for key, (tag, name) in elements_of(rows[0].pk).items()
        if tag not in _NEVER_WAITED_AT
    }
    # A link may lead to a step of an older version, or to one where only incidents stand.
    for row in rows:
        if chosen.element in elements_of(row.pk):
            found.setdefault(chosen.element, elements_of(row.pk)[chosen.element][1])
    return list(found.items())


_HANGING = frozenset({"boundaryEvent", "startEvent"})
_NEVER_WAITED_AT = frozenset({"process", "startEvent", "endEvent", "intermediateThrowEvent"})


def _row(row: Any, definition: ProcessDefinition, now: Any) -> dict[str, Any]:
    names = elements_of(definition.pk)
    # What hangs on a step is told only where there is nothing else.
    every = row.elements.split()
    steps = [each for each in every if names.get(each, ("", ""))[0] not in _HANGING]
    waits = steps or every
    return {
        "row": row,
        "process": definition.name or definition.key,
        "version": definition.version,
        "waits": [names.get(each, ("", each))[1] for each in waits[:4]],
        "more": max(len(waits) - 4, 0),
        "age": ago(row.started_at, now),
    }


@require_POST
def many(request: HttpRequest) -> HttpResponse:
    """Do one thing to many: first shown with what would happen, then carried out."""
    now = clock.now()
    operator = operator_at_desk(request, now, to_act=True)
    kind = request.POST.get("do", "")
    query = request.POST.get("filter", "")
    chosen = chosen_of(_query(query))
    back = f"{reverse('desk:operations-instances')}?{chosen.query}"
    everything = request.POST.get("which") == "all"
    ids = (
        operator.ids(chosen.filter(now))
        if everything
        else [int(each) for each in request.POST.getlist("instance") if whole_number(each)]
    )
    if kind not in _BULK:
        messages.warning(request, "Vælg, hvad der skal ske.")
        return redirect(back)
    if not ids:
        messages.warning(request, "Sæt kryds ved de instanser, det gælder.")
        return redirect(back)
    reason = request.POST.get("reason", "")
    faults: list[str] = []
    try:
        act = act_of(kind, request.POST)
        if request.POST.get("confirmed"):
            run = operator.start_run(act, ids, now=now, reason=reason)
            operator.advance(run.pk, now=now)
            return redirect("desk:operations-run", run=run.pk)
        trial = operator.perform(act, ids[:_TRIED], now=now, reason="Forsøg", dry_run=True)
    except CaseError as error:
        faults, trial = [str(error)], []
    return render(
        request,
        "desk/operations/confirm.html",
        {
            "kind": kind,
            "act": ACTS[kind],
            "needs_reason": kind not in {"retry", "resume"},
            "ids": [] if everything else ids,
            "everything": everything,
            "count": len(ids),
            "words": filter_words(chosen.filter(now)),
            "filter": chosen.query,
            "back": back,
            "trial": _summary(trial),
            "tried": len(trial),
            "element": request.POST.get("element", ""),
            "code": request.POST.get("code", ""),
            "elements": _elements(_definitions(), chosen),
            "reason": reason,
            "faults": faults,
            "page_error": bool(faults),
        },
        status=422 if faults else 200,
    )


def _query(text: str) -> dict[str, str]:
    return dict(parse_qsl(text[:2_000]))


def _summary(trial: Sequence[Result]) -> dict[str, Any]:
    """What a trial came to: how many can, and why the others cannot."""
    refused: dict[str, int] = {}
    for each in trial:
        if each.refused:
            refused[each.fault] = refused.get(each.fault, 0) + 1
    return {
        "good": sum(1 for each in trial if not each.refused),
        "refused": sorted(refused.items(), key=lambda pair: -pair[1]),
    }
