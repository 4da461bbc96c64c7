# SPDX-License-Identifier: MPL-2.0
"""One running instance, as an operator sees and mends it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
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
    entered = {
        record.element: entry.at
        for entry in found.history
        for record in entry.events
        if record.event == "entered"
    }
    waits = [
        {
            "wait": wait,
            "words": waiting_for(wait),
            "incident": wait.kind is WaitKind.INCIDENT,
            "delayed": wait.kind is WaitKind.JOB
            and wait.status == "ready"
            and wait.available_at is not None
            and wait.available_at > now,
            "age": ago(since, now) if (since := wait.since or entered.get(wait.element)) else "",
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
            "variables": _variables(found, names, values=values),
            "unfolded": values or request.GET.get("variabler") == "alle",
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


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable as the page lists it.

    Attributes:
        name: Its name.
        text: Its shape, or its value when that was asked for.
        fields: Name and text of each field inside, where it has any.
    """

    name: str
    text: str
    fields: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True, slots=True)
class Variables:
    """The variables of the instance, or of one step that is open.

    Attributes:
        place: Name of the step; empty for the instance.
        listed: The variables in the order of their names.
    """

    place: str
    listed: Sequence[Variable]

    @property
    def values(self) -> int:
        """How many values there are, each field of a variable counted."""
        return sum(len(each.fields) or 1 for each in self.listed)


def _variables(found: InstanceView, names: Mapping[str, str], *, values: bool) -> list[Variables]:
    told = _value if values else variables.shape
    places = [("", found.variables), *((names.get(key, key), local) for key, local in found.local)]
    return [Variables(place, _listed(given, told)) for place, given in places]


def _listed(given: Mapping[str, Any], told: Callable[[Any], str]) -> list[Variable]:
    listed = []
    for name, value in sorted(given.items()):
        if variables.kind_of(value) == "context" and value:
            fields = [(key, told(inner)) for key, inner in sorted(value.items())]
            listed.append(Variable(name, variables.shape(value), fields))
        else:
            listed.append(Variable(name, told(value)))
    return listed


def _value(value: Any) -> str:
    """A value as text, never a CPR number: that is shown on the case, where its own purpose is."""
    text = scrub(to_string(value))
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]} …"


def _versions(found: InstanceView) -> list[int]:
    """The other versions of the process, the newest first."""
    rows = ProcessDefinition.objects.filter(key=found.definition.key)
    versions = rows.exclude(version=found.definition.version).order_by("-version")
    return list(versions.values_list("version", flat=True))
