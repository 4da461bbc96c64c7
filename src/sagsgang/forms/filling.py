# SPDX-License-Identifier: MPL-2.0
"""Filling a form: from what a browser sends to checked data, and back to what is shown.

The server is the authority: what is hidden is neither asked for nor kept, whatever the browser sends.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sagsgang.forms import values
from sagsgang.forms.schema import (
    Choice,
    Component,
    Field,
    Form,
    Group,
    Rows,
    Setting,
    Text,
    walk,
)

ACTION = "_action"
"""Name of the buttons that change the form instead of sending it: ``add:lines``, ``remove:lines.2``, ``refresh``."""

_BEGIN = "begin"

Posted = Mapping[str, Sequence[str]]


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
        fresh: Whether the row was added just now and should get the focus.
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


@dataclass(slots=True)
class Filled:
    """A form with what has been filled in.

    Attributes:
        form: The form.
        data: The answers that count, by key; what is hidden is left out.
        faults: Field name to messages; the name ``""`` is the form as a whole.
        action: The button that was pressed where it was not sending.
    """

    form: Form
    data: dict[str, Any]
    faults: dict[str, list[str]] = field(default_factory=dict)
    action: str = ""
    context: Mapping[str, Any] = field(default_factory=dict)
    _raw: dict[str, list[str]] = field(default_factory=dict)
    _fresh: str = ""

    @property
    def good(self) -> bool:
        """Whether the form was sent and nothing is wrong."""
        return not self.action and not self.faults

    def show(self) -> list[list[Shown]]:
        """The form as it is now shown."""
        return _show(self, self.form.components, "", self.data, _scope(self.context, self.data))

    def summary(self) -> list[Line]:
        """The answers in words."""
        return list(_summary(self.show()))

    def fault_list(self) -> list[Fault]:
        """What is wrong, in the order of the page."""
        listed = [Fault("", "", message) for message in self.faults.get("", ())]
        known = {""}
        for shown, where in _each(self.show()):
            known.add(shown.name)
            listed += [Fault(shown.id, where, message) for message in shown.faults]
        listed += [
            Fault("", name, message)
            for name, messages in self.faults.items()
            if name not in known
            for message in messages
        ]
        return listed

    def inputs(self) -> list[tuple[str, str]]:
        """Everything filled in as names and texts, to be carried along on a summary page."""
        return [(name, text) for name, texts in self._raw.items() for text in texts]

    def add_faults(self, faults: Mapping[str, Sequence[str]]) -> None:
        """Take in what was found wrong behind the form, by field name."""
        for name, messages in faults.items():
            self.faults.setdefault(name, []).extend(messages)


def blank(
    form: Form, *, data: Mapping[str, Any] | None = None, context: Mapping[str, Any] | None = None
) -> Filled:
    """A form to be filled in.

    Args:
        form: The form.
        data: Answers to begin with.
        context: What expressions may read besides the answers.
    """
    known = context or {}
    start = _defaults(form.components, data or {}, _scope(known, data or {}))
    filled = Filled(form, {}, action=_BEGIN, context=known)
    # Through the same door as what a browser sends, so that a number kept as text is a number again.
    texts = dict(_texts(form.components, "", start))
    filled.data = _collect(filled, form.components, "", "", texts, {})
    _settle(filled)
    filled.action = ""
    return filled


def read(form: Form, posted: Posted, *, context: Mapping[str, Any] | None = None) -> Filled:
    """What a browser sent, read and checked.

    Args:
        form: The form.
        posted: Input name to its texts, as in ``dict(request.POST.lists())``.
        context: What expressions may read besides the answers.
    """
    action = next(iter(posted.get(ACTION, ())), "")
    filled = Filled(form, {}, action=action, context=context or {})
    faults: dict[str, list[str]] = {}
    filled.data = _collect(filled, form.components, "", "", posted, faults)
    if action:
        _settle(filled)
        filled.faults.clear()
        return filled
    filled.faults = faults
    _settle(filled)
    return filled


def check(
    form: Form, data: Mapping[str, Any], *, context: Mapping[str, Any] | None = None
) -> Filled:
    """Answers that did not come from a page, checked by the same rules."""
    return read(
        form, {name: texts for name, texts in _texts(form.components, "", data)}, context=context
    )


def _scope(context: Mapping[str, Any], data: Mapping[str, Any]) -> dict[str, Any]:
    return {**context, **data}


def _get(data: Mapping[str, Any], key: str) -> Any:
    value: Any = data
    for part in key.split("."):
        if not isinstance(value, Mapping):
            return None
        value = value.get(part)
    return value


def _put(data: dict[str, Any], key: str, value: Any) -> None:
    *outer, last = key.split(".")
    for part in outer:
        data = data.setdefault(part, {})
    data[last] = value


def _drop(data: dict[str, Any], key: str) -> None:
    *outer, last = key.split(".")
    for part in outer:
        inner = data.get(part)
        if not isinstance(inner, dict):
            return
        data = inner
    data.pop(last, None)


def _defaults(
    components: Sequence[Component], data: Mapping[str, Any], scope: Mapping[str, Any]
) -> dict[str, Any]:
    """Answers for a new form: what is given, else what the schema says, else nothing."""
    start: dict[str, Any] = {}
    for component in components:
        match component:
            case Field():
                given = _get(data, component.key)
                _put(
                    start, component.key, component.default.value(scope) if given is None else given
                )
            case Group():
                inner = _get(data, component.path) if component.path else data
                read_in = _defaults(component.components, inner or {}, scope)
                if component.path:
                    _put(start, component.path, read_in)
                else:
                    start.update(read_in)
            case Rows():
                rows = list(_get(data, component.path) or ())
                rows += [{}] * (component.fewest - len(rows))
                _put(
                    start,
                    component.path,
                    [_defaults(component.components, row, scope) for row in rows],
                )
    return start


def _texts(
    components: Sequence[Component], prefix: str, data: Mapping[str, Any]
) -> Iterator[tuple[str, list[str]]]:
    """Answers as a browser would send them."""
    for component in components:
        match component:
            case Field():
                value = _get(data, component.key)
                name = prefix + component.key
                if component.type == "checklist":
                    yield name, [str(item) for item in value or ()]
                elif component.subtype == "datetime":
                    day, _, clock = str(value or "").partition("T")
                    yield name, [day, clock[:5]]
                elif (text := values.as_text(component, value)) or component.type != "checkbox":
                    yield name, [text]
            case Group():
                inner = _get(data, component.path) if component.path else data
                path = f"{prefix}{component.path}." if component.path else prefix
                yield from _texts(component.components, path, inner or {})
            case Rows():
                for number, row in enumerate(_get(data, component.path) or ()):
                    yield f"{prefix}{component.path}.{number}", ["row"]
                    yield from _texts(
                        component.components, f"{prefix}{component.path}.{number}.", row
                    )


def _collect(
    filled: Filled,
    components: Sequence[Component],
    origin: str,
    prefix: str,
    posted: Posted,
    faults: dict[str, list[str]],
) -> dict[str, Any]:
    """Read every field; rows are numbered anew, so ``origin`` is where a name was and ``prefix`` where it is now."""
    data: dict[str, Any] = {}
    for component in components:
        match component:
            case Field():
                name = prefix + component.key
                texts = [str(text) for text in posted.get(origin + component.key, ())]
                filled._raw[name] = texts
                try:
                    value = values.read(component, texts, _offered(component, filled.context))
                except values.ReadError as error:
                    faults.setdefault(name, []).append(str(error))
                    value = None
                _put(data, component.key, value)
            case Group():
                path = f"{component.path}." if component.path else ""
                inner = _collect(
                    filled, component.components, origin + path, prefix + path, posted, faults
                )
                if component.path:
                    _put(data, component.path, inner)
                else:
                    data.update(inner)
            case Rows():
                _put(
                    data,
                    component.path,
                    _collect_rows(filled, component, origin, prefix, posted, faults),
                )
    return data


def _collect_rows(
    filled: Filled,
    rows: Rows,
    origin: str,
    prefix: str,
    posted: Posted,
    faults: dict[str, list[str]],
) -> list[dict[str, Any]]:
    base, there = origin + rows.path, prefix + rows.path
    numbers = _row_numbers(base, posted)
    removed = (
        filled.action.removeprefix(f"remove:{base}.")
        if filled.action.startswith(f"remove:{base}.")
        else ""
    )
    kept = [
        number
        for number in numbers
        if not (removed.isdigit() and number == int(removed) and not rows.fixed)
    ]
    adding = filled.action == f"add:{base}" and not rows.fixed
    if not filled.action:
        written = [number for number in kept if _written(filled, rows, f"{base}.{number}.", posted)]
        kept = written if len(written) >= rows.fewest else kept[: max(rows.fewest, len(written))]
    if len(kept) > rows.most:
        faults.setdefault(there, []).append(
            f"Der kan højst være {rows.most} linjer. Resten er fjernet."
        )
        kept = kept[: rows.most]
    collected: list[dict[str, Any]] = []
    for position, number in enumerate(kept):
        filled._raw[f"{there}.{position}"] = ["row"]
        collected.append(
            _collect(
                filled, rows.components, f"{base}.{number}.", f"{there}.{position}.", posted, faults
            )
        )
    while len(collected) < rows.fewest or (adding and len(collected) < rows.most):
        position = len(collected)
        filled._raw[f"{there}.{position}"] = ["row"]
        fresh = _defaults(rows.components, {}, filled.context)
        filled._raw.update(_texts(rows.components, f"{there}.{position}.", fresh))
        collected.append(fresh)
        if adding:
            filled._fresh = f"{there}.{position}"
        if len(collected) >= rows.fewest:
            adding = False
    return collected


def _row_numbers(base: str, posted: Posted) -> list[int]:
    found: set[int] = set()
    for name in posted:
        if name.startswith(f"{base}."):
            number = name[len(base) + 1 :].partition(".")[0]
            if number.isdecimal() and len(number) < 6:
                found.add(int(number))
    return sorted(found)


def _written(filled: Filled, rows: Rows, prefix: str, posted: Posted) -> bool:
    """Whether a person wrote something in a row: what the form itself put there does not count."""
    for component in walk(rows.components):
        if isinstance(component, Field):
            texts = [
                text.strip() for text in posted.get(prefix + component.key, ()) if text.strip()
            ]
            default = values.as_text(component, component.default.value(filled.context))
            if texts and texts != [default]:
                return True
    return False


def _offered(component: Field, scope: Mapping[str, Any]) -> Sequence[Choice]:
    if component.choices_from is None:
        return component.choices
    offered = component.choices_from(scope)
    if not isinstance(offered, list):
        return ()
    return [
        Choice(str(item["value"]), str(item.get("label", item["value"])))
        if isinstance(item, Mapping) and "value" in item
        else Choice(str(item), str(item))
        for item in offered
    ]


def _settle(filled: Filled) -> None:
    """Leave out what is hidden, then check what is left."""
    _hide(filled, filled.form.components, "", filled.data, _scope(filled.context, filled.data))
    if not filled.action:
        _check(filled, filled.form.components, "", filled.data, _scope(filled.context, filled.data))


def _row_scope(outer: Mapping[str, Any], row: Mapping[str, Any], number: int) -> dict[str, Any]:
    """As form-js has it: a row's own keys, ``this``, ``parent`` and ``i`` (from 1)."""
    return {**outer, **row, "this": row, "parent": outer, "i": number + 1}


