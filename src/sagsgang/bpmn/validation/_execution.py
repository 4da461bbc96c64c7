# SPDX-License-Identifier: MPL-2.0
"""What a process must say to be executed (BPMN 2.0.2, "if isExecutable is set to true").

In a process that is only a drawing none of it is asked for.
"""

from __future__ import annotations

import re

from lxml import etree

from sagsgang.bpmn._expressions import condition as feel_expression
from sagsgang.bpmn._expressions import text_or_feel
from sagsgang.bpmn._read import boolean, child, extension, text_of, variable_names
from sagsgang.bpmn.model import XSI, ZEEBE, local_name
from sagsgang.bpmn.validation._context import CATCHING, EVENTS, Context

__all__ = ["check_execution"]

_TIMES = ("timeDate", "timeDuration", "timeCycle")
_CLOCK = r"T\d{2}(:?\d{2}(:?\d{2}([.,]\d+)?)?)?"
_ZONE = r"(Z|[+-]\d{2}(:?\d{2})?)?(\[[\w/+-]+\]|@[\w/+-]+)?"
_MONTH, _DAY = "(0[1-9]|1[0-2])", r"(0[1-9]|[12]\d|3[01])"
_DATE = rf"[+-]?\d{{4}}(-?{_MONTH}(-?{_DAY})?|-?W\d{{2}}(-?\d)?|-?\d{{3}})?({_CLOCK})?{_ZONE}"
_DURATION = (
    r"[+-]?P(?=[\dT])(\d+([.,]\d+)?Y)?(\d+([.,]\d+)?M)?(\d+([.,]\d+)?W)?(\d+([.,]\d+)?D)?"
    r"(T(?=\d)(\d+([.,]\d+)?H)?(\d+([.,]\d+)?M)?(\d+([.,]\d+)?S)?)?"
)
_INTERVAL = rf"({_DATE}|{_DURATION})(/({_DATE}|{_DURATION}))?"
_ISO = {
    "timeDate": re.compile(_DATE),
    "timeDuration": re.compile(_DURATION),
    "timeCycle": re.compile(rf"(R-?\d*/)?{_INTERVAL}"),
}
_WORD = re.compile(r"\w+")
# A table of minutes, hours and days as Unix has it: five to seven fields.
_CRON = re.compile(r"@\w+( \w+)?|(\S+\s+){4,6}\S+")


def check_execution(context: Context) -> None:
    """Look at events and tasks of executable processes, and at expressions in FEEL."""
    for event in context.all(*sorted(EVENTS)):
        if context.executable(event):
            for definition in context.definitions(event):
                _definition(context, event, definition)
    for task in context.all("sendTask", "receiveTask"):
        if context.executable(task) and not (
            task.get("messageRef")
            or task.get("operationRef")
            or _handled(task)
            or _addressed(context, task)
        ):
            context.add(
                task,
                "task-message-missing",
                "Opgaven kan ikke udføres, før den nævner sin meddelelse; angiv messageRef.",
            )
    for node in context.all("callActivity"):
        called = node.get("calledElement") or extension(node, "calledElement") is not None
        if context.executable(node) and not called and not _handled(node):
            context.add(
                node,
                "called-element-missing",
                "Kaldeaktiviteten kan ikke udføres, før den nævner den proces, den kalder; angiv "
                "calledElement.",
            )
    for each in context.all("extension"):
        if each.get("mustUnderstand") in {"true", "1"}:
            context.add(
                each,
                "extension-must-understand",
                f"Modellen kræver, at udvidelsen {each.get('definition')!r} forstås; det gør den "
                "ikke her.",
            )
    _expressions(context)


def _handled(element: etree._Element) -> bool:
    """Whether a vendor's extension says how it is done."""
    return child(element, "extensionElements") is not None or any(
        str(key).startswith("{") for key in element.attrib
    )


def _addressed(context: Context, node: etree._Element) -> bool:
    """Whether a message flow says who is meant, in a process that is only drawn.

    One that says that it is executable must name the message all the same.
    """
    process = context.process_of(node)
    if process is None or boolean(process, "isExecutable"):
        return False
    key = node.get("id", "")
    return bool(context.messages_in.get(key) or context.messages_out.get(key))


