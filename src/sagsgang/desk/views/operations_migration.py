# SPDX-License-Identifier: MPL-2.0
"""Moving running instances to another version: choose, map, see what would happen, do it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from sagsgang.cases import clock
from sagsgang.cases.errors import CaseError
from sagsgang.cases.operating import Operator
from sagsgang.desk.operating import operator_at_desk, printable, whole_number
from sagsgang.engine import migration
from sagsgang.engine.acts import told
from sagsgang.engine.errors import EngineError
from sagsgang.engine.inspection import elements_of
from sagsgang.engine.mapping import Pair
from sagsgang.engine.migration import MigrationPlan
from sagsgang.engine.models import ProcessDefinition
from sagsgang.engine.selection import Filter

_WHY = {
    "same": "Samme id",
    "name": "Navnet ligner",
    "place": "Samme sted i flowet",
    "none": "Intet forslag",
}
_LOOKED_AT = 2_000


@require_http_methods(["GET", "HEAD", "POST"])
def migrate(request: HttpRequest) -> HttpResponse:
    """The whole way on one page: versions, mapping, preview, and the button that starts it."""
    now = clock.now()
    operator = operator_at_desk(request, now)
    if not operator.sees_everything:
        raise Http404
    given = request.POST if request.method == "POST" else request.GET
    process = printable(given.get("proces", ""))
    versions = _versions(process)
    source, target = whole_number(given.get("fra", "")), whole_number(given.get("til", ""))
    numbers = [row.version for row in versions]
    context: dict[str, Any] = {
        "operator": operator,
        "processes": _processes(),
        "process": process,
        "versions": [{"row": row, "open": _open(operator, row)} for row in versions],
        "source": source,
        "target": target,
        "why": _WHY,
    }
    if source not in numbers or target not in numbers or source is None or target is None:
        return render(request, "desk/operations/migrate.html", context)
    if source == target:
        messages.warning(request, "Vælg to forskellige versioner.")
        return render(request, "desk/operations/migrate.html", context)
    try:
        proposed = migration.pairs(process, source=source, target=target)
        chosen = {each.source: each.target for each in proposed}
        if request.method == "POST":
            chosen |= {
                each.source: request.POST.get(f"til:{each.source}", each.target)
                for each in proposed
            }
        plan = migration.with_mapping(process, source, target, chosen)
        if request.POST.get("do") == "apply":
            return _apply(request, operator, plan)
        context |= _mapping(versions, proposed, plan)
        context["preview"] = migration.preview(plan, limit=_LOOKED_AT)
    except EngineError as error:
        messages.error(request, told(error))
    except CaseError as error:
        messages.error(request, str(error))
        context |= _mapping(versions, proposed, plan)
        context["preview"] = migration.preview(plan, limit=_LOOKED_AT)
        context["page_error"] = True
        return render(request, "desk/operations/migrate.html", context, status=422)
    return render(request, "desk/operations/migrate.html", context)


def _apply(request: HttpRequest, operator: Operator, plan: MigrationPlan) -> HttpResponse:
    now = clock.now()
    reason = request.POST.get("reason", "")
    if not reason.strip():
        raise CaseError("Skriv en begrundelse; den står i historikken.")
    ids = operator.ids(Filter(process=plan.process, version=plan.source, status="open"))
    run = operator.start_run(plan, ids, now=now, reason=reason)
    operator.advance(run.pk, now=now)
    return redirect("desk:operations-run", run=run.pk)


@require_safe
def definition(request: HttpRequest, process: str, version: int) -> HttpResponse:
    """The BPMN file of a version."""
    operator = operator_at_desk(request, clock.now())
    if not operator.sees_everything:
        raise Http404
    rows = ProcessDefinition.objects.filter(key=process, version=version)
    xml = rows.values_list("xml", flat=True).first()
    if xml is None:
        raise Http404
    return HttpResponse(bytes(xml), content_type="application/xml")


def _versions(process: str) -> Sequence[ProcessDefinition]:
    rows = ProcessDefinition.objects.filter(key=process).defer("xml")
    return list(rows.order_by("-version")[:20])


def _processes() -> dict[str, str]:
    rows = ProcessDefinition.objects.order_by("name", "-version").values_list("key", "name")
    found: dict[str, str] = {}
    for key, name in rows:
        found.setdefault(key, name or key)
    return found


def _open(operator: Operator, row: ProcessDefinition) -> int:
    chosen = Filter(process=row.key, version=row.version, status="open")
    return operator.count(chosen, most=100_000)


def _mapping(
    versions: Sequence[ProcessDefinition],
    proposed: Sequence[Pair],
    plan: MigrationPlan,
) -> dict[str, Any]:
    """The rows of the mapping: those that need a look first, then those that are the same."""
    by_version = {row.version: row.pk for row in versions}
    old, new = elements_of(by_version[plan.source]), elements_of(by_version[plan.target])
    possible = migration.partners(plan.process, source=plan.source, target=plan.target)
    rows = [
        {
            "element": each.source,
            "name": old[each.source][1],
            "options": possible[each.source],
            "chosen": plan.mapping.get(each.source, ""),
            "why": _WHY[each.why],
            "likeness": round(each.likeness * 100),
            "same": each.why == "same",
        }
        for each in proposed
        if old[each.source][0] != "process"
    ]
    mapped = set(plan.mapping.values())
    return {
        "rows": [row for row in rows if not row["same"]],
        "same": [row for row in rows if row["same"]],
        "added": [name for key, (_, name) in new.items() if key not in mapped],
        "names": {key: name for key, (_, name) in old.items()},
        "plan": plan,
        "changed": [key for key in old if plan.mapping.get(key) != key],
        "changed_to": [key for key in new if key not in mapped or key not in plan.mapping],
    }
