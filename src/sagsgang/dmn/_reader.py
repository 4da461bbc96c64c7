# SPDX-License-Identifier: MPL-2.0
"""From an XML tree to the elements of a model. Faults are collected; reading goes on."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, cast

from lxml import etree

from sagsgang.dmn import elements as el
from sagsgang.dmn._xml import line_of, text_of
from sagsgang.dmn.errors import DmnXmlError
from sagsgang.dmn.findings import Finding

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Iterator as Iter

__all__ = ["VERSIONS", "read_definitions"]

VERSIONS = {
    "http://www.omg.org/spec/DMN/20151101/dmn.xsd": "1.1",
    "http://www.omg.org/spec/DMN/20151101/dmn11.xsd": "1.1",
    "http://www.omg.org/spec/DMN/20151130": "1.1",
    "http://www.omg.org/spec/DMN/20180521/MODEL/": "1.2",
    "https://www.omg.org/spec/DMN/20191111/MODEL/": "1.3",
    "https://www.omg.org/spec/DMN/20211108/MODEL/": "1.4",
    "https://www.omg.org/spec/DMN/20230324/MODEL/": "1.5",
    "https://www.omg.org/spec/DMN/20240513/MODEL/": "1.6",
}
"""Model namespace to version of the standard."""

_EXPRESSIONS = frozenset(
    {
        "literalExpression",
        "context",
        "invocation",
        "list",
        "relation",
        "functionDefinition",
        "conditional",
        "filter",
        "for",
        "some",
        "every",
        "decisionTable",
    }
)
_HIT_POLICIES = {
    "UNIQUE": "UNIQUE",
    "FIRST": "FIRST",
    "PRIORITY": "PRIORITY",
    "ANY": "ANY",
    "COLLECT": "COLLECT",
    "RULE ORDER": "RULE ORDER",
    "OUTPUT ORDER": "OUTPUT ORDER",
    "U": "UNIQUE",
    "F": "FIRST",
    "P": "PRIORITY",
    "A": "ANY",
    "C": "COLLECT",
    "R": "RULE ORDER",
    "O": "OUTPUT ORDER",
}
_SPACE = re.compile(r"\s+")


def read_definitions(
    tree: etree._ElementTree, *, file: str | None
) -> tuple[el.Definitions, list[Finding]]:
    """Read the ``definitions`` of a tree.

    Returns:
        The elements, and what was wrong with single ones.

    Raises:
        DmnXmlError: the root is not DMN ``definitions`` of a version from 1.1 on.
    """
    root = tree.getroot()
    name = etree.QName(root)
    if name.localname != "definitions" or name.namespace not in VERSIONS:
        raise DmnXmlError(
            f"The root element is {root.tag}, not the definitions of a DMN model (1.1 to 1.5).",
            code="dmn.xml.not-dmn",
            file=file,
            line=line_of(root),
        )
    reader = _Reader(name.namespace or "", file)
    return reader.definitions(root), reader.findings


class _Reader:
    def __init__(self, namespace: str, file: str | None) -> None:
        self.file = file
        self.findings: list[Finding] = []
        self._prefix = f"{{{namespace}}}"
        self._namespace = namespace
        self._own = ""
        self._owner: str | None = None

    # -- finding one's way in the tree

    def _children(self, node: etree._Element, *names: str) -> Iter[etree._Element]:
        wanted = {self._prefix + name for name in names}
        for child in node:
            if child.tag in wanted:
                yield child

    def _child(self, node: etree._Element, name: str) -> etree._Element | None:
        return node.find(self._prefix + name)

    def _local(self, node: etree._Element) -> str:
        tag = node.tag
        return (
            tag[len(self._prefix) :]
            if isinstance(tag, str) and tag.startswith(self._prefix)
            else ""
        )

    def _text(self, node: etree._Element, name: str) -> str | None:
        child = self._child(node, name)
        return None if child is None else text_of(child)

    def _report(self, node: etree._Element, code: str, message: str) -> None:
        self.findings.append(
            Finding(
                code=code,
                severity="error",
                message=message,
                file=self.file,
                line=line_of(node),
                element_id=node.get("id"),
                element=self._owner,
            )
        )

    def _name(self, node: etree._Element) -> str:
        name = _SPACE.sub(" ", node.get("name") or "").strip()
        if not name:
            self._report(
                node,
                "model.no-name",
                f"The element {etree.QName(node).localname} has no name; give it one.",
            )
        return name

    def _type_ref(self, node: etree._Element, text: str | None) -> str | None:
        """Normalise a type reference of any version: ``feel:string``, ``imp.tPerson``."""
        if text is None or not text.strip():
            return None
        ref = _SPACE.sub(" ", text).strip()
        prefix, colon, local = ref.partition(":")
        if colon and prefix in node.nsmap:
            target = node.nsmap[prefix]
            if "/FEEL" in target or target in (self._namespace, self._own) or prefix == "feel":
                return local
            return f"{{{target}}}{local}"
        if colon and prefix == "feel":
            return local
        if ref.startswith("{"):
            uri, brace, local = ref[1:].partition("}")
            if brace and "/FEEL" in uri:
                return local
        return ref

    def _attribute_type(self, node: etree._Element) -> str | None:
        return self._type_ref(node, node.get("typeRef"))

    # -- the model

    def definitions(self, root: etree._Element) -> el.Definitions:
        namespace = (root.get("namespace") or "").strip()
        if not namespace:
            self._report(root, "model.no-namespace", "The model has no namespace; give it one.")
        self._own = namespace
        drg: list[el.DrgElement] = []
        readers: dict[str, Callable[[etree._Element], el.DrgElement]] = {
            "inputData": self._input_data,
            "decision": self._decision,
            "businessKnowledgeModel": self._knowledge_model,
            "decisionService": self._service,
            "knowledgeSource": self._source,
        }
        for child in root:
            read = readers.get(self._local(child))
            if read is not None:
                self._owner = child.get("name")
                drg.append(read(child))
        self._owner = None
        return el.Definitions(
            name=(root.get("name") or "").strip(),
            namespace=namespace,
            id=root.get("id"),
            version=VERSIONS[self._namespace],
            imports=tuple(
                el.Import(
                    name=_SPACE.sub(" ", node.get("name") or "").strip(),
                    namespace=(node.get("namespace") or "").strip(),
                    import_type=(node.get("importType") or "").strip(),
                    location_uri=node.get("locationURI"),
                    id=node.get("id"),
                    line=line_of(node),
                )
                for node in self._children(root, "import")
            ),
            item_definitions=tuple(
                self._item_definition(node) for node in self._children(root, "itemDefinition")
            ),
            elements=tuple(drg),
            expression_language=root.get("expressionLanguage"),
            description=self._text(root, "description"),
        )

    def _item_definition(self, node: etree._Element) -> el.ItemDefinition:
        self._owner = node.get("name") or self._owner
        function = self._child(node, "functionItem")
        return el.ItemDefinition(
            name=self._name(node),
            type_ref=self._type_ref(node, self._text(node, "typeRef") or node.get("typeRef")),
            is_collection=node.get("isCollection", "false").strip() in ("true", "1"),
            allowed_values=self._unary(self._child(node, "allowedValues")),
            type_constraint=self._unary(self._child(node, "typeConstraint")),
            components=tuple(
                self._item_definition(child) for child in self._children(node, "itemComponent")
            ),
            function_item=None
            if function is None
            else el.FunctionItem(
                parameters=tuple(
                    self._information_item(child)
                    for child in self._children(function, "parameters")
                ),
                output_type_ref=self._type_ref(function, function.get("outputTypeRef")),
            ),
            id=node.get("id"),
            line=line_of(node),
            label=node.get("label"),
        )

    def _information_item(self, node: etree._Element) -> el.InformationItem:
        return el.InformationItem(
            name=self._name(node),
            type_ref=self._attribute_type(node),
            id=node.get("id"),
            line=line_of(node),
        )

    def _variable(self, node: etree._Element) -> el.InformationItem:
        child = self._child(node, "variable")
        if child is None:
            return el.InformationItem(
                name=_SPACE.sub(" ", node.get("name") or "").strip(), line=line_of(node)
            )
        if not child.get("name"):
            return el.InformationItem(
                name=_SPACE.sub(" ", node.get("name") or "").strip(),
                type_ref=self._attribute_type(child),
                id=child.get("id"),
                line=line_of(child),
            )
        return self._information_item(child)

    def _id(self, node: etree._Element) -> str:
        return (node.get("id") or node.get("name") or "").strip()

    def _common(self, node: etree._Element) -> dict[str, Any]:
        return {
            "id": self._id(node),
            "name": self._name(node),
            "line": line_of(node),
            "label": node.get("label"),
            "description": self._text(node, "description"),
        }

    def _input_data(self, node: etree._Element) -> el.InputData:
        return el.InputData(variable=self._variable(node), **self._common(node))

    def _source(self, node: etree._Element) -> el.KnowledgeSource:
        return el.KnowledgeSource(location_uri=node.get("locationURI"), **self._common(node))

    def _hrefs(self, node: etree._Element, holder: str, *names: str) -> tuple[str, ...]:
        found: list[str] = []
        for requirement in self._children(node, holder):
            found.extend(self._own_hrefs(requirement, *names))
        return tuple(found)

    def _own_hrefs(self, node: etree._Element, *names: str) -> tuple[str, ...]:
        found: list[str] = []
        for target in self._children(node, *names):
            href = (target.get("href") or "").strip()
            if href:
                found.append(href)
            else:
                self._report(
                    target, "model.no-href", "The reference has no href; point it at an id."
                )
        return tuple(found)

    def _decision(self, node: etree._Element) -> el.Decision:
        return el.Decision(
            variable=self._variable(node),
            required_decisions=self._hrefs(node, "informationRequirement", "requiredDecision"),
            required_inputs=self._hrefs(node, "informationRequirement", "requiredInput"),
            required_knowledge=self._hrefs(node, "knowledgeRequirement", "requiredKnowledge"),
            expression=self._expression_in(node),
            question=self._text(node, "question"),
            allowed_answers=self._text(node, "allowedAnswers"),
            **self._common(node),
        )

    def _knowledge_model(self, node: etree._Element) -> el.BusinessKnowledgeModel:
        logic = self._child(node, "encapsulatedLogic")
        return el.BusinessKnowledgeModel(
            variable=self._variable(node),
            logic=None if logic is None else self._function(logic),
            required_knowledge=self._hrefs(node, "knowledgeRequirement", "requiredKnowledge"),
            **self._common(node),
        )

    def _service(self, node: etree._Element) -> el.DecisionService:
        return el.DecisionService(
            variable=self._variable(node),
            output_decisions=self._own_hrefs(node, "outputDecision"),
            encapsulated_decisions=self._own_hrefs(node, "encapsulatedDecision"),
            input_decisions=self._own_hrefs(node, "inputDecision"),
            input_data=self._own_hrefs(node, "inputData"),
            **self._common(node),
        )

    # -- expressions

    def _expression_in(self, node: etree._Element | None) -> el.Expression | None:
        """Return the first expression among the children of a node."""
        if node is None:
            return None
        for child in node:
            if self._local(child) in _EXPRESSIONS:
                return self._expression(child)
        return None

    def _expression(self, node: etree._Element) -> el.Expression:
        kind = self._local(node)
        where: dict[str, Any] = {
            "type_ref": self._attribute_type(node),
            "id": node.get("id"),
            "line": line_of(node),
        }
        if kind == "literalExpression":
            return self._literal(node)
        if kind == "decisionTable":
            return self._table(node)
        if kind == "functionDefinition":
            return self._function(node)
        if kind == "context":
            return el.Context(
                entries=tuple(
                    el.ContextEntry(
                        variable=None
                        if (variable := self._child(entry, "variable")) is None
                        else self._information_item(variable),
                        expression=self._expression_in(entry),
                        line=line_of(entry),
                    )
                    for entry in self._children(node, "contextEntry")
                ),
                **where,
            )
        if kind == "invocation":
            bindings: list[el.Binding] = []
            for binding in self._children(node, "binding"):
                parameter = self._child(binding, "parameter")
                if parameter is None:
                    self._report(binding, "model.no-parameter", "The binding names no parameter.")
                    continue
                bindings.append(
                    el.Binding(self._information_item(parameter), self._expression_in(binding))
                )
            return el.Invocation(
                called=self._expression_in(node), bindings=tuple(bindings), **where
            )
        if kind == "list":
            return el.ListExpression(items=self._expressions(node), **where)
        if kind == "relation":
            return el.Relation(
                columns=tuple(
                    self._information_item(column) for column in self._children(node, "column")
                ),
                rows=tuple(self._expressions(row) for row in self._children(node, "row")),
                **where,
            )
        if kind == "conditional":
            return el.Conditional(
                condition=self._expression_in(self._child(node, "if")),
                then=self._expression_in(self._child(node, "then")),
                otherwise=self._expression_in(self._child(node, "else")),
                **where,
            )
        if kind == "filter":
            return el.Filter(
                source=self._expression_in(self._child(node, "in")),
                match=self._expression_in(self._child(node, "match")),
                **where,
            )
        return el.Iterator(
            kind=cast("Any", kind),
            variable=_SPACE.sub(" ", node.get("iteratorVariable") or "").strip(),
            source=self._expression_in(self._child(node, "in")),
            body=self._expression_in(self._child(node, "return" if kind == "for" else "satisfies")),
            **where,
        )

    def _expressions(self, node: etree._Element) -> tuple[el.Expression | None, ...]:
        return tuple(
            self._expression(child) for child in node if self._local(child) in _EXPRESSIONS
        )

    def _literal(self, node: etree._Element) -> el.LiteralExpression:
        return el.LiteralExpression(
            text=self._text(node, "text"),
            language=node.get("expressionLanguage"),
            type_ref=self._attribute_type(node),
            id=node.get("id"),
            line=line_of(node),
        )

    def _unary(self, node: etree._Element | None) -> el.Text | None:
        if node is None:
            return None
        return el.Text(
            text=self._text(node, "text") or "",
            id=node.get("id"),
            line=line_of(node),
            language=node.get("expressionLanguage"),
        )

    def _function(self, node: etree._Element) -> el.FunctionDefinition:
        kind = node.get("kind", "FEEL").strip()
        if kind not in ("FEEL", "Java", "PMML"):
            self._report(
                node,
                "model.function-kind",
                f'The function kind "{kind}" is unknown; use FEEL.',
            )
            kind = "FEEL"
        return el.FunctionDefinition(
            parameters=tuple(
                self._information_item(child) for child in self._children(node, "formalParameter")
            ),
            body=self._expression_in(node),
            kind=cast("Any", kind),
            type_ref=self._attribute_type(node),
            id=node.get("id"),
            line=line_of(node),
        )

    def _table(self, node: etree._Element) -> el.DecisionTable:
        policy_text = _SPACE.sub(" ", node.get("hitPolicy", "UNIQUE")).strip().upper()
        policy = _HIT_POLICIES.get(policy_text)
        if policy is None:
            self._report(
                node,
                "table.hit-policy",
                f'The hit policy "{policy_text}" is unknown; choose another.',
            )
            policy = "UNIQUE"
        aggregation = (node.get("aggregation") or "").strip().upper() or None
        if aggregation not in (None, "SUM", "COUNT", "MIN", "MAX"):
            self._report(
                node,
                "table.aggregation",
                f'The aggregation "{aggregation}" is unknown; choose another.',
            )
            aggregation = None
        table = el.DecisionTable(
            inputs=tuple(self._input_clause(child) for child in self._children(node, "input")),
            outputs=tuple(self._output_clause(child) for child in self._children(node, "output")),
            rules=tuple(self._rule(child) for child in self._children(node, "rule")),
            hit_policy=cast("Any", policy),
            aggregation=cast("Any", aggregation),
            orientation=node.get("preferredOrientation", "Rule-as-Row"),
            output_label=node.get("outputLabel"),
            annotation_names=tuple(
                (child.get("name") or "").strip() for child in self._children(node, "annotation")
            ),
            type_ref=self._attribute_type(node),
            id=node.get("id"),
            line=line_of(node),
        )
        for number, (rule, rule_node) in enumerate(
            zip(table.rules, self._children(node, "rule"), strict=True), 1
        ):
            if len(rule.inputs) != len(table.inputs) or len(rule.outputs) != len(table.outputs):
                self._report(
                    rule_node,
                    "table.rule-shape",
                    f"Rule {number} has {len(rule.inputs)} tests and {len(rule.outputs)} outputs; "
                    f"the table has {len(table.inputs)} and {len(table.outputs)} columns.",
                )
        if not table.outputs:
            self._report(node, "table.no-output", "The table has no output column; add one.")
        return table

    def _input_clause(self, node: etree._Element) -> el.InputClause:
        expression = self._child(node, "inputExpression")
        return el.InputClause(
            expression=el.LiteralExpression(text=None, line=line_of(node))
            if expression is None
            else self._literal(expression),
            label=node.get("label"),
            values=self._unary(self._child(node, "inputValues")),
            id=node.get("id"),
            line=line_of(node),
        )

    def _output_clause(self, node: etree._Element) -> el.OutputClause:
        default = self._child(node, "defaultOutputEntry")
        return el.OutputClause(
            name=_SPACE.sub(" ", node.get("name") or "").strip() or None,
            label=node.get("label"),
            type_ref=self._attribute_type(node),
            values=self._unary(self._child(node, "outputValues")),
            default=None if default is None else self._literal(default),
            id=node.get("id"),
            line=line_of(node),
        )

    def _rule(self, node: etree._Element) -> el.Rule:
        return el.Rule(
            inputs=tuple(
                el.Text(
                    text=self._text(entry, "text") or "",
                    id=entry.get("id"),
                    line=line_of(entry),
                    language=entry.get("expressionLanguage"),
                )
                for entry in self._children(node, "inputEntry")
            ),
            outputs=tuple(self._literal(entry) for entry in self._children(node, "outputEntry")),
            annotations=tuple(
                (self._text(entry, "text") or "").strip()
                for entry in self._children(node, "annotationEntry")
            ),
            description=self._text(node, "description"),
            id=node.get("id"),
            line=line_of(node),
        )
