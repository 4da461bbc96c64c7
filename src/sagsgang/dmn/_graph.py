# SPDX-License-Identifier: MPL-2.0
"""The decision requirements graph at work: what is evaluated for a decision, and in which order.

A model and each model it imports become one *unit* per import path: the same model imported
under two names is two units, with inputs of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from sagsgang.dmn import elements as el
from sagsgang.dmn._boxed import Compiler
from sagsgang.dmn._evaluation import Evaluation, Expression
from sagsgang.dmn._inputs import Accept, acceptor
from sagsgang.dmn._plan import Plan, PlannedInput, PlannedStep, Unit
from sagsgang.dmn._results import fault, function_value
from sagsgang.dmn._text import Scope, Where
from sagsgang.dmn.errors import DmnModelError
from sagsgang.dmn.findings import Finding
from sagsgang.feel import FeelFunction, FeelType, Parameter, types

if TYPE_CHECKING:
    from sagsgang.dmn._table import Table
    from sagsgang.dmn._types import ItemType
    from sagsgang.dmn.model import Model

__all__ = ["Graph"]

_MAX_UNITS = 200

Key: TypeAlias = tuple[int, str]
"""Unit number and element id."""


class Graph:
    """A model with its imports, compiled.

    Attributes:
        root: the unit of the model itself.
        units: all units.
        findings: the faults found while reading and compiling.
    """

    def __init__(self, model: Model, functions: Mapping[str, Any]) -> None:
        self._functions = functions
        self.units: list[Unit] = []
        self._service_plans: dict[Key, Plan] = {}
        self.root = self._unit(model, ())
        for unit in self.units:
            self._find_cycles(unit)
        for unit in self.units:
            for element in unit.model.definitions.elements:
                if isinstance(element, el.DecisionService):
                    key = (unit.index, element.id)
                    self._service_plans[key] = self._plan_service(unit, element)
        found: list[Finding] = []
        for unit in self.units:
            found.extend(unit.model.findings)
            found.extend(unit.compiler.findings)
        self.findings = tuple(dict.fromkeys(found))

    # -- building

    def _unit(self, model: Model, path: tuple[str, ...]) -> Unit:
        unit = Unit(model, path, len(self.units))
        self.units.append(unit)
        if len(self.units) > _MAX_UNITS:
            raise DmnModelError(
                "The model imports too many models, directly or through others.",
                code="dmn.model.imports",
                file=model.file,
            )
        for name, imported in model.imports.items():
            child = self._unit(imported, (*path, name))
            unit.children[name] = child
            if name:
                unit.base[name] = child.base
            else:
                unit.base.update(child.base)
        definitions = model.definitions
        unit.compiler = Compiler(
            functions=self._functions,
            file=model.file,
            language=definitions.expression_language,
            declared=frozenset(element.name for element in definitions.elements)
            | frozenset(model.imports),
            declares_inputs=bool(model.inputs),
        )
        self._types(unit)
        for element in definitions.elements:
            if isinstance(element, el.BusinessKnowledgeModel):
                self._knowledge(unit, element)
            elif isinstance(element, el.DecisionService):
                self._service(unit, element)
        for element in definitions.elements:
            if isinstance(element, el.Decision):
                self._decision(unit, element)
        return unit

    def _types(self, unit: Unit) -> None:
        compiler = unit.compiler

        def report(code: str, message: str, definition: el.ItemDefinition) -> None:
            compiler.report(
                code,
                message,
                Where(definition.name, definition.id),
                line=definition.line,
            )

        def tests(text: el.Text) -> Any:
            compiled = compiler.tests(text, Scope({}), Where("allowed values", text.id), types.ANY)
            return None if isinstance(compiled, str) else compiled

        imported = {
            name: (child.model.definitions.namespace, child.compiler.table)
            for name, child in unit.children.items()
        }
        compiler.set_types(unit.model.definitions.item_definitions, imported, tests, report)

    def _scope(self, unit: Unit, hrefs: Sequence[str], where: Where, line: int | None) -> Scope:
        """Return the names that requirements bring into scope."""
        names: dict[str, FeelType] = {}
        imported: dict[str, dict[str, FeelType]] = {}
        for href in hrefs:
            found = unit.follow(href)
            if found is None:
                unit.compiler.report(
                    "requirement.missing",
                    f'The requirement points at "{href}", which is not there.',
                    where,
                    line=line,
                )
                continue
            owner, element = found
            if isinstance(element, el.KnowledgeSource):
                continue
            known = (
                owner.compiler.feel_type(element.variable.type_ref)
                if isinstance(element, (el.InputData, el.Decision))
                else types.ANY
            )
            name = element.variable.name
            if owner is unit or not owner.path[-1]:
                names[name] = known
            else:
                imported.setdefault(owner.path[-1], {})[name] = known
        for prefix, entries in imported.items():
            names[prefix] = types.ContextType.of(entries)
        return Scope(names)

    def _knowledge(self, unit: Unit, element: el.BusinessKnowledgeModel) -> None:
        where = Where(element.name, element.id)
        scope = self._scope(unit, element.required_knowledge, where, element.line)
        name = element.variable.name
        unit.scopes[element.id] = scope
        if element.logic is None:
            shape: tuple[tuple[str, ItemType | None], ...] = ()
            function = function_value(
                element.name, (), shape, fault("It has no logic."), {}, name=element.name
            )
        else:
            make = unit.compiler.function_maker(
                element.logic,
                scope.with_names({name: types.ANY}),
                where,
                name=element.name,
                result=unit.compiler.result_type(element.variable, where),
            )
            function = make(unit.base, None)
        unit.functions[element.id] = function
        unit.base[name] = function

    def _service(self, unit: Unit, element: el.DecisionService) -> None:
        where = Where(element.name, element.id)
        shape: list[tuple[str, ItemType | None]] = []
        for href in (*element.input_data, *element.input_decisions):
            found = unit.follow(href)
            owner, target = found or (unit, None)
            if not isinstance(target, (el.InputData, el.Decision)):
                self._report_missing(unit, href, where, element.line)
                continue
            variable = target.variable
            shape.append(
                (variable.name, owner.compiler.item(variable.type_ref, where, variable.line))
            )
        parameters = [
            Parameter(name, item.feel if item is not None and item.is_plain else None)
            for name, item in shape
        ]
        names = tuple(name for name, _ in shape)
        key = (unit.index, element.id)
        plans = self._service_plans

        def body(context: dict[str, Any], evaluation: Evaluation) -> Any:
            return plans[key].run({name: context[name] for name in names}, evaluation)

        function = function_value(
            element.name, parameters, tuple(shape), body, {}, name=element.name
        )
        unit.functions[element.id] = function
        unit.base[element.variable.name] = function

    def _report_missing(self, unit: Unit, href: str, where: Where, line: int | None) -> None:
        unit.compiler.report(
            "requirement.missing",
            f'The reference points at "{href}", which is not there.',
            where,
            line=line,
        )

    def _decision(self, unit: Unit, element: el.Decision) -> None:
        where = Where(element.name, element.id)
        scope = self._scope(
            unit,
            (*element.required_inputs, *element.required_decisions, *element.required_knowledge),
            where,
            element.line,
        )
        unit.scopes[element.id] = scope
        if element.expression is None:
            accept = acceptor(element.name, unit.item(element.variable))
            unit.values[element.id] = _supplied(element.variable.name, accept)
            return
        compiled = unit.compiler.compile(element.expression, scope, where)
        unit.values[element.id] = unit.compiler.typed(
            compiled, element.variable.type_ref, where, element.variable.line
        )
        table = unit.compiler.tables.get(id(element.expression))
        if table is not None and element.expression is not None:
            refs = (element.expression.type_ref, element.variable.type_ref)
            items = (unit.compiler.table.get(ref) for ref in refs)
            unit.tables[element.id] = (table, tuple(item for item in items if item is not None))

    def _find_cycles(self, unit: Unit) -> None:
        """Report decisions that require themselves through others; they give null."""
        done: set[str] = set()
        decisions = {decision.id: decision for decision in unit.model.decisions}
        for start in decisions:
            trail: list[str] = []
            todo: list[tuple[str, int]] = [(start, 0)]
            while todo:
                current, depth = todo.pop()
                del trail[depth:]
                if current in trail:
                    self._report_cycle(unit, [decisions[i] for i in trail[trail.index(current) :]])
                    continue
                if current in done:
                    continue
                done.add(current)
                trail.append(current)
                for href in decisions[current].required_decisions:
                    found = unit.follow(href)
                    if found is not None and found[0] is unit and found[1].id in decisions:
                        todo.append((found[1].id, depth + 1))

    def _report_cycle(self, unit: Unit, cycle: Sequence[el.Decision]) -> None:
        names = " -> ".join(f'"{decision.name}"' for decision in (*cycle, cycle[0]))
        for decision in cycle:
            if decision.id in unit.cyclic:
                continue
            unit.cyclic.add(decision.id)
            unit.compiler.report(
                "requirement.cyclic",
                f"The decision requires itself: {names}; remove one of the requirements.",
                Where(decision.name, decision.id),
                line=decision.line,
            )
            unit.values[decision.id] = fault(f"The decision requires itself: {names}.")

    # -- plans

    def plan_for_decision(self, decision: el.Decision) -> Plan:
        """Return the plan of a decision of the model itself."""
        return self._plan(self.root, decision)

    def imported_plans(self) -> dict[str, Plan]:
        """Return the plans of the decisions of imported models, by import path and name."""
        return {
            ".".join((*filter(None, unit.path), decision.name)): self._plan(unit, decision)
            for unit in reversed(self.units)
            if unit.path
            for decision in unit.model.decisions
        }

    def path_of(self, namespace: str) -> str | None:
        """Return the import path of the model of a namespace, with a dot, or None."""
        for unit in self.units:
            if unit.model.definitions.namespace == namespace:
                return "".join(f"{name}." for name in unit.path if name)
        return None

    def _plan(self, unit: Unit, decision: el.Decision) -> Plan:
        inputs, steps = self._closure([(unit, decision)], {})
        return Plan(
            decision.name,
            self.root,
            inputs,
            steps,
            [(unit, decision.variable.name, decision.name)],
            many=False,
        )

    def plan_for_service(self, service: el.DecisionService) -> Plan:
        """Return the plan of a decision service of the model itself."""
        return self._service_plans[(self.root.index, service.id)]

    def _plan_service(self, unit: Unit, service: el.DecisionService) -> Plan:
        where = Where(service.name, service.id)
        given: dict[Key, str] = {}
        for href in (*service.input_data, *service.input_decisions):
            found = unit.follow(href)
            if found is None:
                continue
            owner, element = found
            if isinstance(element, (el.InputData, el.Decision)):
                given[(owner.index, element.id)] = element.variable.name
        roots: list[tuple[Unit, el.Decision]] = []
        for href in service.output_decisions:
            found = unit.follow(href)
            if found is None or not isinstance(found[1], el.Decision):
                self._report_missing(unit, href, where, service.line)
            else:
                roots.append((found[0], found[1]))
        for href in service.encapsulated_decisions:
            if unit.follow(href) is None:
                self._report_missing(unit, href, where, service.line)
        inputs, steps = self._closure(roots, given)
        return Plan(
            service.name,
            unit,
            inputs,
            steps,
            [(owner, decision.variable.name, decision.name) for owner, decision in roots],
            many=len(roots) > 1,
            result_item=unit.compiler.result_type(service.variable, where),
        )

    def _closure(
        self, roots: Sequence[tuple[Unit, el.Decision]], given: Mapping[Key, str]
    ) -> tuple[list[PlannedInput], list[PlannedStep]]:
        """Return the inputs and decisions that roots need, in an order that works.

        Args:
            roots: the decisions wanted.
            given: elements that the caller supplies, with the name they come under.
        """
        inputs: dict[Key, PlannedInput] = {}
        steps: list[PlannedStep] = []
        seen: set[Key] = set()
        todo: list[tuple[Unit, el.DrgElement, bool]] = [
            (unit, decision, False) for unit, decision in reversed(roots)
        ]
        while todo:
            unit, element, ready = todo.pop()
            key = (unit.index, element.id)
            if ready and isinstance(element, el.Decision):
                steps.append(
                    PlannedStep(unit, element.variable.name, unit.values[element.id], element)
                )
                continue
            if key in seen:
                continue
            seen.add(key)
            if isinstance(element, el.InputData) or (
                isinstance(element, el.Decision) and key in given
            ):
                inputs[key] = self._planned_input(unit, element, given.get(key))
            elif isinstance(element, el.Decision):
                todo.append((unit, element, True))
                for href in reversed((*element.required_inputs, *element.required_decisions)):
                    found = unit.follow(href)
                    if found is not None:
                        todo.append((*found, False))
        return list(inputs.values()), steps

    def _planned_input(
        self, unit: Unit, element: el.InputData | el.Decision, given_as: str | None
    ) -> PlannedInput:
        name = element.variable.name
        item = unit.item(element.variable)
        fetch: Callable[[Mapping[str, Any]], Any] | None = None
        if given_as is not None:
            fetch = None if given_as == name else _fetch_plain(given_as)
        elif unit.path:
            local = {each.name for each in self.root.model.definitions.elements}
            fetch = _fetch_imported(
                unit.path, unit.model.definitions.namespace, name, plain=name not in local
            )
        elif element.name != name:
            fetch = _fetch_either(name, element.name)
        return PlannedInput(unit, name, acceptor(element.name, item), fetch, item)

    # -- functions

    def function(self, name: str) -> FeelFunction | None:
        """Return the function of an element of the model itself, by id or name."""
        found = self.root.functions.get(name)
        if found is not None:
            return found
        for element in self.root.model.definitions.elements:
            if element.name == name and element.id in self.root.functions:
                return self.root.functions[element.id]
        return None

    def function_names(self) -> list[str]:
        """Return the names of all functions of the model itself."""
        return [
            element.name
            for element in self.root.model.definitions.elements
            if element.id in self.root.functions
        ]

    def tables(self) -> list[tuple[Unit, Table]]:
        """Return every decision table of the model itself and its imports."""
        return [(unit, table) for unit in self.units for table in unit.compiler.tables.values()]


def _supplied(name: str, accept: Accept) -> Expression:
    """Make a decision without logic take its value from what the caller gave."""

    def evaluate(_scope: dict[str, Any], evaluation: Evaluation) -> Any:
        value = evaluation.inputs.get(name)
        if value is None:
            evaluation.say("dmn.no-logic")
            return None
        return accept(value, evaluation)

    return evaluate


def _fetch_plain(name: str) -> Callable[[Mapping[str, Any]], Any]:
    return lambda inputs: inputs.get(name)


def _fetch_either(name: str, other: str) -> Callable[[Mapping[str, Any]], Any]:
    return lambda inputs: inputs[name] if name in inputs else inputs.get(other)


def _fetch_imported(
    path: tuple[str, ...], namespace: str, name: str, *, plain: bool
) -> Callable[[Mapping[str, Any]], Any]:
    """Find an input of an imported model: under its import path, its namespace, or plainly."""
    dotted = ".".join((*path, name))

    def fetch(inputs: Mapping[str, Any]) -> Any:
        inner: Any = inputs
        for part in path:
            if part:
                inner = inner.get(part) if isinstance(inner, Mapping) else None
        if isinstance(inner, Mapping) and inner is not inputs and name in inner:
            return inner[name]
        qualified: Any = (namespace, name)
        if qualified in inputs:
            return inputs[qualified]
        if dotted in inputs:
            return inputs[dotted]
        return inputs.get(name) if plain else None

    return fetch
