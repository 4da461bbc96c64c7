# SPDX-License-Identifier: MPL-2.0
"""Form schemas as drawn in form-js (``*.form``), read into values that can be shown, filled and
checked.

What the schema asks for and this reader does not know is refused, never left out: a field that is
silently missing would be a wrong form.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any

import regex

from sagsgang import feel
from sagsgang.forms.errors import FormSchemaError

FIELDS = frozenset(
    {"textfield", "textarea", "number", "datetime", "select", "radio", "checkbox", "checklist"}
)
CHOICES = frozenset({"select", "radio", "checklist"})
_IGNORED = frozenset({"spacer", "separator", "button"})
_KEY = regex.compile(r"[\p{L}_][\p{L}\p{N}_]*(\.[\p{L}_][\p{L}\p{N}_]*)*")
_BRACES = regex.compile(r"\{\{\s*(.+?)\s*\}\}")
_MOST_ROWS = 500


@dataclass(frozen=True, slots=True)
class Setting:
    """A property that is either fixed or a FEEL expression over the form's values.

    Attributes:
        fixed: The value where there is no expression.
        program: The expression.
    """

    fixed: Any = None
    program: feel.Program | None = None

    def value(self, scope: Mapping[str, Any]) -> Any:
        """The value in a scope."""
        return self.fixed if self.program is None else self.program(scope)

    def __bool__(self) -> bool:
        return self.program is not None or bool(self.fixed)


@dataclass(frozen=True, slots=True)
class Template:
    """Words with expressions among them.

    Attributes:
        parts: The words and the expressions, in order.
    """

    parts: Sequence[Setting]

    def value(self, scope: Mapping[str, Any]) -> str:
        """The words in a scope; what has no value is left out."""
        found = (part.value(scope) for part in self.parts)
        return "".join("" if part is None else str(part) for part in found)


@dataclass(frozen=True, slots=True)
class Choice:
    """One of the values a field offers."""

    value: str
    label: str


@dataclass(frozen=True, slots=True)
class Component:
    """What every part of a form has.

    Attributes:
        id: Its id in the schema.
        label: Its heading or label; may be an expression.
        hide: When it is neither shown nor asked for.
        row: Components with the same row stand beside each other.
        columns: Width in sixteenths, 0 where the schema leaves it open.
    """

    id: str
    label: Setting
    hide: Setting
    row: str
    columns: int


@dataclass(frozen=True, slots=True)
class Field(Component):
    """A field that takes a value.

    Attributes:
        type: ``textfield``, ``textarea``, ``number``, ``datetime``, ``select``, ``radio``,
            ``checkbox``, ``checklist``.
        key: Where its value lies in the data, from the enclosing list or group; dots go into
            contexts.
        subtype: ``date``, ``time`` or ``datetime``, for a ``datetime``.
        hint: What helps to fill it in.
        default: Its value in a new form.
        required: Whether it must be filled in.
        readonly: Whether it is shown only.
        limits: ``min``, ``max``, ``minLength``, ``maxLength``.
        pattern: What a text must match as a whole.
        kind: ``email`` or ``phone``, for a text.
        decimals: Most decimals of a number; None is any.
        choices: What it offers.
        choices_from: Where it finds what it offers: an expression over the form's values and
            context.
        suffix: Unit shown after the field.
        check: Must be true for the value to be good (``properties.check``).
        message: What is said where a check or a pattern fails (``properties.message``).
        personal: Whether ten digits that look like a CPR number are welcome
            (``properties.personal``).
    """

    type: str
    key: str
    subtype: str = ""
    hint: Setting = field(default_factory=Setting)
    default: Setting = field(default_factory=Setting)
    required: Setting = field(default_factory=Setting)
    readonly: Setting = field(default_factory=Setting)
    limits: Mapping[str, Setting] = field(default_factory=dict)
    pattern: regex.Pattern[str] | None = None
    kind: str = ""
    decimals: int | None = None
    choices: Sequence[Choice] = ()
    choices_from: feel.Program | None = None
    suffix: str = ""
    check: Setting = field(default_factory=Setting)
    message: str = ""
    personal: bool = False


@dataclass(frozen=True, slots=True)
class Text(Component):
    """Words on the form; a little Markdown, with ``{{expression}}`` in it."""

    text: Template


@dataclass(frozen=True, slots=True)
class Group(Component):
    """Components under one heading, with a context of their own if ``path`` is given."""

    path: str
    components: Sequence[Component]


@dataclass(frozen=True, slots=True)
class Rows(Component):
    """Components that may be repeated; the data is a list of contexts at ``path``.

    Attributes:
        item: What one row is called (``properties.item``).
        fewest: Rows shown in a new form, and the fewest kept.
        most: Most rows.
        fixed: Whether rows can be neither added nor removed.
    """

    path: str
    components: Sequence[Component]
    item: str = ""
    fewest: int = 1
    most: int = _MOST_ROWS
    fixed: bool = False


@dataclass(frozen=True, slots=True)
class Form:
    """A form, ready to be shown and filled in.

    Attributes:
        id: Its id in the schema.
        components: What it consists of, in order.
    """

    id: str
    components: Sequence[Component]

    def fields(self) -> Iterator[Field]:
        """Every field, also those in groups and rows."""
        yield from _fields(self.components)

    @property
    def reacts(self) -> bool:
        """Whether what is shown depends on what is filled in."""
        return any(
            component.hide.program is not None
            or (isinstance(component, Field) and component.choices_from is not None)
            for component in walk(self.components)
        )


def walk(components: Iterable[Component]) -> Iterator[Component]:
    """Every component, outer before inner."""
    for component in components:
        yield component
        if isinstance(component, Group | Rows):
            yield from walk(component.components)


def _fields(components: Iterable[Component]) -> Iterator[Field]:
    return (component for component in walk(components) if isinstance(component, Field))


def parse(schema: Mapping[str, Any]) -> Form:
    """Read a form-js schema.

    Args:
        schema: The parsed JSON of a ``.form`` file.

    Raises:
        FormSchemaError: With every fault, each with the component it lies in.
    """
    faults: list[str] = []
    name = str(schema.get("id") or "(without id)")
    components = schema.get("components")
    if not isinstance(components, list):
        raise FormSchemaError(name, ["it has no list 'components'."])
    form = Form(name, _Reader(faults).components(components))
    if faults:
        raise FormSchemaError(name, faults)
    return form


def _label(source: Mapping[str, Any]) -> str:
    """A label; form-js keeps those of dates and times under names of their own."""
    subtype = source.get("subtype") or "date"
    own = "timeLabel" if subtype == "time" else "dateLabel"
    return str(source.get("label") or source.get(own) or "")


class _Reader:
    """Reads components and gathers faults."""

    def __init__(self, faults: list[str]) -> None:
        self._faults = faults

    def components(self, sources: Sequence[Any]) -> tuple[Component, ...]:
        read: list[Component] = []
        seen: set[str] = set()
        for position, source in enumerate(sources):
            if not isinstance(source, Mapping):
                self._faults.append(f"component {position + 1} is not an object.")
                continue
            component = self._component(source)
            if component is None:
                continue
            key = component.key if isinstance(component, Field) else getattr(component, "path", "")
            if key and key in seen:
                self._faults.append(f"{self._where(source)}: the key {key} is used twice.")
            seen.add(key)
            read.append(component)
        return tuple(read)

    @staticmethod
    def _where(source: Mapping[str, Any]) -> str:
        return str(source.get("id") or source.get("key") or source.get("type") or "?")

    def _component(self, source: Mapping[str, Any]) -> Component | None:
        kind = source.get("type")
        if kind in _IGNORED:
            return None
        layout = source.get("layout") or {}
        common: dict[str, Any] = {
            "id": self._where(source),
            "label": self._setting(source, _label(source)),
            "hide": self._expression(source, (source.get("conditional") or {}).get("hide")),
            "row": str(layout.get("row") or ""),
            "columns": int(layout.get("columns") or 0),
        }
        if kind == "text":
            return Text(**common, text=self._template(source, str(source.get("text") or "")))
        if kind in {"group", "dynamiclist"}:
            return self._container(source, common)
        if kind in FIELDS:
            return self._field(source, common)
        self._faults.append(f"{self._where(source)}: components of type {kind} are not supported.")
        return None

    def _container(self, source: Mapping[str, Any], common: Mapping[str, Any]) -> Component:
        path = str(source.get("path") or "")
        inner = self.components(source.get("components") or ())
        if source["type"] == "group":
            if path:
                self._key(source, path)
            return Group(**common, path=path, components=inner)
        self._key(source, path)
        properties = source.get("properties") or {}
        return Rows(
            **common,
            path=path,
            components=inner,
            item=str(properties.get("item") or ""),
            fewest=max(1, int(source.get("defaultRepetitions") or 1)),
            most=min(_MOST_ROWS, int(properties.get("most") or _MOST_ROWS)),
            fixed=source.get("allowAddRemove") is False,
        )

    def _field(self, source: Mapping[str, Any], common: Mapping[str, Any]) -> Field:
        key = str(source.get("key") or "")
        self._key(source, key)
        rules = source.get("validate") or {}
        properties = source.get("properties") or {}
        kind = source["type"]
        choices = tuple(
            Choice(str(choice["value"]), str(choice.get("label", choice["value"])))
            for choice in source.get("values") or ()
            if "value" in choice
        )
        origin = source.get("valuesExpression") or source.get("valuesKey")
        if kind in CHOICES and not choices and not origin:
            self._faults.append(f"{self._where(source)}: there is nothing to choose from.")
        appearance = source.get("appearance") or {}
        return Field(
            **common,
            type=kind,
            key=key,
            subtype=str(source.get("subtype") or "date") if kind == "datetime" else "",
            hint=self._setting(source, source.get("description") or ""),
            default=self._setting(source, source.get("defaultValue")),
            required=self._setting(source, rules.get("required") or False),
            readonly=self._setting(
                source, source.get("readonly") or source.get("disabled") or False
            ),
            limits={
                name: self._limit(source, rules[name])
                for name in ("min", "max", "minLength", "maxLength")
                if rules.get(name) not in {None, ""}
            },
            pattern=self._pattern(source, rules.get("pattern")),
            kind=str(rules.get("validationType") or "").replace("custom", ""),
            decimals=source.get("decimalDigits") if kind == "number" else None,
            choices=choices,
            choices_from=self._program(source, str(origin)) if origin and not choices else None,
            suffix=str(appearance.get("suffixAdorner") or ""),
            check=self._expression(source, properties.get("check")),
            message=str(properties.get("message") or ""),
            personal=str(properties.get("personal") or "").lower() == "true",
        )

    def _key(self, source: Mapping[str, Any], key: str) -> None:
        if not _KEY.fullmatch(key):
            self._faults.append(
                f"{self._where(source)}: the key or path {key!r} is missing or is not a name."
            )

    def _limit(self, source: Mapping[str, Any], value: Any) -> Setting:
        if isinstance(value, str) and value.startswith("="):
            return self._setting(source, value)
        try:
            return Setting(Decimal(str(value)))
        except InvalidOperation:
            self._faults.append(f"{self._where(source)}: the limit {value!r} is not a number.")
            return Setting()

    def _pattern(self, source: Mapping[str, Any], text: Any) -> regex.Pattern[str] | None:
        if not text:
            return None
        try:
            return regex.compile(str(text))
        except regex.error as error:
            self._faults.append(f"{self._where(source)}: the pattern cannot be read ({error}).")
            return None

    def _setting(self, source: Mapping[str, Any], value: Any) -> Setting:
        if isinstance(value, str) and value.startswith("="):
            return Setting(program=self._program(source, value))
        return Setting(value)

    def _template(self, source: Mapping[str, Any], text: str) -> Template:
        """A text with expressions in double braces."""
        if text.startswith("="):
            return Template((self._setting(source, text),))
        parts: list[Setting] = []
        for position, part in enumerate(_BRACES.split(text)):
            parts.append(
                Setting(program=self._program(source, part)) if position % 2 else Setting(part)
            )
        return Template(tuple(parts))

    def _expression(self, source: Mapping[str, Any], value: Any) -> Setting:
        """A property that is always an expression, with or without the leading equals sign."""
        return Setting(program=self._program(source, str(value))) if value else Setting()

    def _program(self, source: Mapping[str, Any], text: str) -> feel.Program | None:
        try:
            return feel.compile(text.removeprefix("="))
        except feel.FeelSyntaxError as error:
            self._faults.append(f"{self._where(source)}: {error}")
            return None
