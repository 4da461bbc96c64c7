# SPDX-License-Identifier: MPL-2.0
"""Pictures of a process instance between two steps, drawn from its real state.

A filled dot is a token at rest, with what it waits for above; a ring is an event that stands
guard over an activity. Flows taken so far are heavy, those of the last step have the colour of the
token.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from html import escape

from sagsgang.bpmn.model import BPMNDI, DC, DI, Model, local_name
from sagsgang.bpmn.state import Role, State

__all__ = ["Frame", "draw"]

_INK, _PAPER, _QUIET, _TOKEN = "#1f2933", "#ffffff", "#8795a1", "#b8420f"
_CAPTION = 34.0
_MARGIN = 20.0


@dataclass(frozen=True, slots=True)
class Frame:
    """What one picture shows.

    Attributes:
        caption: What has just happened.
        state: The state after it.
        before: Ids of the sequence flows taken by earlier steps.
        taken: Ids of the sequence flows taken by this step.
    """

    caption: str
    state: State
    before: Collection[str]
    taken: Collection[str]


@dataclass(frozen=True, slots=True)
class _Box:
    x: float
    y: float
    width: float
    height: float

    @property
    def middle(self) -> tuple[float, float]:
        return self.x + self.width / 2, self.y + self.height / 2


def draw(model: Model, frame: Frame) -> str:
    """The model's diagram as SVG with the tokens of a state on it."""
    elements = {each.get("id"): each for each in model.root.iter() if each.get("id")}
    boxes: dict[str, _Box] = {}
    lines: dict[str, list[tuple[float, float]]] = {}
    for shape in model.root.iter(f"{{{BPMNDI}}}BPMNShape"):
        bounds = shape.find(f"{{{DC}}}Bounds")
        assert bounds is not None
        x, y, width, height = (float(bounds.get(name)) for name in ("x", "y", "width", "height"))
        boxes[shape.get("bpmnElement")] = _Box(x, y, width, height)
    for edge in model.root.iter(f"{{{BPMNDI}}}BPMNEdge"):
        points = edge.findall(f"{{{DI}}}waypoint")
        lines[edge.get("bpmnElement")] = [(float(p.get("x")), float(p.get("y"))) for p in points]
    right = max(box.x + box.width for box in boxes.values()) + _MARGIN
    bottom = max(box.y + box.height for box in boxes.values()) + _MARGIN
    height = bottom + _CAPTION
    parts = [
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {right:g} {height:g}" '
            f'width="{right:g}" height="{height:g}" role="img" font-family="sans-serif">'
        ),
        f"<title>{escape(frame.caption)}</title>",
        f'<rect width="{right:g}" height="{height:g}" fill="{_PAPER}"/>',
        (
            f'<text x="{_MARGIN:g}" y="{bottom + 14:g}" font-size="15" fill="{_INK}">'
            f"{escape(frame.caption)}</text>"
        ),
    ]
    for key, points in lines.items():
        parts.append(_flow(points, elements[key].get("name", ""), _colour(key, frame)))
    for key, box in boxes.items():
        element = elements[key]
        parts.append(_shape(local_name(element), element.get("name", ""), box))
    parts += _tokens(frame.state, boxes)
    parts.append("</svg>\n")
    return "\n".join(parts)


def _colour(flow: str, frame: Frame) -> tuple[str, float]:
    if flow in frame.taken:
        return _TOKEN, 3.0
    return (_INK, 3.0) if flow in frame.before else (_QUIET, 1.2)


