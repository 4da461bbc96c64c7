# SPDX-License-Identifier: MPL-2.0
"""Whether the files of a solution fit together, and solutions with each other.

What a flow names and nobody has would stop every case at that step, some of them after months. It
is found before the solution is taken into use: a decision, a form, a function, a called process.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from sagsgang import bpmn, dmn, feel
from sagsgang.bpmn.graph import Kind, Node
from sagsgang.feel.municipal import MUNICIPAL

if TYPE_CHECKING:
    from sagsgang.cases.solution import Solution

__all__ = ["calls_nobody_has", "faults", "faults_together", "has_handler"]

_FLOW: Final = "process.bpmn"
_DESCRIPTION: Final = "solution.toml"
_DONE_BY_FUNCTIONS: Final = frozenset(
    {Kind.SERVICE, Kind.RULE, Kind.SCRIPT, Kind.SEND, Kind.THROW, Kind.END}
)


def faults(solution: Solution) -> list[str]:
    """What is wrong in a folder or between its files; each fault names its file and its place."""
    found = [*_in_expressions(solution), *_in_order_form(solution)]
    names: list[str] | None = []
    for name, content in solution.decisions.items():
        try:
            model = dmn.load(content, name=name)
            doubts = dmn.check(model, functions=MUNICIPAL)
        except dmn.DmnError as error:
            found.append(f"rules/{name}: {error}")
            names = None
            continue
        # What is only doubtful is for ``sagsgang dmn check``.
        found += [f"rules/{each}" for each in doubts if each.severity == "error"]
        if names is not None:
            names += [key for each in model.decisions for key in (each.id, each.name) if key]
    try:
        violations = bpmn.check(bpmn.load(solution.process), deploy=True)
    except bpmn.ModelError as error:
        return [*found, f"{_FLOW}: {error}"]
    if violations:
        return [*found, *(f"{_FLOW}: {each}" for each in violations)]
    found += _unknown_process(solution)
    nodes = [node for graph in solution.graphs for node in graph.nodes.values()]
    # A table that cannot be read may hold the very decision: one fault at a time.
    if names is not None:
        found += _unknown_decisions(nodes, sorted(set(names)))
    found += _unknown_forms(nodes, sorted(solution.forms))
    found += _unknown_work(nodes, solution)
    return found + list(_unknown_elements(nodes, solution))


def faults_together(solution: Solution, installed: Collection[Solution]) -> list[str]:
    """What is wrong with a solution beside the others that are installed."""
    # The queue does not tell solutions apart: a type of work is done outside or here.
    doubled = [
        f"{_DESCRIPTION}: external: {task_type} er en funktion i løsningen {other.id}. "
        "Giv opgavetypen et andet navn."
        for task_type in solution.description.external
        for other in installed
        if has_handler(other, task_type)
    ]
    known = {graph.process_id for other in installed for graph in other.graphs}
    return doubled + calls_nobody_has(solution, known)


def calls_nobody_has(solution: Solution, known: Collection[str]) -> list[str]:
    """Calls of processes that are neither in the solution nor among ``known``, as faults.

    Args:
        solution: The solution whose flow calls.
        known: Ids of the processes of others that can be called.
    """
    own = {graph.process_id for graph in solution.graphs}
    return [
        _fault(
            node,
            f"kalder processen »{called}«, som ikke er i flowet og ikke er taget i brug",
            sorted(own | set(known)),
            "Ret navnet, eller tag den løsning i brug først, som processen er i",
        )
        for graph in solution.graphs
        for node in graph.nodes.values()
        if node.kind is Kind.CALL
        and (called := _named(node.work.called if node.work else None))
        and called not in own
        and called not in known
    ]


def has_handler(solution: Solution, task_type: str) -> bool:
    """Whether a task type has a function of its own in a solution."""
    function = getattr(solution.handlers, task_type.replace("-", "_"), None)
    return hasattr(function, "sagsgang_handler")


def _in_expressions(solution: Solution) -> Iterator[str]:
    """Texts of the description that are not FEEL."""
    case = solution.description.case
    texts: Mapping[str, Mapping[str, str]] = {
        "case.summary": case.summary,
        "case": {"title": case.title},
    }
    for table, labelled in texts.items():
        for label, text in labelled.items():
            try:
                feel.compile(text.removeprefix("="))
            except feel.FeelSyntaxError as error:
                yield f"{_DESCRIPTION}: {table}.{label}: {error}"


def _in_order_form(solution: Solution) -> Iterator[str]:
    form = solution.description.form
    if solution.forms and form not in solution.forms:
        yield f"{_DESCRIPTION}: form: der er ingen forms/{form}.form."


def _unknown_process(solution: Solution) -> Iterator[str]:
    wanted = solution.description.process
    known = sorted(graph.process_id for graph in solution.graphs)
    if wanted not in known:
        yield (
            f"{_DESCRIPTION}: process: flowet har ingen proces »{wanted}«, der kan køres. "
            f"{_listed(known)}Ret navnet."
        )


def _unknown_decisions(nodes: Iterable[Node], known: Collection[str]) -> Iterator[str]:
    for node in nodes:
        decision = _named(node.work.decision if node.work else None)
        if decision and decision not in known:
            yield _fault(
                node,
                f"bruger beslutningen »{decision}«, som ingen tabel i rules/ har",
                known,
                "Ret navnet, eller tilføj tabellen",
            )


def _unknown_forms(nodes: Iterable[Node], known: Collection[str]) -> Iterator[str]:
    for node in nodes:
        form = _named(node.work.form if node.work else None)
        if node.kind is Kind.USER and form and form not in known:
            yield _fault(
                node,
                f"bruger formularen »{form}«, som ikke er i forms/",
                known,
                "Ret navnet, eller tilføj formularen",
            )


def _unknown_work(nodes: Iterable[Node], solution: Solution) -> Iterator[str]:
    """Tasks that nothing does: no function here, nobody outside, no language that runs."""
    external = solution.description.external
    yield from (
        f"{_DESCRIPTION}: external: {each} er også en funktion i handlers.py. Vælg en af delene."
        for each in external
        if has_handler(solution, each)
    )
    known = [*_functions(solution), *external]
    for node in nodes:
        work = node.work
        if work is None or node.kind not in _DONE_BY_FUNCTIONS or work.decision is not None:
            continue
        task_type = _named(work.task_type)
        if work.broken:
            yield f"{_FLOW}: {node.id}: {work.broken}"
        elif work.task_type is None and _asks_for_work(node):
            what = "siger ikke, hvad der udfører opgaven"
            yield _fault(node, what, known, "Angiv en opgavetype")
        elif task_type and task_type not in external and not has_handler(solution, task_type):
            yield _fault(
                node,
                f"har opgavetypen »{task_type}«, som ingen funktion i handlers.py udfører",
                known,
                "Ret navnet, skriv funktionen, eller nævn typen under external i solution.toml",
            )


def _functions(solution: Solution) -> list[str]:
    """The names of a solution's functions that the flow may call."""
    if solution.handlers is None:
        return []
    members = vars(solution.handlers).items()
    return sorted(name for name, value in members if hasattr(value, "sagsgang_handler"))


