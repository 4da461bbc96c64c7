# SPDX-License-Identifier: MPL-2.0
"""Data: what is declared, how it is passed on, and from where it can be reached
(BPMN 2.0.2, 10.4)."""

from __future__ import annotations

from lxml import etree

from sagsgang.bpmn._read import boolean, child, children, reference
from sagsgang.bpmn.model import local_name
from sagsgang.bpmn.validation._context import (
    ACTIVITIES,
    CATCHING,
    EVENTS,
    SUBPROCESSES,
    Context,
)

__all__ = ["check_data"]

_PAYLOADS = {
    "messageEventDefinition": ("messageRef", "itemRef"),
    "signalEventDefinition": ("signalRef", "structureRef"),
    "errorEventDefinition": ("errorRef", "structureRef"),
    "escalationEventDefinition": ("escalationRef", "structureRef"),
}


def check_data(context: Context) -> None:
    """Look at data."""
    for specification in context.all("ioSpecification"):
        _specification(context, specification)
        _task_interface(context, specification)
    for owner in context.all(*sorted(ACTIVITIES | EVENTS)):
        _associations(context, owner)
    for event in context.all(*sorted(EVENTS)):
        _event_data(context, event)
    for item in context.all("dataObjectReference"):
        _data_object_reference(context, item)
    for item in context.all("dataStoreReference"):
        if not item.get("dataStoreRef"):
            context.add(
                item,
                "data-store-reference-store",
                "En dataStoreReference skal nævne sit datalager; angiv dataStoreRef.",
            )
    for item in context.all("dataObject", "dataInput", "dataOutput"):
        _collection(context, item)
    for item in context.all("dataObject"):
        state = child(item, "dataState")
        if state is not None and state.get("name"):
            context.add(
                item,
                "data-object-state",
                "Et dataobjekt kan ikke selv have en tilstand; sæt den på en dataObjectReference.",
            )


