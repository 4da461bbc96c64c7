# SPDX-License-Identifier: MPL-2.0
"""Activities: tasks, sub-processes, calls and repetition (BPMN 2.0.2, 10.3)."""

from __future__ import annotations

import re
from collections import Counter

from lxml import etree

from sagsgang.bpmn._read import attribute, child, children, extension, reference, text_of
from sagsgang.bpmn.model import local_name
from sagsgang.bpmn.validation._context import (
    ABSOLUTE_URI,
    ACTIVITIES,
    SUBPROCESSES,
    TASKS,
    Context,
)

__all__ = ["check_activities"]

_MIME = re.compile(r"[\w.+-]+/[\w.+*-]+\s*(;.*)?")
_EXPRESSIONS = (
    "activationCondition",
    "completionCondition",
    "condition",
    "conditionExpression",
    "dataPath",
    "from",
    "loopCardinality",
    "loopCondition",
    "messagePath",
    "timeCycle",
    "timeDate",
    "timeDuration",
    "to",
    "transformation",
)
_ROLES = ("resourceRole", "performer", "humanPerformer", "potentialOwner")


def check_activities(context: Context) -> None:
    """Look at every activity."""
    for activity in context.all(*sorted(ACTIVITIES)):
        _quantities(context, activity)
        loop = child(activity, "multiInstanceLoopCharacteristics")
        if loop is not None:
            _multi_instance(context, activity, loop)
    for activity in context.all("adHocSubProcess"):
        _ad_hoc(context, activity)
    for activity in context.all("callActivity"):
        _call(context, activity)
    for task in context.all("scriptTask", "globalScriptTask"):
        _script(context, task)
    for role in context.all(*_ROLES):
        _parameters(context, role)
    _languages(context)
    for text in context.all("documentation", "textAnnotation"):
        kind = text.get("textFormat")
        if kind is not None and not _MIME.fullmatch(kind.strip()):
            context.add(
                text,
                "text-format",
                f"textFormat={kind!r} skal være en medietype, fx text/plain; ret den.",
            )


def _languages(context: Context) -> None:
    """Languages of expressions and types are named by URI (8.2.1 and 8.4.6)."""
    named = [(context.root, name) for name in ("expressionLanguage", "typeLanguage")]
    named += [
        (each, "language")
        for each in context.all("formalExpression", *_EXPRESSIONS)
        if each.get("language") is not None
    ]
    for element, name in named:
        language = element.get(name)
        if language and not ABSOLUTE_URI.fullmatch(language.strip()):
            context.add(
                element,
                "language-uri",
                f"{name}={language!r} skal være en URI, fx "
                "https://www.omg.org/spec/DMN/20191111/FEEL/.",
            )


def _quantities(context: Context, activity: etree._Element) -> None:
    for name, rule in (
        ("startQuantity", "start-quantity"),
        ("completionQuantity", "completion-quantity"),
    ):
        value = (activity.get(name) or "").strip()
        if re.fullmatch(r"[+-]?\d+", value) and int(value[:20]) < 1:
            context.add(activity, rule, f"{name} er {value}; den må ikke være mindre end 1.")


def _ad_hoc(context: Context, activity: etree._Element) -> None:
    for each in activity:
        if local_name(each) in {"startEvent", "endEvent"}:
            context.add(
                each,
                "adhoc-start-or-end",
                "En ad hoc-delproces må ikke have start- eller sluthændelser; fjern den.",
            )
    if not any(local_name(each) in ACTIVITIES for each in activity):
        context.add(
            activity,
            "adhoc-empty",
            "En ad hoc-delproces skal have mindst én aktivitet; tilføj den.",
        )


def _script(context: Context, task: etree._Element) -> None:
    name = "scriptFormat" if local_name(task) == "scriptTask" else "scriptLanguage"
    given = (task.get(name) or "").strip()
    if not given and text_of(child(task, "script")):
        context.add(
            task,
            "script-format-missing",
            f"Et script skal sige, hvilket sprog det er skrevet i; angiv {name}.",
        )
    elif given and not _MIME.fullmatch(given):
        context.add(
            task,
            "script-format-kind",
            f"{name}={given!r} skal være en medietype, fx application/x-feel.",
        )


def _call(context: Context, activity: etree._Element) -> None:
    """Inputs and outputs of a call are exactly those of what is called (10.3.6)."""
    called = context.target(activity.get("calledElement"))
    here = child(activity, "ioSpecification")
    there = child(called, "ioSpecification") if called is not None else None
    if here is None and there is not None and child(activity, "extensionElements") is None:
        needed = children(there, "dataInput") + children(there, "dataOutput")
        if needed:
            context.add(
                activity,
                "call-interface",
                f"Det kaldte har {len(needed)} input og output, kaldeaktiviteten ingen; giv den de "
                "samme i en ioSpecification.",
            )
    if here is None:
        return
    for tag in ("dataInput", "dataOutput", "inputSet", "outputSet"):
        mine = [reference(each.get("itemSubjectRef")) for each in children(here, tag)]
        theirs = (
            []
            if there is None
            else [reference(each.get("itemSubjectRef")) for each in children(there, tag)]
        )
        if called is not None and Counter(mine) != Counter(theirs) and (there is not None):
            context.add(
                activity,
                "call-interface",
                f"Kaldeaktiviteten har {len(mine)} <{tag}>, det kaldte {len(theirs)}, eller deres "
                "typer er forskellige; de skal være ens.",
            )
            return


