# SPDX-License-Identifier: MPL-2.0
"""The diagram: each shape and edge draws one element of the model, once (BPMN 2.0.2, 12)."""

from __future__ import annotations

from lxml import etree

from sagsgang.bpmn._read import reference
from sagsgang.bpmn.model import BPMNDI, DC, local_name
from sagsgang.bpmn.validation._context import (
    CHOREOGRAPHY,
    CONVERSATIONS,
    FLOW_NODES,
    SUBPROCESSES,
    Context,
)
from sagsgang.bpmn.validation._facts import element_kinds

__all__ = ["check_diagram"]

_NODES = (
    FLOW_NODES
    | CONVERSATIONS
    | {
        "participant",
        "lane",
        "textAnnotation",
        "group",
        "dataObject",
        "dataObjectReference",
        "dataStoreReference",
        "dataInput",
        "dataOutput",
        "dataStore",
        "message",
    }
)
_PLANES = (
    SUBPROCESSES
    | element_kinds("collaboration")
    | {"process", "subChoreography", "callChoreography", "callActivity", "subConversation"}
)
# A message may be drawn on each of its flows; a participant in each choreography activity.
_OFTEN = frozenset({"participant", "message"})
_ONLY_ON = {
    "isHorizontal": frozenset({"participant", "lane"}),
    "isExpanded": SUBPROCESSES
    | {
        "callActivity",
        "subChoreography",
        "callChoreography",
        "subConversation",
        "callConversation",
    },
    "isMarkerVisible": frozenset({"exclusiveGateway"}),
    "isMessageVisible": frozenset({"participant"}),
    "messageVisibleKind": frozenset({"messageFlow"}),
}
_SHAPE, _EDGE, _PLANE = "BPMNShape", "BPMNEdge", "BPMNPlane"


def check_diagram(context: Context) -> None:
    """Look at every diagram of the file."""
    identified = {
        key: each for each in context.root.iter(f"{{{BPMNDI}}}*") if (key := each.get("id"))
    }
    for plane in context.root.iter(f"{{{BPMNDI}}}{_PLANE}"):
        drawn: dict[str, etree._Element] = {}
        for element in (plane, *plane):
            if element.tag in {f"{{{BPMNDI}}}{each}" for each in (_SHAPE, _EDGE, _PLANE)}:
                _drawn(context, element, drawn)
                _links(context, element, identified)
    for bounds in context.root.iter(f"{{{DC}}}Bounds"):
        if any(_number(bounds.get(name)) < 0 for name in ("width", "height")):
            context.add(
                bounds, "diagram-bounds", "Bredde og højde kan ikke være negative; ret dem."
            )
    for font in context.root.iter(f"{{{DC}}}Font"):
        if _number(font.get("size")) < 0:
            context.add(
                font, "diagram-bounds", "En skriftstørrelse kan ikke være negativ; ret den."
            )


def _number(text: str | None) -> float:
    try:
        return float(text or "0")
    except ValueError:
        return 0.0  # told by the schema rules


def _drawn(context: Context, element: etree._Element, drawn: dict[str, etree._Element]) -> None:
    form = local_name(element)
    value = (element.get("bpmnElement") or "").strip()
    if not value:
        # An edge from data to a sequence flow has no element of its own.
        if form != _EDGE or not (element.get("sourceElement") or element.get("targetElement")):
            context.add(
                element,
                "diagram-element-missing",
                f"<{form}> skal nævne det, den tegner; angiv bpmnElement.",
            )
        return
    prefix = value.rpartition(":")[0]
    namespace = element.nsmap.get(prefix, "") if prefix else context.home
    if not namespace and prefix:
        context.add(
            element,
            "reference-prefix",
            f"bpmnElement={value!r} bruger præfikset {prefix!r}, som ikke er erklæret; ret det.",
        )
        return
    key = reference(value)
    target = context.model.by_id.get(key)
    if context.imports.declares(namespace) and (namespace != context.home or target is None):
        if context.imports.models(namespace) is None:
            return  # not here to be looked at
        target = context.imports.find(namespace, key)
    if target is None:
        context.add(
            element,
            "diagram-reference",
            f"Diagrammet tegner {value!r}, som ikke findes; fjern figuren.",
        )
        return
    kind = local_name(target)
    wrong = {
        _SHAPE: kind not in _NODES,
        _EDGE: kind in _NODES - {"message"},
        _PLANE: kind not in _PLANES,
    }[form]
    if wrong:
        context.add(
            element,
            "diagram-kind",
            f"<{form}> kan ikke tegne {value!r}, som er <{kind}>; ret henvisningen.",
        )
    elif form != _PLANE and kind not in _OFTEN and drawn.setdefault(key, element) is not element:
        context.add(
            element,
            "diagram-element-twice",
            f"{value!r} er tegnet to gange i samme diagram; fjern den ene figur.",
        )
    _band(context, element, kind)
    for name, kinds in _ONLY_ON.items():
        if element.get(name) is not None and kind not in kinds:
            context.add(
                element,
                "diagram-attribute",
                f"{name} bruges ikke på en figur for <{kind}>; fjern attributten.",
            )


def _band(context: Context, element: etree._Element, kind: str) -> None:
    """A participant band belongs to a choreography activity, and says so in two attributes."""
    band, activity = element.get("participantBandKind"), element.get("choreographyActivityShape")
    if (band is None) != (activity is None) or (band is not None and kind != "participant"):
        context.add(
            element,
            "diagram-participant-band",
            "participantBandKind og choreographyActivityShape hører sammen og kun til en deltager "
            "i en koreografiaktivitet; angiv begge eller ingen.",
        )


_LINKS = {
    "choreographyActivityShape": frozenset({_SHAPE}),
    "sourceElement": frozenset({_SHAPE, _EDGE}),
    "targetElement": frozenset({_SHAPE, _EDGE}),
    "labelStyle": frozenset({"BPMNLabelStyle"}),
}


def _links(
    context: Context, element: etree._Element, identified: dict[str, etree._Element]
) -> None:
    """References from figure to figure."""
    for each in (element, *element.findall(f"{{{BPMNDI}}}BPMNLabel")):
        for name, wanted in _LINKS.items():
            value = each.get(name)
            if value is None:
                continue
            target = identified.get(reference(value))
            if target is None or local_name(target) not in wanted:
                context.add(
                    each,
                    "diagram-link",
                    f"{name}={value!r} skal nævne {' eller '.join(sorted(wanted))} i diagrammet; "
                    "ret henvisningen.",
                )
            elif name == "choreographyActivityShape":
                owner = context.target(target.get("bpmnElement"))
                if owner is not None and local_name(owner) not in CHOREOGRAPHY:
                    context.add(
                        each,
                        "diagram-link",
                        f"{name}={value!r} tegner ikke en koreografiaktivitet; ret henvisningen.",
                    )
