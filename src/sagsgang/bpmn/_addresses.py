# SPDX-License-Identifier: MPL-2.0
"""Whom a message of a file is for: by its name, or by the message flows between its pools."""

from __future__ import annotations

from collections.abc import Container, Mapping

from sagsgang.bpmn._read import reference
from sagsgang.bpmn.model import BPMN, Model
from sagsgang.bpmn.protocol import SendMessage

__all__ = ["Addresses"]


class Addresses:
    """The message flows of a file.

    Args:
        model: The file.
    """

    def __init__(self, model: Model) -> None:
        self._flows: dict[str, set[str]] = {}
        for flow in model.root.iter(f"{{{BPMN}}}messageFlow"):
            source, target = reference(flow.get("sourceRef")), reference(flow.get("targetRef"))
            self._flows.setdefault(source, set()).add(target)
        self._pools = {
            each.get("id", ""): reference(each.get("processRef"))
            for each in model.root.iter(f"{{{BPMN}}}participant")
        }

    def tied(self, members: Mapping[str, Container[str]]) -> list[tuple[str, str]]:
        """The pairs of processes between which messages flow.

        Args:
            members: Of each process by id, the ids of its elements.
        """
        found = []
        for source, targets in self._flows.items():
            for target in targets:
                ends = [self._process_of(each, members) for each in (source, target)]
                if ends[0] and ends[1]:
                    found.append((ends[0], ends[1]))
        return found

    def _process_of(self, end: str, members: Mapping[str, Container[str]]) -> str:
        inside = (process for process, elements in members.items() if end in elements)
        return self._pools.get(end) or next(inside, "")

    def fits(self, letter: SendMessage, element: str, name: str, process: str) -> bool:
        """Whether a message is for one who waits.

        Args:
            letter: The message; its key begins with the element that sent it.
            element: Id of the element that waits.
            name: Name of the message that it waits for.
            process: Id of its process.
        """
        targets = self._flows.get(letter.key.partition("/")[0], set())
        if element in targets:
            return True
        if letter.name:
            return name == letter.name
        return any(self._pools.get(each) == process for each in targets)
