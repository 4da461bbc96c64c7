# SPDX-License-Identifier: MPL-2.0
"""Data, loops and performers (BPMN 2.0.2, 10.3 and 10.4)."""

from __future__ import annotations

from lxml import etree

from sagsgang.bpmn._expressions import condition as feel_expression
from sagsgang.bpmn._expressions import text_or_feel
from sagsgang.bpmn._read import (
    attribute,
    boolean,
    child,
    children,
    extension,
    reference,
    text_of,
    variable_names,
)
from sagsgang.bpmn.model import ZEEBE, local_name
from sagsgang.bpmn.validation._context import ACTIVITIES, Context

__all__ = ["check_data"]


def check_data(context: Context) -> None:
    """Look at data, loops and expressions."""
    for specification in context.all("ioSpecification"):
        _specification(context, specification)
    for activity in context.all(*sorted(ACTIVITIES)):
        _associations(context, activity)
    for loop in context.all("multiInstanceLoopCharacteristics"):
        _multi_instance(context, loop)
    for item in context.all("dataObjectReference"):
        _data_object_reference(context, item)
    for item in context.all("dataObject", "dataInput", "dataOutput", "property", "dataStore"):
        _collection(context, item)
    _expressions(context)


def _specification(context: Context, specification: etree._Element) -> None:
    """The sets of an interface name what the interface declares, and each other."""
    for side, item, optional in (
        ("input", "dataInput", ("optionalInputRefs", "whileExecutingInputRefs")),
        ("output", "dataOutput", ("optionalOutputRefs", "whileExecutingOutputRefs")),
    ):
        declared = {each.get("id", "") for each in children(specification, item)}
        used: set[str] = set()
        for group in children(specification, f"{side}Set"):
            named = {reference(each.text) for each in children(group, f"{item}Refs")}
            used |= named
            for key in sorted(named - declared):
                if context.target(key) is not None:
                    context.add(
                        group,
                        f"{side}-set-foreign",
                        f"{key!r} er ikke erklæret i samme ioSpecification; ret henvisningen.",
                    )
            for tag in optional:
                for each in children(group, tag):
                    if reference(each.text) not in named:
                        context.add(
                            group,
                            f"{side}-set-optional",
                            f"{reference(each.text)!r} er nævnt i {tag}, men ikke i {item}Refs.",
                        )
        for key in sorted(declared - used):
            context.add(
                specification,
                f"{side}-not-in-set",
                f"{key!r} skal være med i mindst ét {side}Set.",
            )
    _paired_sets(context, specification)


def _paired_sets(context: Context, specification: etree._Element) -> None:
    inputs = {
        each.get("id", ""): {reference(r.text) for r in children(each, "outputSetRefs")}
        for each in children(specification, "inputSet")
    }
    outputs = {
        each.get("id", ""): {reference(r.text) for r in children(each, "inputSetRefs")}
        for each in children(specification, "outputSet")
    }
    for left, right in ((inputs, outputs), (outputs, inputs)):
        for key, named in left.items():
            for other in sorted(named & set(right)):
                if key not in right[other]:
                    context.add(
                        specification,
                        "data-set-not-mutual",
                        f"{key!r} nævner {other!r}, som ikke nævner {key!r} igen; ret det ene.",
                    )


def _associations(context: Context, activity: etree._Element) -> None:
    specification = child(activity, "ioSpecification")
    declared = (
        {each.get("id", "") for each in specification} if specification is not None else set()
    )
    declared |= {each.get("id", "") for each in children(activity, "property")}
    loop = child(activity, "multiInstanceLoopCharacteristics")
    if loop is not None:
        declared |= {each.get("id", "") for each in loop if each.get("id")}
    for tag, end, wanted in (
        ("dataInputAssociation", "targetRef", {"dataInput", "property"}),
        ("dataOutputAssociation", "sourceRef", {"dataOutput", "property"}),
    ):
        for association in children(activity, tag):
            for each in children(association, end):
                key = reference(each.text)
                target = context.target(key)
                if target is None:
                    continue
                if local_name(target) not in wanted or key not in declared:
                    context.add(
                        association,
                        f"{'input' if end == 'targetRef' else 'output'}-association-end",
                        f"{end} skal nævne data, som aktiviteten selv erklærer, ikke {key!r}.",
                    )
            if len(children(association, "sourceRef")) > 1 and (
                child(association, "transformation") is None
            ):
                context.add(
                    association,
                    "association-needs-transformation",
                    "Flere kilder kræver et udtryk, der samler dem (transformation).",
                )