def _definition(context: Context, event: etree._Element, definition: etree._Element) -> None:
    kind = local_name(definition)[: -len("EventDefinition")]
    vendor = _handled(definition)
    if kind == "timer":
        _timer(context, event, definition)
    elif kind == "conditional":
        _conditional(context, event, definition)
    elif (
        kind == "message"
        and not definition.get("messageRef")
        and not vendor
        and extension(event, "taskDefinition") is None
        and not _addressed(context, event)
    ):
        context.add(
            event,
            "message-missing",
            "I en eksekverbar proces skal meddelelseshændelsen nævne sin meddelelse; angiv "
            "messageRef.",
        )
    elif kind == "signal" and not definition.get("signalRef"):
        context.add(
            event,
            "signal-missing",
            "I en eksekverbar proces skal signalhændelsen nævne sit signal; angiv signalRef.",
        )
    elif kind in {"error", "escalation"} and local_name(event) not in CATCHING:
        _thrown_code(context, event, definition, kind)


def _timer(context: Context, event: etree._Element, definition: etree._Element) -> None:
    given = [(tag, text) for tag in _TIMES if (text := text_of(child(definition, tag)))]
    if not given:
        context.add(
            event,
            "timer-missing",
            "I en eksekverbar proces skal tidshændelsen sige hvornår; angiv dato, varighed eller "
            "cyklus.",
            fatal=True,
        )
    for tag, text in given:
        if text.startswith(("=", "${", "#{")) or _ISO[tag].fullmatch(text):
            continue
        if tag == "timeCycle" and _CRON.fullmatch(text):
            continue
        if _is_expression(text, variable_names(context.model)):
            continue
        context.add(
            event,
            "timer-format",
            f"{tag} {text[:60]!r} er ikke skrevet efter ISO 8601, fx 2026-03-02T09:00:00, PT2H "
            "eller R3/P1D; ret det.",
        )


def _is_expression(text: str, names: tuple[str, ...]) -> bool:
    """A name or a call, as other languages write them without a mark in front."""
    return (
        re.fullmatch(r"[^\W\d][\w.]*(\(.*\))?", text, re.DOTALL) is not None
        or text in names
        or '"' in text
    )


def _conditional(context: Context, event: etree._Element, definition: etree._Element) -> None:
    condition = child(definition, "condition")
    if not text_of(condition):
        context.add(
            event,
            "condition-missing",
            "I en eksekverbar proces skal betingelsen være udfyldt; angiv den.",
        )
    elif condition is not None and not (condition.get(f"{{{XSI}}}type") or "").endswith(
        "tFormalExpression"
    ):
        context.add(
            event,
            "condition-not-formal",
            "I en eksekverbar proces skal betingelsen være et formelt udtryk; angiv "
            'xsi:type="tFormalExpression".',
        )


def _thrown_code(
    context: Context, event: etree._Element, definition: etree._Element, kind: str
) -> None:
    name = f"{kind}Ref"
    target = context.target(definition.get(name))
    if not definition.get(name):
        context.add(
            event,
            f"{kind}-missing",
            f"I en eksekverbar proces skal hændelsen nævne, hvad den udløser; angiv {name}.",
        )
    elif target is not None and local_name(target) == kind and not target.get(f"{kind}Code"):
        context.add(
            target,
            f"{kind}-code-missing",
            f"Det, som en eksekverbar proces udløser, skal have en kode; angiv {kind}Code.",
        )


_EXPRESSIONS = (
    "conditionExpression",
    "condition",
    "loopCardinality",
    "loopCondition",
    "completionCondition",
    "activationCondition",
)


def _expressions(context: Context) -> None:
    """Expressions that are said to be FEEL must be FEEL."""
    every = variable_names(context.model)
    standard = context.root.get("expressionLanguage", "").lower()
    for element in context.all(*_EXPRESSIONS):
        text = text_of(element)
        language = (element.get("language") or standard).lower()
        if not text or ("feel" not in language and not text.startswith("=")):
            continue
        _syntax(context, element, feel_expression(text, _named(text, every)).error)
    for element in context.root.iter(f"{{{ZEEBE}}}*"):
        for key in ("source", "expression", "correlationKey", "inputCollection", "outputElement"):
            text = element.get(key) or ""
            if text.startswith("="):
                _syntax(context, element, text_or_feel(text, _named(text, every)).error)
        text = element.get("expression") or ""
        if local_name(element) == "script" and text and not text.startswith("="):
            _syntax(context, element, feel_expression(text, _named(text, every)).error)


def _named(text: str, names: tuple[str, ...]) -> tuple[str, ...]:
    """The names that an expression can hold; the others need not be looked for."""
    return tuple(each for each in names if all(word in text for word in _WORD.findall(each)))


def _syntax(context: Context, element: etree._Element, error: str) -> None:
    if error:
        context.add(element, "expression-syntax", error, fatal=True)
