# SPDX-License-Identifier: MPL-2.0
"""From the XML of a process to its graph.

Reading is lenient: what the standard forbids is found by ``check``; what cannot be followed here
is left out, and an expression that is not FEEL becomes an incident where it is met.
"""

from __future__ import annotations

from collections.abc import Iterable
from weakref import WeakKeyDictionary

from lxml import etree

from sagsgang.bpmn._expressions import Expression, condition
from sagsgang.bpmn._read import boolean, child, extension, reference, variable_names
from sagsgang.bpmn._read_events import EventReader
from sagsgang.bpmn._read_tasks import TaskReader
from sagsgang.bpmn.errors import UnknownProcess
from sagsgang.bpmn.graph import EventKind, Flow, Graph, Kind, Node, StartEvent
from sagsgang.bpmn.model import BPMN, Model, local_name

__all__ = ["compile"]

_KINDS = {
    "startEvent": Kind.START,
    "endEvent": Kind.END,
    "intermediateCatchEvent": Kind.CATCH,
    "intermediateThrowEvent": Kind.THROW,
    "implicitThrowEvent": Kind.THROW,
    "boundaryEvent": Kind.BOUNDARY,
    "task": Kind.TASK,
    "manualTask": Kind.TASK,
    "userTask": Kind.USER,
    "serviceTask": Kind.SERVICE,
    "businessRuleTask": Kind.RULE,
    "scriptTask": Kind.SCRIPT,
    "sendTask": Kind.SEND,
    "receiveTask": Kind.RECEIVE,
    "callActivity": Kind.CALL,
    "subProcess": Kind.SUBPROCESS,
    "adHocSubProcess": Kind.ADHOC,
    "transaction": Kind.TRANSACTION,
    "exclusiveGateway": Kind.EXCLUSIVE,
    "parallelGateway": Kind.PARALLEL,
    "inclusiveGateway": Kind.INCLUSIVE,
    "complexGateway": Kind.COMPLEX,
    "eventBasedGateway": Kind.EVENT_GATEWAY,
}
_CONTAINERS = {Kind.SUBPROCESS, Kind.EVENT_SUBPROCESS, Kind.ADHOC, Kind.TRANSACTION}
_OUTSIDE_FLOW = frozenset({Kind.PROCESS, Kind.EVENT_SUBPROCESS})
_ACTIVITIES = range(Kind.TASK, Kind.TRANSACTION + 1)
_SUBSCRIBED = {EventKind.MESSAGE, EventKind.TIMER, EventKind.SIGNAL, EventKind.CONDITION}

_cache: WeakKeyDictionary[Model, dict[str, Graph]] = WeakKeyDictionary()


def compile(model: Model, process_id: str | None = None) -> Graph:  # noqa: A001 - as in ``re``
    """The graph of a process; compiled once for each model object.

    Args:
        model: What ``load`` gave.
        process_id: Which process. None is the first executable one, else the first.

    Raises:
        UnknownProcess: The file has no such process, or none at all.
    """
    if process_id is None:
        candidates = [each for each in model.processes if each.executable] or model.processes
        if not candidates:
            raise UnknownProcess("Filen har ingen proces; tegn en.")
        process_id = candidates[0].id
    graphs = _cache.setdefault(model, {})
    graph = graphs.get(process_id)
    if graph is None:
        graph = graphs[process_id] = _Builder(model, process_id).build()
    return graph


