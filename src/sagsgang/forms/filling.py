# SPDX-License-Identifier: MPL-2.0
"""Filling a form: from what a browser sends to checked data.

The server is the authority: what is hidden is neither asked for nor kept, whatever the browser
sends.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sagsgang.forms import values
from sagsgang.forms._scopes import entry, inside, is_hidden, offered, scope_of
from sagsgang.forms.schema import Component, Field, Form, Group, Rows, walk

ACTION = "_action"
"""Name of the buttons that change the form instead of sending it: ``add:lines``,
``remove:lines.2``, ``refresh``.
"""

_BEGIN = "begin"

Posted = Mapping[str, Sequence[str]]


@dataclass(slots=True)
class Filled:
    """A form with what has been filled in.

    Attributes:
        form: The form.
        data: The answers that count, by key; what is hidden is left out.
        faults: Field name to messages; the name ``""`` is the form as a whole.
        action: The button that was pressed where it was not sending.
        context: What expressions may read besides the answers.
        texts: What is written in each field, by name.
        fresh: Name of the row added just now.
    """

    form: Form
    data: dict[str, Any]
    faults: dict[str, list[str]] = field(default_factory=dict)
    action: str = ""
    context: Mapping[str, Any] = field(default_factory=dict)
    texts: dict[str, list[str]] = field(default_factory=dict)
    fresh: str = ""

    @property
    def good(self) -> bool:
        """Whether the form was sent and nothing is wrong."""
        return not self.action and not self.faults

    def inputs(self) -> list[tuple[str, str]]:
        """Everything filled in as names and texts, to be carried along on a summary page."""
        return [(name, text) for name, texts in self.texts.items() for text in texts]

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
    start = _defaults(form.components, data or {}, scope_of(known, data or {}))
    filled = Filled(form, {}, action=_BEGIN, context=known)
    # Through the same door as what a browser sends, so that a number kept as text is a number
    # again.
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
    return read(form, dict(_texts(form.components, "", data)), context=context)


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
                given = entry(data, component.key)
                _put(
                    start, component.key, component.default.value(scope) if given is None else given
                )
            case Group():
                inner = entry(data, component.path) if component.path else data
                read_in = _defaults(component.components, inner or {}, scope)
                if component.path:
                    _put(start, component.path, read_in)
                else:
                    start.update(read_in)
            case Rows():
                rows = list(entry(data, component.path) or ())
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
                value = entry(data, component.key)
                name = prefix + component.key
                if component.type == "checklist":
                    yield name, [str(item) for item in value or ()]
                elif component.subtype == "datetime":
                    day, _, clock = str(value or "").partition("T")
                    yield name, [day, clock[:5]]
                elif (text := values.as_text(component, value)) or component.type != "checkbox":
                    yield name, [text]
            case Group():
                inner = entry(data, component.path) if component.path else data
                path = f"{prefix}{component.path}." if component.path else prefix
                yield from _texts(component.components, path, inner or {})
            case Rows():
                for number, row in enumerate(entry(data, component.path) or ()):
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
    """Read every field; rows are numbered anew, so ``origin`` is where a name was and ``prefix``
    where it is now.
    """
    data: dict[str, Any] = {}
    for component in components:
        match component:
            case Field():
                name = prefix + component.key
                texts = [str(text) for text in posted.get(origin + component.key, ())]
                filled.texts[name] = texts
                try:
                    value = values.read(component, texts, offered(component, filled.context))
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
        filled.texts[f"{there}.{position}"] = ["row"]
        collected.append(
            _collect(
                filled, rows.components, f"{base}.{number}.", f"{there}.{position}.", posted, faults
            )
        )
    while len(collected) < rows.fewest or (adding and len(collected) < rows.most):
        position = len(collected)
        filled.texts[f"{there}.{position}"] = ["row"]
        fresh = _defaults(rows.components, {}, filled.context)
        filled.texts.update(_texts(rows.components, f"{there}.{position}.", fresh))
        collected.append(fresh)
        if adding:
            filled.fresh = f"{there}.{position}"
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


def _settle(filled: Filled) -> None:
    """Leave out what is hidden, then check what is left."""
    _hide(filled, filled.form.components, "", filled.data, scope_of(filled.context, filled.data))
    if not filled.action:
        _check(
            filled, filled.form.components, "", filled.data, scope_of(filled.context, filled.data)
        )


def _hide(
    filled: Filled,
    components: Sequence[Component],
    prefix: str,
    data: dict[str, Any],
    scope: Mapping[str, Any],
) -> None:
    for component in components:
        key = component.key if isinstance(component, Field) else getattr(component, "path", "")
        if is_hidden(component, scope):
            keys = (
                [key]
                if key
                else [inner.key for inner in walk((component,)) if isinstance(inner, Field)]
            )
            for name in keys:
                _drop(data, name)
                for known in [*filled.faults, *filled.texts]:
                    if known == prefix + name or known.startswith(f"{prefix}{name}."):
                        filled.faults.pop(known, None)
                        filled.texts.pop(known, None)
        elif isinstance(component, Group | Rows):
            for inner_prefix, inner, inner_scope in inside(component, prefix, data, scope):
                _hide(filled, component.components, inner_prefix, inner, inner_scope)


def _check(
    filled: Filled,
    components: Sequence[Component],
    prefix: str,
    data: dict[str, Any],
    scope: Mapping[str, Any],
) -> None:
    for component in components:
        if is_hidden(component, scope):
            continue
        if isinstance(component, Group | Rows):
            for inner_prefix, inner, inner_scope in inside(component, prefix, data, scope):
                _check(filled, component.components, inner_prefix, inner, inner_scope)
        elif isinstance(component, Field):
            name = prefix + component.key
            if name in filled.faults:
                continue
            value = entry(data, component.key)
            if component.choices_from is not None and value is not None:
                allowed = {choice.value for choice in offered(component, scope)}
                chosen = value if isinstance(value, list) else [value]
                if not allowed.issuperset(map(str, chosen)):
                    filled.faults[name] = ["Vælg en af mulighederne."]
                    continue
            found = values.faults(component, value, scope)
            if found:
                filled.faults[name] = found
