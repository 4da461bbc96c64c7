# SPDX-License-Identifier: MPL-2.0
"""A compact way to write BPMN models in tests: one function an element."""

from __future__ import annotations

import re
from itertools import pairwise
from xml.sax.saxutils import escape, quoteattr

HEAD = (
    '<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL"'
    ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
    ' xmlns:zeebe="http://camunda.org/schema/zeebe/1.0"'
    ' xmlns:camunda="http://camunda.org/schema/1.0/bpmn"'
    ' id="definitions" targetNamespace="https://example.org/test">'
)


def el(tag: str, key: str = "", *inside: str, **attributes: object) -> str:
    """Any element."""
    pairs = {"id": key, **{name.replace("__", ":"): value for name, value in attributes.items()}}
    text = "".join(
        f" {name}={quoteattr(_text(value))}" for name, value in pairs.items() if value != ""
    )
    return f"<{tag}{text}>{''.join(inside)}</{tag}>"


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def extensions(*inside: str) -> str:
    return f"<extensionElements>{''.join(inside)}</extensionElements>"


def io(inputs: dict[str, str] | None = None, outputs: dict[str, str] | None = None) -> str:
    lines = [el("zeebe:input", source=s, target=t) for t, s in (inputs or {}).items()]
    lines += [el("zeebe:output", source=s, target=t) for t, s in (outputs or {}).items()]
    return f"<zeebe:ioMapping>{''.join(lines)}</zeebe:ioMapping>"


def start(key: str = "s", *inside: str, **attributes: object) -> str:
    return el("startEvent", key, *inside, **attributes)


def end(key: str = "e", *inside: str, **attributes: object) -> str:
    return el("endEvent", key, *inside, **attributes)


def task(key: str, *inside: str, **attributes: object) -> str:
    return el("task", key, *inside, **attributes)


def user(key: str, *inside: str, **attributes: object) -> str:
    return el("userTask", key, *inside, **attributes)


def service(key: str, kind: str, *inside: str, **attributes: object) -> str:
    definition = el("zeebe:taskDefinition", type=kind)
    return el("serviceTask", key, extensions(definition, *inside), **attributes)


def script(key: str, expression: str, result: str, *inside: str, **attributes: object) -> str:
    how = el("zeebe:script", expression=expression, resultVariable=result)
    return el("scriptTask", key, extensions(how), *inside, **attributes)


def catch(key: str, *inside: str, **attributes: object) -> str:
    return el("intermediateCatchEvent", key, *inside, **attributes)


def throw(key: str, *inside: str, **attributes: object) -> str:
    return el("intermediateThrowEvent", key, *inside, **attributes)


def boundary(key: str, host: str, *inside: str, **attributes: object) -> str:
    return el("boundaryEvent", key, *inside, attachedToRef=host, **attributes)


def sub(key: str, *inside: str, **attributes: object) -> str:
    return el("subProcess", key, *inside, **attributes)


def exclusive(key: str, **attributes: object) -> str:
    return el("exclusiveGateway", key, **attributes)


def parallel(key: str) -> str:
    return el("parallelGateway", key)


def inclusive(key: str, **attributes: object) -> str:
    return el("inclusiveGateway", key, **attributes)


def timer(text: str, how: str = "timeDuration") -> str:
    inner = f'<{how} xsi:type="tFormalExpression">{escape(text)}</{how}>'
    return f"<timerEventDefinition>{inner}</timerEventDefinition>"


def message(ref: str) -> str:
    return f'<messageEventDefinition messageRef="{ref}"/>'


def signal(ref: str) -> str:
    return f'<signalEventDefinition signalRef="{ref}"/>'


def error(ref: str = "") -> str:
    return el("errorEventDefinition", errorRef=ref)


def escalation(ref: str = "") -> str:
    return el("escalationEventDefinition", escalationRef=ref)


def when(expression: str) -> str:
    inner = f'<condition xsi:type="tFormalExpression">{escape(expression)}</condition>'
    return f"<conditionalEventDefinition>{inner}</conditionalEventDefinition>"


def link(name: str) -> str:
    return f'<linkEventDefinition name="{name}"/>'


def compensate(activity: str = "", **attributes: object) -> str:
    return el("compensateEventDefinition", activityRef=activity, **attributes)


def flow(*paths: str) -> str:
    """Sequence flows: ``"a -> b -> c"`` and, with a condition, ``"a -> b : x > 1"``."""
    found: list[str] = []
    for path in paths:
        chain, _, condition = path.partition(" : ")
        steps = [each.strip() for each in chain.split("->")]
        for left, right in pairwise(steps):
            body = ""
            if condition:
                text = escape(condition.strip())
                body = (
                    f'<conditionExpression xsi:type="tFormalExpression">{text}'
                    "</conditionExpression>"
                )
            found.append(
                el("sequenceFlow", f"{left}-{right}", body, sourceRef=left, targetRef=right)
            )
    return "".join(found)


def process(*inside: str, key: str = "p", **attributes: object) -> str:
    return el("process", key, *inside, **{"isExecutable": True, **attributes})


def definitions(*inside: str) -> bytes:
    """A file. Messages, signals, errors and escalations that are named but not there are added."""
    body = "".join(inside)
    roots: list[str] = []
    for tag, code in (
        ("message", ""),
        ("signal", ""),
        ("error", "errorCode"),
        ("escalation", "escalationCode"),
    ):
        for ref in dict.fromkeys(re.findall(rf'{tag}Ref="([^"]+)"', body)):
            if f'<{tag} id="{ref}"' not in body:
                roots.append(el(tag, ref, name=ref, **({code: ref} if code else {})))
    return f"{HEAD}{''.join(roots)}{body}</definitions>".encode()


def model(*inside: str) -> bytes:
    """A file with one process."""
    return definitions(process(*inside))
