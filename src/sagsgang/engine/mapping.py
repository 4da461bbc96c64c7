# SPDX-License-Identifier: MPL-2.0
"""Which element of a new version stands for which of the old: proposed from id, name and place.

An element with the same id and kind is itself. Of the rest, an old and a new element of the same
kind are likely partners the more their names have in common and the more of their neighbours are
partners already. The likeliest pair is taken first, so each pair found helps to find the next; an
element with no partner likely enough is left for a person to map.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher

from sagsgang.bpmn import Graph
from sagsgang.bpmn.graph import Kind, Node

__all__ = ["Pair", "pairs"]

_ENOUGH = 0.55
_NAME, _NEIGHBOURS, _POSITION = 0.55, 0.35, 0.10


@dataclass(frozen=True, slots=True)
class Pair:
    """An element and its partner.

    Attributes:
        source: Element of the old version.
        target: Its partner in the new one; "" where none is likely enough.
        why: ``same``, ``name``, ``place`` or ``none``.
        likeness: 1 is certain.
    """

    source: str
    target: str
    why: str
    likeness: float


def pairs(old: Graph, new: Graph) -> list[Pair]:
    """A partner for every element of the old version, in the order of the old model."""
    found: dict[str, Pair] = {old.process_id: Pair(old.process_id, new.process_id, "same", 1.0)}
    for key, node in old.nodes.items():
        partner = new.nodes.get(key)
        if partner is not None and partner.kind == node.kind:
            found[key] = Pair(key, key, "same", 1.0)
    taken = {pair.target for pair in found.values()}
    lost = [node for key, node in old.nodes.items() if key not in found]
    free = [node for key, node in new.nodes.items() if key not in taken]
    places = {key: at for at, key in enumerate(new.nodes)}
    while lost and free:
        best = max(
            (
                _likeness(node, each, at, places[each.id], found, old, new)
                for at, node in enumerate(old.nodes.values())
                if node in lost
                for each in free
                if _may_stand_for(node, each, found)
            ),
            key=lambda pair: pair.likeness,
            default=None,
        )
        if best is None or best.likeness < _ENOUGH:
            break
        found[best.source] = best
        lost = [node for node in lost if node.id != best.source]
        free = [node for node in free if node.id != best.target]
    return [found.get(key, Pair(key, "", "none", 0.0)) for key in old.nodes]


def _may_stand_for(node: Node, each: Node, found: Mapping[str, Pair]) -> bool:
    """The same kind of element, in the same place of the hierarchy."""
    if node.kind != each.kind or [e.kind for e in node.events] != [e.kind for e in each.events]:
        return False
    if (node.loop is None) != (each.loop is None):
        return False
    # What is around an element is mapped before it, for a container stands before its contents.
    container = found.get(node.container)
    if node.container and (container is None or container.target != each.container):
        return False
    if node.kind is Kind.BOUNDARY:
        host = found.get(node.attached_to)
        return host is not None and host.target == each.attached_to
    return True


def _likeness(
    node: Node,
    each: Node,
    at: int,
    place: int,
    found: Mapping[str, Pair],
    old: Graph,
    new: Graph,
) -> Pair:
    unnamed = node.name == node.id and each.name == each.id
    name = (
        SequenceMatcher(None, node.name.casefold(), each.name.casefold(), autojunk=False).ratio()
        if not unnamed
        else 0.5
    )
    before = {found[key].target for key in _around(node) if key in found}
    around = set(_around(each))
    neighbours = len(before & around) / max(len(before), len(around), 1)
    position = 1 - abs(at / max(len(old.nodes), 1) - place / max(len(new.nodes), 1))
    likeness = _NAME * name + _NEIGHBOURS * neighbours + _POSITION * position
    if name == 1.0 and not unnamed:
        # The same words for the same kind of thing outweigh where it stands.
        likeness = max(likeness, 0.9)
    return Pair(node.id, each.id, "name" if name >= 0.6 and not unnamed else "place", likeness)


def _around(node: Node) -> Iterator[str]:
    for flow in node.incoming:
        yield flow.source
    for flow in node.outgoing:
        yield flow.target.id
    if node.attached_to:
        yield node.attached_to