def _multi_instance(context: Context, loop: etree._Element) -> None:
    parent = loop.getparent()
    activity = parent if parent is not None else loop
    cardinality = child(loop, "loopCardinality")
    data = child(loop, "loopDataInputRef")
    vendor = extension(loop, "loopCharacteristics") is not None or bool(
        attribute(loop, "collection")
    )
    if cardinality is not None and data is not None:
        context.add(
            activity,
            "multi-instance-both",
            "Antallet skal komme fra enten loopCardinality eller loopDataInputRef, ikke begge.",
        )
    if cardinality is None and data is None and not vendor and context.executable(loop):
        context.add(
            activity,
            "multi-instance-count-missing",
            "I en eksekverbar proces skal aktiviteten sige, hvor mange gange den udføres "
            "(loopCardinality eller loopDataInputRef).",
            fatal=True,
        )
    for tag, end, item in (
        ("loopDataInputRef", "input", "inputDataItem"),
        ("loopDataOutputRef", "output", "outputDataItem"),
    ):
        if child(loop, item) is not None and child(loop, tag) is None:
            context.add(
                activity,
                f"multi-instance-{end}-item",
                f"{item} kræver, at {tag} nævner den samling, det kommer fra.",
            )
    behavior = loop.get("behavior", "All")
    needed = {"None": "noneBehaviorEventRef", "One": "oneBehaviorEventRef"}.get(behavior)
    if needed is not None and not loop.get(needed):
        context.add(
            activity,
            "multi-instance-behavior-event",
            f"behavior={behavior!r} kræver, at {needed} nævner en hændelse.",
        )
    if behavior == "Complex" and child(loop, "complexBehaviorDefinition") is None:
        context.add(
            activity,
            "multi-instance-behavior-complex",
            "behavior='Complex' kræver mindst én complexBehaviorDefinition.",
        )


def _data_object_reference(context: Context, item: etree._Element) -> None:
    """A data object can only be reached from where it is declared and further in."""
    target = context.target(item.get("dataObjectRef"))
    if target is None:
        return
    home, at = target.getparent(), item.getparent()
    while at is not None and at is not home:
        at = at.getparent()
    if at is None:
        context.add(
            item,
            "data-object-out-of-reach",
            "Dataobjektet er erklæret i en anden proces eller delproces; erklær det her.",
        )


def _collection(context: Context, item: etree._Element) -> None:
    definition = context.target(item.get("itemSubjectRef"))
    if definition is None or item.get("isCollection") is None:
        return
    if boolean(item, "isCollection") != boolean(definition, "isCollection"):
        context.add(
            item,
            "collection-mismatch",
            "isCollection siger noget andet end den itemDefinition, der henvises til; ret det ene.",
        )


_EXPRESSIONS = (
    "conditionExpression",
    "condition",
    "loopCardinality",
    "loopCondition",
    "completionCondition",
    "activationCondition",
)


def _expressions(context: Context) -> None:
    """Expressions that are said to be FEEL must be FEEL."""
    names = variable_names(context.model)
    standard = context.root.get("expressionLanguage", "").lower()
    for element in context.all(*_EXPRESSIONS):
        text = text_of(element)
        language = (element.get("language") or standard).lower()
        if not text or ("feel" not in language and not text.startswith("=")):
            continue
        _syntax(context, element, feel_expression(text, names).error)
    for element in context.root.iter(f"{{{ZEEBE}}}*"):
        for key in ("source", "expression", "correlationKey", "inputCollection", "outputElement"):
            text = element.get(key) or ""
            if text.startswith("="):
                _syntax(context, element, text_or_feel(text, names).error)
        if local_name(element) == "script" and element.get("expression"):
            _syntax(context, element, feel_expression(element.get("expression", ""), names).error)


def _syntax(context: Context, element: etree._Element, error: str) -> None:
    if not error:
        return
    at: etree._Element | None = element
    while at is not None and at.get("id") is None:
        at = at.getparent()
    owner = at if at is not None else element
    context.add(owner, "expression-syntax", error, fatal=True)