def _flow(points: list[tuple[float, float]], name: str, look: tuple[str, float]) -> str:
    colour, width = look
    path = " ".join(f"{x:g},{y:g}" for x, y in points)
    (x0, y0), (x1, y1) = points[-2:]
    across, down = (x1 > x0) - (x1 < x0), (y1 > y0) - (y1 < y0)
    back = (x1 - 9 * across, y1 - 9 * down)
    head = " ".join(
        f"{x:g},{y:g}"
        for x, y in (
            (x1, y1),
            (back[0] - 5 * down, back[1] - 5 * across),
            (back[0] + 5 * down, back[1] + 5 * across),
        )
    )
    text = ""
    if name:
        x, y = points[0]
        text = (
            f'<text x="{x + 8:g}" y="{y - 8:g}" font-size="12" fill="{_INK}">{escape(name)}</text>'
        )
    return (
        f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="{width:g}"/>'
        f'<polygon points="{head}" fill="{colour}"/>{text}'
    )


def _shape(kind: str, name: str, box: _Box) -> str:
    x, y = box.middle
    pen = f'fill="{_PAPER}" stroke="{_INK}" stroke-width="1.5"'
    below = (
        f'<text x="{x:g}" y="{box.y + box.height + 14:g}" font-size="12" text-anchor="middle" '
        f'fill="{_INK}">{escape(name)}</text>'
    )
    radius = box.width / 2
    if kind == "startEvent":
        return f'<circle cx="{x:g}" cy="{y:g}" r="{radius:g}" {pen}/>{below}'
    if kind == "endEvent":
        thick = pen.replace('"1.5"', '"3.5"')
        return f'<circle cx="{x:g}" cy="{y:g}" r="{radius:g}" {thick}/>{below}'
    if kind == "boundaryEvent":
        dashed = f'{pen} stroke-dasharray="4 2.5"'
        beside = (
            f'<text x="{box.x - 6:g}" y="{box.y + box.height:g}" font-size="12" '
            f'text-anchor="end" fill="{_INK}">{escape(name)}</text>'
        )
        return (
            f'<circle cx="{x:g}" cy="{y:g}" r="{radius:g}" {dashed}/>'
            f'<circle cx="{x:g}" cy="{y:g}" r="{radius - 4:g}" {dashed}/>'
            f'<path d="M{x:g} {y - 8:g}V{y:g}H{x + 6:g}" fill="none" stroke="{_INK}"/>{beside}'
        )
    if kind.endswith("Gateway"):
        corners = (
            f"{x:g},{box.y:g} {box.x + box.width:g},{y:g} "
            f"{x:g},{box.y + box.height:g} {box.x:g},{y:g}"
        )
        cross = (
            f'<path d="M{x - 8:g} {y - 8:g}l16 16m0-16l-16 16" stroke="{_INK}" stroke-width="3"/>'
        )
        return f'<polygon points="{corners}" {pen}/>{cross}{below}'
    sort = {"userTask": "user task", "serviceTask": "service", "sendTask": "send"}.get(kind, kind)
    return (
        f'<rect x="{box.x:g}" y="{box.y:g}" width="{box.width:g}" height="{box.height:g}" rx="9" '
        f'{pen}/><text x="{x:g}" y="{y - 4:g}" font-size="14" text-anchor="middle" '
        f'fill="{_INK}">{escape(name)}</text><text x="{x:g}" y="{y - 24:g}" font-size="10" '
        f'text-anchor="middle" fill="{_QUIET}">{sort}</text>'
    )


def _tokens(state: State, boxes: dict[str, _Box]) -> list[str]:
    parts = []
    for wait in state.waits.values():
        box = boxes[wait.element]
        x, y = box.middle
        if wait.role in {Role.BOUNDARY, Role.EVENT_SUBPROCESS}:
            parts.append(
                f'<circle cx="{x:g}" cy="{y:g}" r="{box.width / 2 + 4:g}" fill="none" '
                f'stroke="{_TOKEN}" stroke-width="2"/>'
            )
            continue
        parts.append(
            f'<circle cx="{x:g}" cy="{y + 15:g}" r="9" fill="{_TOKEN}"/>'
            f'<text x="{box.x + box.width:g}" y="{box.y - 6:g}" font-size="12" '
            f'text-anchor="end" fill="{_TOKEN}">'
            f"{wait.kind.value.replace('_', ' ')}, wait {wait.id}</text>"
        )
    return parts
