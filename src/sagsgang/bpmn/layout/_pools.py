# SPDX-License-Identifier: MPL-2.0
"""Pools below each other, lanes within them, conversations below all."""

from __future__ import annotations

from lxml import etree

from sagsgang.bpmn._read import children, reference
from sagsgang.bpmn.layout._page import GAP_X, GAP_Y, HEADER, MARGIN, Box, Page
from sagsgang.bpmn.layout._placing import place

__all__ = ["place_pools"]

_CONVERSATION = (60.0, 52.0)


def place_pools(page: Page, pools: list[etree._Element], processes: list[etree._Element]) -> None:
    by_id = {each.get("id", ""): each for each in processes}
    top, width = MARGIN, 300.0
    frames: list[Box] = []
    for pool in pools:
        frame = Box(MARGIN, top, 0, 60.0)
        process = by_id.pop(reference(pool.get("processRef")), None)
        if process is not None:
            inner, frame.height, lanes = _place_process(page, process, MARGIN + HEADER, top)
            width = max(width, inner + HEADER)
            frames += lanes
        page.boxes[pool.get("id", "")] = frame
        frames.append(frame)
        top = frame.bottom + GAP_Y
    for frame in frames:
        frame.width = MARGIN + width - frame.x
    for process in by_id.values():
        inner, height, lanes = _place_process(page, process, MARGIN, top)
        for lane in lanes:
            lane.width = MARGIN + inner - lane.x
        top += height + GAP_Y
    _place_conversations(page, pools, top)


def _place_conversations(page: Page, pools: list[etree._Element], top: float) -> None:
    """Conversations stand side by side below the pools."""
    around = pools[0].getparent() if pools else None
    if around is None:
        return
    x = MARGIN + GAP_X
    for name in ("conversation", "subConversation", "callConversation"):
        for each in children(around, name):
            if each.get("id"):
                page.boxes[each.get("id", "")] = Box(x, top, *_CONVERSATION)
                x += _CONVERSATION[0] + GAP_X


def _place_process(
    page: Page, process: etree._Element, left: float, top: float
) -> tuple[float, float, list[Box]]:
    """Place a process and its lanes; gives width, height and lanes, whose width is to be set."""
    lanes: list[tuple[str, int, int, int]] = []
    band_of: dict[str, int] = {}
    bands = sum(_read_lanes(each, 0, band_of, lanes, 0) for each in children(process, "laneSet"))
    deep = max((depth for _, depth, _, _ in lanes), default=-1) + 1
    inner = left + deep * HEADER + GAP_X / 2
    placed = place(page, process, inner, top + GAP_Y / 2, band_of, max(bands, 1))
    # A band reaches to the middle of the space between its last row and the next band's first.
    edges = [top, *(bottom + GAP_Y / 2 for bottom in placed.bottoms)]
    edges[-1] = top + placed.height + GAP_Y
    boxes = []
    for key, depth, first, last in lanes:
        box = Box(left + depth * HEADER, edges[first], 0, edges[last] - edges[first])
        page.boxes[key] = box
        boxes.append(box)
    width = inner - left + placed.width + GAP_X / 2
    return width, placed.height + GAP_Y, boxes


def _read_lanes(
    lane_set: etree._Element,
    depth: int,
    band_of: dict[str, int],
    found: list[tuple[str, int, int, int]],
    first: int,
) -> int:
    """Number the innermost lanes as bands; gives how many there are.

    Adds to ``found``, for each lane, its id, depth, first band and the band after its last.
    """
    band = first
    for lane in children(lane_set, "lane"):
        begin = band
        inner = children(lane, "childLaneSet")
        for each in inner:
            band += _read_lanes(each, depth + 1, band_of, found, band)
        if band == begin:
            band += 1
        for each in children(lane, "flowNodeRef"):
            band_of.setdefault(reference((each.text or "").strip()), begin)
        found.append((lane.get("id", ""), depth, begin, band))
    return band - first