class _Builder:
    def __init__(self, model: Model, process_id: str) -> None:
        self._model = model
        info = next((each for each in model.processes if each.id == process_id), None)
        if info is None:
            known = ", ".join(repr(each.id) for each in model.processes)
            raise UnknownProcess(
                f"Filen har ingen proces {process_id!r}; den har {known or 'ingen'}."
            )
        self._info = info
        self._process = info.element
        self._names = variable_names(model)
        self._events = EventReader(model, self._names)
        self._tasks = TaskReader(model, self._process, self._names)
        self._nodes: dict[str, Node] = {}
        self._elements: dict[str, etree._Element] = {}

    def build(self) -> Graph:
        root = Node(
            id=self._info.id, name=self._info.name, kind=Kind.PROCESS, tag="process", container=""
        )
        self._nodes[root.id] = root
        self._elements[root.id] = self._process
        self._read_nodes(self._process, root)
        self._read_flows()
        self._attach_boundaries()
        self._link()
        for element in self._model.root.iter(f"{{{BPMN}}}messageFlow"):
            sender = self._nodes.get(reference(element.get("sourceRef")))
            if sender is not None:
                sender.addressed = True
        for node in list(self._nodes.values()):
            if node.kind in _CONTAINERS or node is root:
                self._fill_container(node)
        self._mark_compensable(root)
        return Graph(
            process_id=root.id,
            name=root.name,
            root=root,
            nodes=self._nodes,
            start_events=tuple(self._start_events(root)),
            has_inclusive=any(
                each.kind in {Kind.INCLUSIVE, Kind.COMPLEX} for each in self._nodes.values()
            ),
            has_conditions=any(
                event.kind is EventKind.CONDITION
                for each in self._nodes.values()
                for event in each.events
            ),
        )

    def _read_nodes(self, element: etree._Element, container: Node) -> None:
        found: list[Node] = []
        for each in element:
            kind = _KINDS.get(local_name(each)) if _is_bpmn(each) else None
            if kind is None:
                continue
            # An id is optional: what no flow names, such as an event sub-process, may lack it.
            key = each.get("id") or f"{container.id}/{local_name(each)}-{len(found) + 1}"
            if kind is Kind.SUBPROCESS and boolean(each, "triggeredByEvent"):
                kind = Kind.EVENT_SUBPROCESS
            node = Node(
                id=key,
                name=" ".join((each.get("name") or key).split()),
                kind=kind,
                tag=local_name(each),
                container=container.id,
            )
            self._nodes[key] = node
            self._elements[key] = each
            found.append(node)
            self._describe(node, each)
            if kind in _CONTAINERS:
                self._read_nodes(each, node)
        container.children = tuple(found)

    def _describe(self, node: Node, element: etree._Element) -> None:
        kind = node.kind
        if kind in {Kind.START, Kind.END, Kind.CATCH, Kind.THROW, Kind.BOUNDARY}:
            node.events = self._events.read(element)
            node.throws_signal = kind in {Kind.END, Kind.THROW} and any(
                each.kind is EventKind.SIGNAL for each in node.events
            )
            node.parallel_multiple = boolean(element, "parallelMultiple")
            flag = "isInterrupting" if kind is Kind.START else "cancelActivity"
            node.interrupting = boolean(element, flag, default=True)
            node.attached_to = reference(element.get("attachedToRef"))
            self._tasks.read_event(node, element)
        elif kind in _ACTIVITIES:
            node.start_quantity = _quantity(element, "startQuantity")
            node.completion_quantity = _quantity(element, "completionQuantity")
            node.is_compensation = boolean(element, "isForCompensation")
            node.loop = self._tasks.read_loop(element, self._events)
            self._tasks.read(node, element)
            if kind is Kind.ADHOC:
                node.sequential = element.get("ordering", "Parallel") == "Sequential"
                node.cancel_remaining = boolean(element, "cancelRemainingInstances", default=True)
                node.completion = self._condition(child(element, "completionCondition"))
                settings = extension(element, "adHoc")
                chosen = settings.get("activeElementsCollection") if settings is not None else ""
                node.active = condition(chosen, self._names) if chosen else None
        elif kind is Kind.COMPLEX:
            node.activation = self._condition(child(element, "activationCondition"))
        elif kind is Kind.EVENT_GATEWAY:
            node.instantiate = boolean(element, "instantiate")
            node.parallel_multiple = element.get("eventGatewayType") == "Parallel"

    def _condition(self, element: etree._Element | None) -> Expression | None:
        text = "".join(map(str, element.itertext())).strip() if element is not None else ""
        return condition(text, self._names) if text else None

    def _read_flows(self) -> None:
        incoming: dict[str, list[Flow]] = {}
        outgoing: dict[str, list[Flow]] = {}
        flows: dict[str, Flow] = {}
        for element in self._process.iter(f"{{{BPMN}}}sequenceFlow"):
            source = self._nodes.get(reference(element.get("sourceRef")))
            target = self._nodes.get(reference(element.get("targetRef")))
            if source is None or target is None:
                continue
            if not _OUTSIDE_FLOW.isdisjoint({source.kind, target.kind}):
                continue
            flow = Flow(
                id=element.get("id") or f"{source.id}-{target.id}-{len(flows)}",
                source=source.id,
                target=target,
                condition=self._condition(child(element, "conditionExpression")),
            )
            flows[flow.id] = flow
            outgoing.setdefault(source.id, []).append(flow)
            incoming.setdefault(target.id, []).append(flow)
        for key, node in self._nodes.items():
            node.incoming = tuple(incoming.get(key, ()))
            node.outgoing = tuple(outgoing.get(key, ()))
            node.default = flows.get(reference(self._elements[key].get("default")))
            node.conditional = any(each.condition is not None for each in node.outgoing)

    def _attach_boundaries(self) -> None:
        handlers: dict[str, str] = {}
        for element in self._model.root.iter(f"{{{BPMN}}}association"):
            source = reference(element.get("sourceRef"))
            target = reference(element.get("targetRef"))
            for left, right in ((source, target), (target, source)):
                handler = self._nodes.get(right)
                if left in self._nodes and handler is not None and handler.is_compensation:
                    handlers[left] = right
        attached: dict[str, list[Node]] = {}
        for node in self._nodes.values():
            if node.kind is not Kind.BOUNDARY or node.attached_to not in self._nodes:
                continue
            host = self._nodes[node.attached_to]
            if any(each.kind is EventKind.COMPENSATION for each in node.events):
                host.compensation = handlers.get(node.id, "")
                if not host.compensation and node.outgoing:
                    # Some tools draw the way to the handler as a sequence flow.
                    host.compensation = node.outgoing[0].target.id
            else:
                attached.setdefault(host.id, []).append(node)
        for key, nodes in attached.items():
            host = self._nodes[key]
            host.boundary = tuple(nodes)
            host.catches = any(event.kind in _SUBSCRIBED for each in nodes for event in each.events)

    def _link(self) -> None:
        targets: dict[tuple[str, str], Node] = {}
        for node in self._nodes.values():
            if node.kind is Kind.CATCH:
                for event in node.events:
                    if event.kind is EventKind.LINK:
                        targets.setdefault((node.container, event.name), node)
        for node in self._nodes.values():
            if node.kind is Kind.THROW:
                for event in node.events:
                    if event.kind is EventKind.LINK:
                        node.link_target = targets.get((node.container, event.name))

    def _fill_container(self, node: Node) -> None:
        inside = node.children
        node.event_subprocesses = tuple(
            each for each in inside if each.kind is Kind.EVENT_SUBPROCESS
        )
        events = [each for each in inside if each.kind is Kind.START]
        if node.kind is Kind.EVENT_SUBPROCESS:
            node.start_event = events[0] if events else None
        if node.kind is Kind.ADHOC:
            node.starts = tuple(each for each in inside if _begins(each))
        elif events:
            node.starts = tuple(each for each in events if not each.events)[:1]
        else:
            node.starts = tuple(
                each
                for each in inside
                if _begins(each)
                and not (each.kind is Kind.EVENT_GATEWAY and each.instantiate)
                and not (each.work is not None and each.work.instantiate)
            )
        if node.kind is not Kind.PROCESS:
            node.local = self._tasks.data.declared(self._elements[node.id])

    def _mark_compensable(self, node: Node) -> bool:
        found = False
        for each in node.children:
            inner = each.kind in _CONTAINERS and self._mark_compensable(each)
            handles = any(
                sub.start_event is not None
                and any(event.kind is EventKind.COMPENSATION for event in sub.start_event.events)
                for sub in each.event_subprocesses
            )
            each.compensable = not each.is_compensation and (
                bool(each.compensation) or inner or handles
            )
            found = found or each.compensable
        return found

    def _start_events(self, root: Node) -> Iterable[StartEvent]:
        for node in root.children:
            if node.kind is Kind.START:
                yield from _starts_of(node)
            elif node.kind is Kind.EVENT_GATEWAY and node.instantiate:
                for flow in node.outgoing:
                    yield from _starts_of(flow.target)
            elif node.kind is Kind.RECEIVE and node.work is not None and node.work.instantiate:
                yield from _starts_of(node)
        if root.starts and root.starts[0].kind is not Kind.START:
            yield StartEvent("", "none")


def _starts_of(node: Node) -> Iterable[StartEvent]:
    if not node.events:
        yield StartEvent(node.id, "none")
    for event in node.events:
        yield StartEvent(
            element=node.id,
            kind=event.kind.name.lower(),
            name=event.name,
            timer=event.timer.expression.text if event.timer is not None else "",
        )


def _begins(node: Node) -> bool:
    """Whether a token begins here when the container has no start event."""
    return (
        not node.incoming
        and not node.is_compensation
        and node.kind not in {Kind.BOUNDARY, Kind.EVENT_SUBPROCESS, Kind.START}
        and not (node.kind is Kind.CATCH and any(e.kind is EventKind.LINK for e in node.events))
    )


def _quantity(element: etree._Element, name: str) -> int:
    try:
        return max(1, int(element.get(name, "1")))
    except ValueError:
        return 1


def _is_bpmn(element: etree._Element) -> bool:
    tag = element.tag
    return isinstance(tag, str) and tag.startswith(f"{{{BPMN}}}")