def _parameters(context: Context, role: etree._Element) -> None:
    """A binding names a parameter of the resource that it is for (10.3.1)."""
    resources = context.targets(role, "resourceRef")
    for binding in children(role, "resourceParameterBinding"):
        parameter = context.target(binding.get("parameterRef"))
        if (
            parameter is not None
            and resources
            and local_name(resources[0]) == "resource"
            and parameter.getparent() is not resources[0]
        ):
            context.add(
                binding,
                "resource-parameter-foreign",
                f"{parameter.get('id')!r} er ikke en parameter til den ressource, der nævnes; ret "
                "den ene.",
            )


_NEVER_THROWN = frozenset(
    {
        "timerEventDefinition",
        "conditionalEventDefinition",
        "linkEventDefinition",
        "cancelEventDefinition",
        "terminateEventDefinition",
    }
)
_BEHAVIOR_EVENTS = {"None": "noneBehaviorEventRef", "One": "oneBehaviorEventRef"}


def _multi_instance(context: Context, activity: etree._Element, loop: etree._Element) -> None:
    cardinality = child(loop, "loopCardinality")
    data = child(loop, "loopDataInputRef")
    vendor = extension(loop, "loopCharacteristics") is not None or bool(
        attribute(loop, "collection")
    )
    vendor = vendor or any("collection" in str(key) for key in loop.attrib)
    if cardinality is not None and data is not None:
        context.add(
            loop,
            "multi-instance-both",
            "Antallet skal komme fra enten loopCardinality eller loopDataInputRef; fjern den ene.",
        )
    if cardinality is None and data is None and not vendor and context.executable(loop):
        context.add(
            loop,
            "multi-instance-count-missing",
            "Aktiviteten kan ikke udføres, før den siger, hvor mange gange; angiv loopCardinality "
            "eller loopDataInputRef.",
            fatal=True,
        )
    for tag, end, item in (
        ("loopDataInputRef", "input", "inputDataItem"),
        ("loopDataOutputRef", "output", "outputDataItem"),
    ):
        if child(loop, item) is not None and child(loop, tag) is None and not vendor:
            context.add(
                loop,
                f"multi-instance-{end}-item",
                f"{item} kræver, at {tag} nævner den samling, det kommer fra; angiv den.",
            )
        _loop_data(context, activity, loop, tag, end)
    behavior = loop.get("behavior", "All")
    needed = _BEHAVIOR_EVENTS.get(behavior)
    if needed is not None and not loop.get(needed):
        context.add(
            loop,
            "multi-instance-behavior-event",
            f"behavior={behavior!r} kræver, at {needed} nævner en hændelse; angiv den.",
        )
    for name in _BEHAVIOR_EVENTS.values():
        event = context.target(loop.get(name))
        if event is not None and local_name(event) in _NEVER_THROWN:
            context.add(
                loop,
                "multi-instance-behavior-event",
                f"{name} nævner {event.get('id')!r}, som ikke kan udløses; vælg et signal, en "
                "meddelelse eller en eskalering.",
            )
    if behavior == "Complex" and child(loop, "complexBehaviorDefinition") is None:
        context.add(
            loop,
            "multi-instance-behavior-complex",
            "behavior='Complex' kræver mindst én complexBehaviorDefinition; tilføj den.",
        )


def _loop_data(
    context: Context, activity: etree._Element, loop: etree._Element, tag: str, end: str
) -> None:
    """For a task the collection is data of its own; for a sub-process a data object (10.3.8)."""
    for target in context.targets(loop, tag):
        kind, name = local_name(target), target.get("id")
        own = f"data{end.capitalize()}"
        specification = child(activity, "ioSpecification")
        if local_name(activity) in TASKS:
            if kind != own or target.getparent() is not specification:
                context.add(
                    loop,
                    f"multi-instance-{end}-data",
                    f"{tag} skal nævne en <{own}> i opgavens egen ioSpecification, ikke {name!r}.",
                )
        elif local_name(activity) in SUBPROCESSES and kind not in {
            "dataObject",
            "dataObjectReference",
            "dataInput",
            "dataOutput",
            "property",
        }:
            context.add(
                loop,
                f"multi-instance-{end}-data",
                f"{tag} skal nævne et dataobjekt, som delprocessen kan se, ikke {name!r}.",
            )
        if kind in {"dataObject", own} and target.get("isCollection") in {"false", "0"}:
            context.add(
                loop,
                "multi-instance-collection",
                f"{name!r} er ikke en samling; sæt isCollection, eller vælg en, der er.",
            )
