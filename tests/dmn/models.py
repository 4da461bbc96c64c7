# SPDX-License-Identifier: MPL-2.0
"""Small DMN models for tests, written as Python."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from xml.sax.saxutils import escape, quoteattr

from sagsgang.dmn import Decisions, Model, load

NAMESPACE = "https://www.omg.org/spec/DMN/20230324/MODEL/"


def document(
    body: str,
    *,
    namespace: str = "urn:test",
    name: str = "test",
    model: str = NAMESPACE,
    attributes: str = "",
) -> bytes:
    """A model around some elements."""
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<definitions xmlns="{model}" '
        f'namespace="{namespace}" name="{name}" id="_{name}" {attributes}>\n{body}\n</definitions>'
    ).encode()


def input_data(name: str, type_ref: str | None = None) -> str:
    """An input with the id ``in_NAME``."""
    kind = f" typeRef={quoteattr(type_ref)}" if type_ref else ""
    quoted = quoteattr(name)
    return (
        f"<inputData id={quoteattr('in_' + name)} name={quoted}>"
        f"<variable name={quoted}{kind}/></inputData>"
    )


def literal(text: str, type_ref: str | None = None) -> str:
    """A literal expression."""
    kind = f" typeRef={quoteattr(type_ref)}" if type_ref else ""
    return f"<literalExpression{kind}><text>{escape(text)}</text></literalExpression>"


def decision(
    name: str,
    expression: str,
    *,
    inputs: Sequence[str] = (),
    decisions: Sequence[str] = (),
    knowledge: Sequence[str] = (),
    type_ref: str | None = None,
) -> str:
    """A decision with the id ``d_NAME`` that requires others by name."""
    kind = f" typeRef={quoteattr(type_ref)}" if type_ref else ""
    needs = "".join(
        f"<informationRequirement><requiredInput href={quoteattr('#in_' + each)}/>"
        "</informationRequirement>"
        for each in inputs
    )
    needs += "".join(
        f"<informationRequirement><requiredDecision href={quoteattr('#d_' + each)}/>"
        "</informationRequirement>"
        for each in decisions
    )
    needs += "".join(
        f"<knowledgeRequirement><requiredKnowledge href={quoteattr('#b_' + each)}/>"
        "</knowledgeRequirement>"
        for each in knowledge
    )
    quoted = quoteattr(name)
    return (
        f"<decision id={quoteattr('d_' + name)} name={quoted}>"
        f"<variable name={quoted}{kind}/>{needs}{expression}</decision>"
    )


def knowledge_model(
    name: str,
    parameters: Mapping[str, str | None],
    expression: str,
    *,
    knowledge: Sequence[str] = (),
    type_ref: str | None = None,
    kind: str = "FEEL",
) -> str:
    """A business knowledge model with the id ``b_NAME``."""
    formal = "".join(
        f"<formalParameter name={quoteattr(each)}"
        + (f" typeRef={quoteattr(wanted)}" if wanted else "")
        + "/>"
        for each, wanted in parameters.items()
    )
    needs = "".join(
        f"<knowledgeRequirement><requiredKnowledge href={quoteattr('#b_' + each)}/>"
        "</knowledgeRequirement>"
        for each in knowledge
    )
    result = f" typeRef={quoteattr(type_ref)}" if type_ref else ""
    return (
        f"<businessKnowledgeModel id={quoteattr('b_' + name)} name={quoteattr(name)}>"
        f"<variable name={quoteattr(name)}{result}/>"
        f'<encapsulatedLogic kind="{kind}">{formal}{expression}</encapsulatedLogic>'
        f"{needs}</businessKnowledgeModel>"
    )


def table(
    inputs: Sequence[tuple[str, str | None] | tuple[str, str | None, str]],
    outputs: Sequence[str | tuple[str, str] | tuple[str, str, str]],
    rules: Sequence[Sequence[str]],
    *,
    policy: str = "UNIQUE",
    aggregation: str | None = None,
    annotations: Sequence[str] = (),
) -> str:
    """A decision table.

    Args:
        inputs: expression, type and perhaps allowed values of each input column.
        outputs: name, perhaps output values and default of each output column.
        rules: the cells of each rule: tests, then values, then annotations.
        policy: hit policy.
        aggregation: aggregator of a COLLECT table.
        annotations: names of annotation columns.
    """
    extra = f' aggregation="{aggregation}"' if aggregation else ""
    parts = [f'<decisionTable id="table" hitPolicy="{policy}"{extra}>']
    for column in inputs:
        kind = f" typeRef={quoteattr(column[1])}" if column[1] else ""
        values = (
            f"<inputValues><text>{escape(column[2])}</text></inputValues>"
            if len(column) > 2
            else ""
        )
        parts.append(
            f"<input><inputExpression{kind}><text>{escape(column[0])}</text></inputExpression>"
            f"{values}</input>"
        )
    for output in outputs:
        cells = (output,) if isinstance(output, str) else output
        values = (
            f"<outputValues><text>{escape(cells[1])}</text></outputValues>"
            if len(cells) > 1 and cells[1]
            else ""
        )
        default = (
            f"<defaultOutputEntry><text>{escape(cells[2])}</text></defaultOutputEntry>"
            if len(cells) > 2
            else ""
        )
        parts.append(f"<output name={quoteattr(cells[0])}>{values}{default}</output>")
    parts.extend(f"<annotation name={quoteattr(each)}/>" for each in annotations)
    for number, rule in enumerate(rules, 1):
        parts.append(f'<rule id="rule{number}">')
        for place, cell in enumerate(rule):
            if place < len(inputs):
                tag = "inputEntry"
            elif place < len(inputs) + len(outputs):
                tag = "outputEntry"
            else:
                tag = "annotationEntry"
            parts.append(f"<{tag}><text>{escape(cell)}</text></{tag}>")
        parts.append("</rule>")
    parts.append("</decisionTable>")
    return "".join(parts)


def model(*elements: str, **options: str) -> Model:
    """Read a model made of elements."""
    return load(document("\n".join(elements), **options), name="test.dmn")


def compiled(*elements: str, **options: str) -> Decisions:
    """Read and compile a model made of elements."""
    return model(*elements, **options).compile()


def value_of(expression: str, inputs: Mapping[str, object] | None = None, **options: str) -> object:
    """The value of one decision with an expression over untyped inputs."""
    given = dict(inputs or {})
    decisions = compiled(
        *(input_data(name) for name in given),
        decision("D", expression, inputs=list(given), type_ref=options.get("type_ref")),
    )
    return decisions.evaluate("D", given).value
