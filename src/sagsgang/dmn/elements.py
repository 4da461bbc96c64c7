# SPDX-License-Identifier: MPL-2.0
"""The elements of a DMN model as plain immutable values (DMN 1.5 chapters 6 to 10).

The names are those of the standard's metamodel. Every element knows its ``id`` and the line it
was read from, so that a fault can be shown where it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

__all__ = [
    "Binding",
    "BusinessKnowledgeModel",
    "Conditional",
    "Context",
    "ContextEntry",
    "Decision",
    "DecisionService",
    "DecisionTable",
    "Definitions",
    "DrgElement",
    "Expression",
    "Filter",
    "FunctionDefinition",
    "FunctionItem",
    "HitPolicy",
    "Import",
    "InformationItem",
    "InputClause",
    "InputData",
    "Invocation",
    "ItemDefinition",
    "Iterator",
    "KnowledgeSource",
    "ListExpression",
    "LiteralExpression",
    "OutputClause",
    "Relation",
    "Rule",
    "Text",
]

HitPolicy = Literal["UNIQUE", "FIRST", "PRIORITY", "ANY", "COLLECT", "RULE ORDER", "OUTPUT ORDER"]
Aggregation = Literal["SUM", "COUNT", "MIN", "MAX"]


@dataclass(frozen=True, slots=True)
class Text:
    """A piece of FEEL text: a unary test cell, a list of allowed values.

    Attributes:
        language: the expression language when the file names one, else None (FEEL).
    """

    text: str
    id: str | None = None
    line: int | None = None
    language: str | None = None


@dataclass(frozen=True, slots=True)
class InformationItem:
    """A variable, parameter or column: a name and perhaps a type."""

    name: str
    type_ref: str | None = None
    id: str | None = None
    line: int | None = None


@dataclass(frozen=True, slots=True)
class FunctionItem:
    """The type of a function: its parameters and the type of its result."""

    parameters: tuple[InformationItem, ...]
    output_type_ref: str | None = None


@dataclass(frozen=True, slots=True)
class ItemDefinition:
    """A named data type (``itemDefinition``) or a component of one (``itemComponent``)."""

    name: str
    type_ref: str | None = None
    is_collection: bool = False
    allowed_values: Text | None = None
    type_constraint: Text | None = None
    components: tuple[ItemDefinition, ...] = ()
    function_item: FunctionItem | None = None
    id: str | None = None
    line: int | None = None
    label: str | None = None


@dataclass(frozen=True, slots=True)
class LiteralExpression:
    """FEEL text. ``text`` is None when the file leaves it out."""

    text: str | None
    language: str | None = None
    type_ref: str | None = None
    id: str | None = None
    line: int | None = None


@dataclass(frozen=True, slots=True)
class ContextEntry:
    """One row of a boxed context; ``variable`` is None for the result row."""

    variable: InformationItem | None
    expression: Expression | None
    line: int | None = None


@dataclass(frozen=True, slots=True)
class Context:
    """A boxed context."""

    entries: tuple[ContextEntry, ...]
    type_ref: str | None = None
    id: str | None = None
    line: int | None = None


@dataclass(frozen=True, slots=True)
class Binding:
    """One argument of a boxed invocation."""

    parameter: InformationItem
    expression: Expression | None


@dataclass(frozen=True, slots=True)
class Invocation:
    """A boxed invocation: the function called and its arguments by name."""

    called: Expression | None
    bindings: tuple[Binding, ...]
    type_ref: str | None = None
    id: str | None = None
    line: int | None = None


@dataclass(frozen=True, slots=True)
class ListExpression:
    """A boxed list."""

    items: tuple[Expression | None, ...]
    type_ref: str | None = None
    id: str | None = None
    line: int | None = None


@dataclass(frozen=True, slots=True)
class Relation:
    """A boxed relation: a table of expressions that gives a list of contexts."""

    columns: tuple[InformationItem, ...]
    rows: tuple[tuple[Expression | None, ...], ...]
    type_ref: str | None = None
    id: str | None = None
    line: int | None = None


@dataclass(frozen=True, slots=True)
class FunctionDefinition:
    """A boxed function definition, also the logic of a business knowledge model."""

    parameters: tuple[InformationItem, ...]
    body: Expression | None
    kind: Literal["FEEL", "Java", "PMML"] = "FEEL"
    type_ref: str | None = None
    id: str | None = None
    line: int | None = None


@dataclass(frozen=True, slots=True)
class Conditional:
    """A boxed conditional: if, then, else."""

    condition: Expression | None
    then: Expression | None
    otherwise: Expression | None
    type_ref: str | None = None
    id: str | None = None
    line: int | None = None


@dataclass(frozen=True, slots=True)
class Filter:
    """A boxed filter: a list and the match each item must pass."""

    source: Expression | None
    match: Expression | None
    type_ref: str | None = None
    id: str | None = None
    line: int | None = None


@dataclass(frozen=True, slots=True)
class Iterator:
    """A boxed ``for``, ``some`` or ``every``."""

    kind: Literal["for", "some", "every"]
    variable: str
    source: Expression | None
    body: Expression | None
    type_ref: str | None = None
    id: str | None = None
    line: int | None = None


@dataclass(frozen=True, slots=True)
class InputClause:
    """An input column of a decision table."""

    expression: LiteralExpression
    label: str | None = None
    values: Text | None = None
    id: str | None = None
    line: int | None = None

    @property
    def title(self) -> str:
        """What people read above the column."""
        return self.label or (self.expression.text or "").strip() or "?"


@dataclass(frozen=True, slots=True)
class OutputClause:
    """An output column of a decision table."""

    name: str | None = None
    label: str | None = None
    type_ref: str | None = None
    values: Text | None = None
    default: LiteralExpression | None = None
    id: str | None = None
    line: int | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule: one test per input, one value per output, and what people noted about it."""

    inputs: tuple[Text, ...]
    outputs: tuple[LiteralExpression, ...]
    annotations: tuple[str, ...] = ()
    description: str | None = None
    id: str | None = None
    line: int | None = None