def _specification(context: Context, specification: etree._Element) -> None:
    """The sets of an interface name what the interface declares, and each other (10.4.1)."""
    owner = specification.getparent()
    if owner is not None and local_name(owner) in SUBPROCESSES:
        context.add(
            specification,
            "subprocess-data",
            "En delproces må ikke erklære input og output; brug dataobjekter i den omgivende "
            "proces.",
        )
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
                target = context.target(key)
                if target is not None and local_name(target) == item:
                    context.add(
                        group,
                        f"{side}-set-foreign",
                        f"{key!r} er ikke erklæret i samme ioSpecification; ret henvisningen.",
                    )
            for tag in optional:
                for each in children(group, tag):
                    key = reference(each.text)
                    if key not in named and key in declared:
                        context.add(
                            group,
                            f"{side}-set-optional",
                            f"{key!r} er nævnt i {tag}, men ikke i {item}Refs; tilføj den dér.",
                        )
        for key in sorted(declared - used):
            context.add(
                specification,
                f"{side}-not-in-set",
                f"{key!r} skal være med i mindst ét {side}Set; tilføj den.",
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


def _task_interface(context: Context, specification: etree._Element) -> None:
    """What service, send and receive tasks may take and give (10.3.3)."""
    task = specification.getparent()
    kind = "" if task is None else local_name(task)
    limits = {
        "serviceTask": (1, 1, None, None),
        "sendTask": (1, None, 1, 0),
        "receiveTask": (None, 1, 0, 1),
    }.get(kind)
    if task is None or limits is None:
        return
    if kind == "serviceTask" and task.get("operationRef"):
        limits = (1, 1, 1, 1)
    for tag, most in zip(("inputSet", "outputSet", "dataInput", "dataOutput"), limits, strict=True):
        count = len(children(specification, tag))
        if most is not None and count > most:
            context.add(
                task,
                "task-interface",
                f"<{kind}> må højst have {most} <{tag}>; den har {count}.",
            )
    message = context.target(task.get("messageRef"))
    outgoing = None
    operation = context.target(task.get("operationRef"))
    if operation is not None and kind == "serviceTask":
        message = next(iter(context.targets(operation, "inMessageRef")), None)
        outgoing = next(iter(context.targets(operation, "outMessageRef")), None)
    pairs = {
        "serviceTask": (("dataInput", message), ("dataOutput", outgoing)),
        "sendTask": (("dataInput", message),),
        "receiveTask": (("dataOutput", message),),
    }[kind]
    for tag, carried in pairs:
        for item in children(specification, tag):
            _same_item(context, task, item, carried, "itemRef", "task-item")


def _same_item(
    context: Context,
    owner: etree._Element,
    item: etree._Element,
    carried: etree._Element | None,
    name: str,
    rule: str,
) -> None:
    mine = reference(item.get("itemSubjectRef"))
    theirs = reference(carried.get(name)) if carried is not None else ""
    if mine and theirs and mine != theirs:
        context.add(
            owner,
            rule,
            f"{item.get('id')!r} har typen {mine!r}, men det, der sendes eller modtages, har "
            f"{theirs!r}; de skal være ens.",
        )


def _event_data(context: Context, event: etree._Element) -> None:
    """Each definition of an event has its data, in the same order (10.5.1)."""
    items = children(event, "dataOutput" if local_name(event) in CATCHING else "dataInput")
    if not items:
        return
    definitions = context.definitions(event)
    side = "output" if local_name(event) in CATCHING else "input"
    sets = children(event, f"{side}Set")
    used = {
        reference(each.text)
        for group in sets
        for each in children(group, f"data{side.title()}Refs")
    }
    for item in items if sets or not context.signed else ():
        if item.get("id") not in used:
            context.add(
                event,
                f"{side}-not-in-set",
                f"{item.get('id')!r} skal være med i hændelsens {side}Set; tilføj den.",
            )
    if not definitions:
        return
    if len(items) != len(definitions):
        context.add(
            event,
            "event-data-count",
            f"Antallet af data ({len(items)}) er ikke antallet af udløsere ({len(definitions)}); "
            "der skal være data til hver.",
        )
        return
    for item, definition in zip(items, definitions, strict=False):
        payload = _PAYLOADS.get(local_name(definition))
        if payload is not None:
            carried = context.target(definition.get(payload[0]))
            _same_item(context, event, item, carried, payload[1], "event-data-item")


def _associations(context: Context, owner: etree._Element) -> None:
    declared = {each.get("id", "") for each in owner if local_name(each).startswith("data")}
    declared |= {each.get("id", "") for each in children(owner, "property")}
    for inner in ("ioSpecification", "multiInstanceLoopCharacteristics"):
        holder = child(owner, inner)
        if holder is not None:
            declared |= {each.get("id", "") for each in holder if each.get("id")}
    for tag, end, wanted in (
        ("dataInputAssociation", "targetRef", {"dataInput", "property"}),
        ("dataOutputAssociation", "sourceRef", {"dataOutput", "property"}),
    ):
        for association in children(owner, tag):
            for target in context.targets(association, end):
                if local_name(target) not in wanted or target.get("id") not in declared:
                    side = "input" if end == "targetRef" else "output"
                    context.add(
                        association,
                        f"{side}-association-end",
                        f"{end} skal nævne data, som elementet selv erklærer, ikke "
                        f"{target.get('id')!r}.",
                    )
            other = "sourceRef" if end == "targetRef" else "targetRef"
            for outer in context.targets(association, other):
                _outer_end(context, association, outer, incoming=end == "targetRef")
            if len(children(association, "sourceRef")) > 1 and (
                child(association, "transformation") is None
            ):
                context.add(
                    association,
                    "association-needs-transformation",
                    "Flere kilder kræver et udtryk, der samler dem; tilføj transformation.",
                )
            _association_items(context, association)


def _association_items(context: Context, association: etree._Element) -> None:
    """Data is copied as it is: both ends have one type, unless an expression makes the other."""
    if any(child(association, each) is not None for each in ("transformation", "assignment")):
        return
    target = next(iter(context.targets(association, "targetRef")), None)
    for source in context.targets(association, "sourceRef"):
        here, there = _item(context, source), _item(context, target)
        if here and there and not _same_type(context, here, there):
            context.add(
                association,
                "association-item",
                f"Dataforbindelsen går fra typen {here!r} til typen {there!r}; brug den samme "
                "type, eller tilføj en transformation.",
            )


def _item(context: Context, data: etree._Element | None) -> str:
    """The type of data, which a reference has from what it stands for; "" where it has none."""
    if data is None:
        return ""
    behind = context.target(data.get("dataObjectRef") or data.get("dataStoreRef"))
    own = data.get("itemSubjectRef")
    return reference(own or (behind.get("itemSubjectRef") if behind is not None else None))


def _same_type(context: Context, one: str, other: str) -> bool:
    """Whether two names are of one type; tools write a definition of it for each use."""
    if one == other:
        return True
    definitions = [context.target(each) for each in (one, other)]
    structures = {each.get("structureRef", "") for each in definitions if each is not None}
    if None in definitions:
        return True
    if context.signed and all(each and ":" not in each for each in structures):
        return True  # words of a programming language, which converts one into the other
    return len(structures) == 1 and structures != {""}


def _outer_end(
    context: Context, association: etree._Element, item: etree._Element, *, incoming: bool
) -> None:
    """The other end of an association must be within reach, and be of the right side."""
    kind = local_name(item)
    holder = item.getparent()
    at_process = (
        holder is not None
        and (above := holder.getparent()) is not None
        and local_name(above) == "process"
    )
    if not incoming and kind == "dataInput" and at_process:
        context.add(
            association,
            "process-input-written",
            f"{item.get('id')!r} er input til processen og kan ikke skrives; vælg et dataobjekt.",
        )
    if incoming and kind == "dataOutput" and at_process:
        context.add(
            association,
            "process-output-read",
            f"{item.get('id')!r} er output fra processen og kan ikke læses; vælg et dataobjekt.",
        )
    if kind in {"dataObject", "dataObjectReference", "property"} and (
        holder is not None and holder not in set(association.iterancestors())
    ):
        context.add(
            association,
            "data-out-of-reach",
            f"{item.get('id')!r} er erklæret et andet sted og kan ikke nås herfra; erklær det her "
            "eller længere ude.",
        )


def _data_object_reference(context: Context, item: etree._Element) -> None:
    """A data object can only be reached from where it is declared and further in."""
    if item.get("itemSubjectRef"):
        context.add(
            item,
            "data-object-reference-item",
            "En dataObjectReference har ikke selv en type; sæt itemSubjectRef på dataobjektet.",
        )
    if not item.get("dataObjectRef"):
        context.add(
            item,
            "data-object-reference-object",
            "En dataObjectReference skal nævne sit dataobjekt; angiv dataObjectRef.",
        )
    target = context.target(item.get("dataObjectRef"))
    if target is None or local_name(target) != "dataObject":
        return
    if target.getparent() not in set(item.iterancestors()):
        context.add(
            item,
            "data-out-of-reach",
            "Dataobjektet er erklæret i en anden proces eller delproces; erklær det her.",
        )


def _collection(context: Context, item: etree._Element) -> None:
    definition = context.target(item.get("itemSubjectRef"))
    if definition is None or local_name(definition) != "itemDefinition":
        return
    if boolean(item, "isCollection") != boolean(definition, "isCollection"):
        context.add(
            item,
            "collection-mismatch",
            "isCollection siger noget andet end den itemDefinition, der henvises til; ret det ene.",
        )
