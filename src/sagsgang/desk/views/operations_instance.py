# SPDX-License-Identifier: MPL-2.0
"""One running instance, as an operator sees and mends it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, cast

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from sagsgang.audit.identifiers import scrub
from sagsgang.bpmn.protocol import WaitKind
from sagsgang.cases import clock, reading
from sagsgang.cases.errors import CaseError, UnknownError
from sagsgang.cases.operating import Operator
from sagsgang.cases.operating_words import (
    ACTS,
    STATUSES,
    ago,
    described,
    happened,
    waiting_for,
)
from sagsgang.cases.visibility import cases_for
from sagsgang.desk.operating import act_of, operator_at_desk
from sagsgang.engine import operations, variables
from sagsgang.engine.inspection import InstanceView
from sagsgang.engine.models import ProcessDefinition
from sagsgang.feel import to_string
from sagsgang.organisation.models import User

_LONGEST = 2_000


@require_safe
def instance(request: HttpRequest, instance: int) -> HttpResponse:
    """The page of an instance."""
    now = clock.now()
    operator = operator_at_desk(request, now)
    return _page(request, operator, _found(operator, instance, now), now)


@require_POST
def reveal(request: HttpRequest, instance: int) -> HttpResponse:
    """The page with the values of the variables, for a purpose that is written down."""
    now = clock.now()
    operator = operator_at_desk(request, now, to_act=True)
    try:
        found = operator.reveal(instance, purpose=request.POST.get("purpose", "")[:200], now=now)
    except UnknownError:
        raise Http404 from None
    except CaseError as error:
        messages.error(request, str(error))
        return redirect("desk:operations-instance", instance=instance)
    return _page(request, operator, found, now, values=True)


@require_safe
def diagram(request: HttpRequest, instance: int) -> HttpResponse:
    """The BPMN file that the instance runs on."""
    now = clock.now()
    operator = operator_at_desk(request, now)
    row = operator.visible().filter(pk=instance).values_list("definition_id", flat=True).first()
    if row is None:
        raise Http404
    xml = ProcessDefinition.objects.values_list("xml", flat=True).get(pk=row)
    return HttpResponse(bytes(xml), content_type="application/xml")


@require_POST
def act(request: HttpRequest, instance: int) -> HttpResponse:
    """Do something to the instance, or try it without keeping it."""
    now = clock.now()
    operator = operator_at_desk(request, now, to_act=True)
    kind = request.POST.get("do", "")
    trial = bool(request.POST.get("trial"))
    try:
        [result] = operator.perform(
            act_of(kind, request.POST),
            [instance],
            now=now,
            reason=request.POST.get("reason", "") or ("Forsøg" if trial else ""),
            dry_run=trial,
        )
    except CaseError as error:
        messages.error(request, str(error))
        return redirect("desk:operations-instance", instance=instance)
    if result.refused:
        messages.error(request, result.fault)
    elif trial:
        messages.info(request, f"Intet er gemt. {_afterwards(operator, instance, result, now)}")
    else:
        done = f"{ACTS.get(kind, kind)}: udført."
        messages.success(request, f"{done} {_afterwards(operator, instance, result, now)}")
    return redirect("desk:operations-instance", instance=instance)


def _afterwards(
    operator: Operator, instance_id: int, result: operations.Result, now: datetime
) -> str:
    """Where the instance stands after an act, in a sentence."""
    status = STATUSES[result.status].lower()
    if not result.elements:
        return f"Instansen er så {status}."
    names = operator.inspect(instance_id, now=now, log=False).definition.graph.nodes
    places = ", ".join(
        f"»{names[each].name if each in names else each}«" for each in result.elements
    )
    return f"Instansen er så {status} og venter ved {places}."


def _found(operator: Operator, instance_id: int, now: datetime) -> InstanceView:
    try:
        return operator.inspect(instance_id, now=now)
    except UnknownError:
        raise Http404 from None


def _page(
    request: HttpRequest,
    operator: Operator,
    found: InstanceView,
    now: datetime,
    *,
    values: bool = False,
) -> HttpResponse:
    nodes = found.definition.graph.nodes
    names = {node.id: node.name for node in nodes.values()}
    waits = [
        {
            "wait": wait,
            "words": waiting_for(wait),
            "incident": wait.kind is WaitKind.INCIDENT,
            "delayed": wait.kind is WaitKind.JOB
            and wait.status == "ready"
            and wait.available_at is not None
            and wait.available_at > now,
            "age": ago(wait.since, now) if wait.since else "",
        }
        for wait in found.waits
    ]
    history = [
        {"entry": entry, "words": described(entry), "happened": happened(entry, names)}
        for entry in reversed(found.history)
    ]
    return render(
        request,
        "desk/operations/instance.html",
        {
            "operator": operator,
            "found": found,
            "row": found.row,
            "status": STATUSES[found.row.status],
            "age": ago(found.row.started_at, now),
            "case": _case(cast("User", request.user), found, now),
            "waits": waits,
            "incidents": [each for each in waits if each["incident"]],
            "standing": found.elements,
            "targets": operations.targets(found.definition) if found.is_open else [],
            "variables": _values(found) if values else _outlines(found),
            "values_shown": values,
            "kinds": {key: name for key, name in variables.KINDS.items() if key != "range"},
            "history": history,
            "names": reading.names_of([entry.actor for entry in found.history]),
            "versions": _versions(found),
            "may_act": operator.may_act and found.is_open,
        },
    )


def _case(user: User, found: InstanceView, now: datetime) -> Any:
    """The case of the instance, if the user may open it."""
    key = found.row.business_key
    if not key:
        return None
    cases = cases_for(user, timezone.localdate(now))
    return cases.filter(number=key).only("number", "title").first()


def _outlines(found: InstanceView) -> Sequence[tuple[str, Sequence[tuple[str, str]]]]:
    groups = [("", variables.outline(found.variables))]
    return groups + [(element, variables.outline(local)) for element, local in found.local]


def _values(found: InstanceView) -> Sequence[tuple[str, Sequence[tuple[str, str]]]]:
    groups = [("", _shown(found.variables))]
    return groups + [(element, _shown(local)) for element, local in found.local]


def _shown(values: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Values as text, never a CPR number: that is shown on the case, where its own purpose is."""
    shown = []
    for name in sorted(values):
        text = scrub(to_string(values[name]))
        shown.append((name, text if len(text) <= _LONGEST else f"{text[:_LONGEST]} …"))
    return shown


def _versions(found: InstanceView) -> list[int]:
    """The other versions of the process, the newest first."""
    rows = ProcessDefinition.objects.filter(key=found.definition.key)
    versions = rows.exclude(version=found.definition.version).order_by("-version")
    return list(versions.values_list("version", flat=True))