def _asks_for_work(node: Node) -> bool:
    """Whether a task is nothing without a task type; one that sends may have a message instead."""
    return node.kind in {Kind.SERVICE, Kind.RULE} or (node.kind is Kind.SEND and not node.events)


def _unknown_elements(nodes: Iterable[Node], solution: Solution) -> Iterator[str]:
    """Places of the description that speak of an element which the flow does not have."""
    kinds = {node.id: node.kind for node in nodes}
    case = solution.description.case
    tables: tuple[tuple[str, Iterable[str], Kind | None, str], ...] = (
        ("case.stages", case.stages, None, "intet element"),
        ("case.endings", case.endings, Kind.END, "ingen sluthændelse"),
        ("case.unsettled", case.unsettled, None, "intet element"),
        ("tasks", solution.description.tasks, Kind.USER, "ingen brugeropgave"),
    )
    for table, elements, wanted, nothing in tables:
        for element in elements:
            if element not in kinds or (wanted is not None and kinds[element] is not wanted):
                have = sorted(key for key, kind in kinds.items() if kind is wanted)
                yield (
                    f"{_DESCRIPTION}: {table}: flowet har {nothing} med id »{element}«. "
                    f"{_listed(have)}Ret navnet."
                )


def _named(expression: Any) -> str:
    """What an expression names, where it says so outright; empty where it is worked out later."""
    if expression is None or not expression.is_constant:
        return ""
    return str(expression.value or "").strip()


def _fault(node: Node, what: str, known: Collection[str], mend: str) -> str:
    return f"{_FLOW}: {node.id}: {what}. {_listed(known)}{mend}."


def _listed(known: Collection[str]) -> str:
    return f"Der er: {', '.join(known)}. " if known else ""