def _inside(
    component: Group | Rows, prefix: str, data: dict[str, Any], scope: Mapping[str, Any]
) -> Iterator[tuple[str, dict[str, Any], Mapping[str, Any]]]:
    """The contexts inside a group or list: name prefix, data and scope of each."""
    if isinstance(component, Rows):
        for number, row in enumerate(_get(data, component.path) or ()):
            yield f"{prefix}{component.path}.{number}.", row, _row_scope(scope, row, number)
    elif component.path:
        inner = _get(data, component.path)
        if isinstance(inner, dict):
            yield f"{prefix}{component.path}.", inner, {**scope, **inner}
    else:
        yield prefix, data, scope


def _hidden(component: Component, scope: Mapping[str, Any]) -> bool:
    return bool(component.hide) and component.hide.value(scope) is True


def _hide(
    filled: Filled,
    components: Sequence[Component],
    prefix: str,
    data: dict[str, Any],
    scope: Mapping[str, Any],
) -> None:
    for component in components:
        key = component.key if isinstance(component, Field) else getattr(component, "path", "")
        if _hidden(component, scope):
            keys = (
                [key]
                if key
                else [inner.key for inner in walk((component,)) if isinstance(inner, Field)]
            )
            for name in keys:
                _drop(data, name)
                for known in [*filled.faults, *filled._raw]:
                    if known == prefix + name or known.startswith(f"{prefix}{name}."):
                        filled.faults.pop(known, None)
                        filled._raw.pop(known, None)
        elif isinstance(component, Group | Rows):
            for inner_prefix, inner, inner_scope in _inside(component, prefix, data, scope):
                _hide(filled, component.components, inner_prefix, inner, inner_scope)