@dataclass(frozen=True, slots=True)
class DecisionTable:
    """A decision table (DMN 1.5 chapter 8).

    Attributes:
        orientation: ``Rule-as-Row``, ``Rule-as-Column`` or ``CrossTable``; it is a matter of
            display only, the file lists rules in the same way.
        annotation_names: heading of each annotation column.
    """

    inputs: tuple[InputClause, ...]
    outputs: tuple[OutputClause, ...]
    rules: tuple[Rule, ...]
    hit_policy: HitPolicy = "UNIQUE"
    aggregation: Aggregation | None = None
    orientation: str = "Rule-as-Row"
    output_label: str | None = None
    annotation_names: tuple[str, ...] = ()
    type_ref: str | None = None
    id: str | None = None
    line: int | None = None


Expression: TypeAlias = (
    LiteralExpression
    | Context
    | Invocation
    | ListExpression
    | Relation
    | FunctionDefinition
    | Conditional
    | Filter
    | Iterator
    | DecisionTable
)


@dataclass(frozen=True, slots=True)
class InputData:
    """Something the caller supplies."""

    id: str
    name: str
    variable: InformationItem
    line: int | None = None
    label: str | None = None
    description: str | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """A decision: what it needs (as hrefs) and the expression that gives its value."""

    id: str
    name: str
    variable: InformationItem
    required_decisions: tuple[str, ...] = ()
    required_inputs: tuple[str, ...] = ()
    required_knowledge: tuple[str, ...] = ()
    expression: Expression | None = None
    line: int | None = None
    label: str | None = None
    description: str | None = None
    question: str | None = None
    allowed_answers: str | None = None


@dataclass(frozen=True, slots=True)
class BusinessKnowledgeModel:
    """A named function that decisions call."""

    id: str
    name: str
    variable: InformationItem
    logic: FunctionDefinition | None = None
    required_knowledge: tuple[str, ...] = ()
    line: int | None = None
    label: str | None = None
    description: str | None = None


@dataclass(frozen=True, slots=True)
class DecisionService:
    """A set of decisions offered as one function (DMN 1.5 section 6.2.1.4)."""

    id: str
    name: str
    variable: InformationItem
    output_decisions: tuple[str, ...] = ()
    encapsulated_decisions: tuple[str, ...] = ()
    input_decisions: tuple[str, ...] = ()
    input_data: tuple[str, ...] = ()
    line: int | None = None
    label: str | None = None
    description: str | None = None


@dataclass(frozen=True, slots=True)
class KnowledgeSource:
    """The authority behind a decision: a law, an agreement, a policy."""

    id: str
    name: str
    location_uri: str | None = None
    line: int | None = None
    label: str | None = None
    description: str | None = None


DrgElement: TypeAlias = (
    InputData | Decision | BusinessKnowledgeModel | DecisionService | KnowledgeSource
)


@dataclass(frozen=True, slots=True)
class Import:
    """A reference to another model, and the name its elements get here."""

    name: str
    namespace: str
    import_type: str
    location_uri: str | None = None
    id: str | None = None
    line: int | None = None


@dataclass(frozen=True, slots=True)
class Definitions:
    """The root of a model."""

    name: str
    namespace: str
    id: str | None
    version: str
    imports: tuple[Import, ...]
    item_definitions: tuple[ItemDefinition, ...]
    elements: tuple[DrgElement, ...]
    expression_language: str | None = None
    description: str | None = None
