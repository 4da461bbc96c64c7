# SPDX-License-Identifier: MPL-2.0
"""A form as it is shown: components with their texts and faults, the answers in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sagsgang.forms import values
from sagsgang.forms._scopes import entry, inside, is_hidden, offered, scope_of
from sagsgang.forms.filling import Filled
from sagsgang.forms.schema import Choice, Component, Field, Group, Rows, Setting, Text


@dataclass(slots=True)
class Shown:
    """One component as it is now shown; templates read these.

    Attributes:
        kind: Name of the template: the type of the field, ``text``, ``group`` or ``rows``.
        name: Name of its input, and key of its faults.
        id: Id of its input in the page.
        label: Its label or heading.
        hint: Help for filling in.
        texts: What is written in it.
        faults: What is wrong with it.
        choices: What it offers, with whether each is chosen.
        required: Whether it must be filled in.
        optional: Whether to say that it may be left empty: not where it has a value to begin with.
        readonly: Whether it is shown only.
        field: The field of the schema, for fields.
        lines: Components inside, those that stand beside each other together.
        rows: Rows of a list, each with its lines.
        may_add: Whether a row may be added.
        may_remove: Whether a row may be removed.
        columns: Width in sixteenths; 0 is even.
        fresh: Whether it was changed just now and should get the focus.
    """

    kind: str
    name: str
    id: str = ""
    label: str = ""
    hint: str = ""
    texts: Sequence[str] = ()
    faults: Sequence[str] = ()
    choices: Sequence[tuple[Choice, bool]] = ()
    required: bool = False
    optional: bool = False
    readonly: bool = False
    field: Field | None = None
    lines: Sequence[Sequence[Shown]] = ()
    rows: Sequence[Shown] = ()
    may_add: bool = False
    may_remove: bool = False
    columns: int = 0
    fresh: bool = False

    @property
    def text(self) -> str:
        """What is written in a field with one input."""
        return self.texts[0] if self.texts else ""

    @property
    def second_text(self) -> str:
        """What is written in the second input: the time beside a date."""
        return self.texts[1] if len(self.texts) > 1 else ""

    @property
    def described_by(self) -> str:
        """Ids of what explains the input."""
        ids = [f"{self.id}-hint"] if self.hint else []
        return " ".join([*ids, f"{self.id}-error"] if self.faults else ids)


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a summary: a label with what was answered, or a heading with lines below it.

    Attributes:
        label: The label, or the heading.
        words: The answer in words; empty for a heading.
        id: Id of the input, to go back to.
        below: Lines under the heading.
    """

    label: str
    words: str = ""
    id: str = ""
    below: Sequence[Line] = ()


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong, for the list on top of the page."""

    id: str
    where: str
    message: str


def show(filled: Filled) -> list[list[Shown]]:
    """The form as it is now shown: lines of components that stand beside each other."""
    data = filled.data
    return _show(filled, filled.form.components, "", data, scope_of(filled.context, data))


def summary(filled: Filled) -> list[Line]:
    """The answers in words."""
    return list(_summary(show(filled)))


def fault_list(filled: Filled) -> list[Fault]:
    """What is wrong, in the order of the page."""
    listed = [Fault("", "", message) for message in filled.faults.get("", ())]
    known = {""}
    for shown, where in _each(show(filled)):
        known.add(shown.name)
        listed += [Fault(shown.id, where, message) for message in shown.faults]
    listed += [
        Fault("", name, message)
        for name, messages in filled.faults.items()
        if name not in known
        for message in messages
    ]
    return listed


def _show(
    filled: Filled,
    components: Sequence[Component],
    prefix: str,
    data: dict[str, Any],
    scope: Mapping[str, Any],
) -> list[list[Shown]]:
    lines: list[list[Shown]] = []
    last_row = ""
    for component in components:
        if is_hidden(component, scope):
            continue
        shown = _one(filled, component, prefix, data, scope)
        if component.row and component.row == last_row:
            lines[-1].append(shown)
        else:
            lines.append([shown])
        last_row = component.row
    return lines


def _one(
    filled: Filled,
    component: Component,
    prefix: str,
    data: dict[str, Any],
    scope: Mapping[str, Any],
) -> Shown:
    label = _words(component.label, scope)
    match component:
        case Field():
            return _field(filled, component, prefix, label, scope)
        case Text():
            return Shown("text", prefix + component.id, label=component.text.value(scope))
        case Rows():
            name = prefix + component.path
            count = len(entry(data, component.path) or ())
            rows = [
                Shown(
                    "row",
                    inner_prefix.rstrip("."),
                    id=_id(inner_prefix.rstrip(".")),
                    label=f"{component.item or label or 'Linje'} {number + 1}",
                    lines=_show(filled, component.components, inner_prefix, inner, inner_scope),
                    may_remove=not component.fixed and count > component.fewest,
                    fresh=filled.fresh == inner_prefix.rstrip("."),
                )
                for number, (inner_prefix, inner, inner_scope) in enumerate(
                    inside(component, prefix, data, scope)
                )
            ]
            return Shown(
                "rows",
                name,
                id=_id(name),
                label=component.item or label or "Linje",
                rows=rows,
                faults=filled.faults.get(name, ()),
                fresh=filled.action.startswith(f"remove:{name}."),
                may_add=not component.fixed and count < component.most,
                columns=component.columns,
            )
        case Group():
            for inner_prefix, inner, inner_scope in inside(component, prefix, data, scope):
                lines = _show(filled, component.components, inner_prefix, inner, inner_scope)
                return Shown(
                    "group", inner_prefix, id=_id(prefix + component.id), label=label, lines=lines
                )
    return Shown("group", prefix)


def _field(
    filled: Filled, component: Field, prefix: str, label: str, scope: Mapping[str, Any]
) -> Shown:
    name = prefix + component.key
    texts = filled.texts.get(name, [])
    required = component.required.value(scope) is True
    readonly = component.readonly.value(scope) is True
    return Shown(
        component.type,
        name,
        id=_id(name),
        label=label,
        hint=_words(component.hint, scope),
        texts=texts,
        faults=filled.faults.get(name, ()),
        choices=[(choice, choice.value in texts) for choice in offered(component, scope)],
        required=required,
        optional=not required and not readonly and component.default.value(scope) is None,
        readonly=readonly,
        field=component,
        columns=component.columns,
    )


def _words(setting: Setting, scope: Mapping[str, Any]) -> str:
    value = setting.value(scope)
    return "" if value is None else str(value)


def _id(name: str) -> str:
    return "f-" + name.replace(".", "-")


def _each(lines: Sequence[Sequence[Shown]], where: str = "") -> Iterator[tuple[Shown, str]]:
    for line in lines:
        for shown in line:
            if shown.kind == "text":
                continue
            path = f"{where}, {shown.label}" if where and shown.label else where or shown.label
            if shown.kind == "rows":
                yield shown, path
                for row in shown.rows:
                    yield from _each(row.lines, row.label)
            elif shown.kind == "group":
                yield from _each(shown.lines, where)
            else:
                yield shown, path


def _summary(lines: Sequence[Sequence[Shown]]) -> Iterator[Line]:
    for line in lines:
        for shown in line:
            match shown.kind:
                case "text":
                    continue
                case "group":
                    below = tuple(_summary(shown.lines))
                    if shown.label:
                        yield Line(shown.label, below=below)
                    else:
                        yield from below
                case "rows":
                    for row in shown.rows:
                        yield Line(row.label, id=row.id, below=tuple(_summary(row.lines)))
                case _ if shown.field is not None:
                    yield Line(shown.label, _answer(shown), shown.id)


def _answer(shown: Shown) -> str:
    component = shown.field
    if component is None:  # pragma: no cover - only fields have answers
        return ""
    choices = [choice for choice, _chosen in shown.choices]
    try:
        value = values.read(component, shown.texts, choices)
    except values.ReadError:
        return ", ".join(shown.texts)
    return values.as_words(component, value, choices)