def _check(
    filled: Filled,
    components: Sequence[Component],
    prefix: str,
    data: dict[str, Any],
    scope: Mapping[str, Any],
) -> None:
    for component in components:
        if _hidden(component, scope):
            continue
        if isinstance(component, Group | Rows):
            for inner_prefix, inner, inner_scope in _inside(component, prefix, data, scope):
                _check(filled, component.components, inner_prefix, inner, inner_scope)
        elif isinstance(component, Field):
            name = prefix + component.key
            if name in filled.faults:
                continue
            value = _get(data, component.key)
            if component.choices_from is not None and value is not None:
                offered = {choice.value for choice in _offered(component, scope)}
                chosen = value if isinstance(value, list) else [value]
                if not offered.issuperset(map(str, chosen)):
                    filled.faults[name] = ["Vælg en af mulighederne."]
                    continue
            found = values.faults(component, value, scope)
            if found:
                filled.faults[name] = found


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
        if _hidden(component, scope):
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
            count = len(_get(data, component.path) or ())
            rows = [
                Shown(
                    "row",
                    inner_prefix.rstrip("."),
                    id=_id(inner_prefix.rstrip(".")),
                    label=f"{component.item or label or 'Linje'} {number + 1}",
                    lines=_show(filled, component.components, inner_prefix, inner, inner_scope),
                    may_remove=not component.fixed and count > component.fewest,
                    fresh=filled._fresh == inner_prefix.rstrip("."),
                )
                for number, (inner_prefix, inner, inner_scope) in enumerate(
                    _inside(component, prefix, data, scope)
                )
            ]
            return Shown(
                "rows",
                name,
                id=_id(name),
                label=component.item or label or "Linje",
                rows=rows,
                faults=filled.faults.get(name, ()),
                may_add=not component.fixed and count < component.most,
                columns=component.columns,
            )
        case Group():
            for inner_prefix, inner, inner_scope in _inside(component, prefix, data, scope):
                lines = _show(filled, component.components, inner_prefix, inner, inner_scope)
                return Shown(
                    "group", inner_prefix, id=_id(prefix + component.id), label=label, lines=lines
                )
    return Shown("group", prefix)


def _field(
    filled: Filled, component: Field, prefix: str, label: str, scope: Mapping[str, Any]
) -> Shown:
    name = prefix + component.key
    texts = filled._raw.get(name, [])
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
        choices=[(choice, choice.value in texts) for choice in _offered(component, scope)],
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
