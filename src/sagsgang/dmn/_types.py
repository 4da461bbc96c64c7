# SPDX-License-Identifier: MPL-2.0
"""Item definitions at work: does a value fit a type, and what does it become when it nearly fits.

Source: DMN 1.5 sections 7.3.3 (item definitions) and 10.3.2.9.4 (implicit conversions).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from sagsgang.dmn._index import Column, Test
from sagsgang.feel import FeelError, FeelType, Program, parse_type, types

if TYPE_CHECKING:
    from sagsgang.dmn.elements import ItemDefinition, Text

__all__ = ["ItemType", "TypeTable"]

_MAX_DEPTH = 60
_BUILT_IN_SPELLINGS = {
    "any": "Any",
    "date and time": "date and time",
    "dateTime": "date and time",
    "daysAndTimeDuration": "days and time duration",
    "dayTimeDuration": "days and time duration",
    "yearsAndMonthsDuration": "years and months duration",
    "yearMonthDuration": "years and months duration",
    "integer": "number",
    "long": "number",
    "double": "number",
    "decimal": "number",
    "float": "number",
    "int": "number",
}
_XML_SCHEMA = "{http://www.w3.org/2001/XMLSchema}"


class ItemType:
    """A type as models use it: structure, constraints and implicit conversions.

    A component that is missing from a context counts as null, and null fits every type.

    Attributes:
        name: the name people know the type by.
        feel: the FEEL type, without constraints; it tells the parser which entry names exist.
        base: the built-in or structural type a single item has.
        allowed: the tests a value (of a collection: each item) must pass, or None.
        allowed_text: their text.
        is_collection: whether the value is a list.
    """

    __slots__ = (
        "_constraint",
        "_function",
        "_parts",
        "_wanted",
        "allowed",
        "allowed_text",
        "base",
        "constraint_text",
        "feel",
        "is_collection",
        "name",
        "parent",
    )

    def __init__(self, name: str, wanted: FeelType, *, is_collection: bool = False) -> None:
        self.name = name
        self.is_collection = is_collection
        self.parent: ItemType | None = None
        self.allowed: Column | None = None
        self.allowed_text: str | None = None
        self.constraint_text: str | None = None
        self._constraint: Column | None = None
        self._parts: dict[str, ItemType] | None = None
        self._wanted = wanted
        self.feel: FeelType = types.ListType(wanted) if is_collection else wanted
        self.base = wanted

    @property
    def components(self) -> Mapping[str, ItemType]:
        """The components by name; empty for a type that is not a structure."""
        if self._parts is not None:
            return self._parts
        return self.parent.components if self.parent is not None else {}

    @property
    def is_plain(self) -> bool:
        """Whether the type is a built-in one without constraints."""
        return (
            not self.is_collection
            and self.parent is None
            and self._parts is None
            and self.allowed is None
            and self._constraint is None
        )

    def convert(self, value: Any) -> tuple[bool, Any]:
        """Return whether a value fits, if need be after an implicit conversion, and the value."""
        return self._convert(value, 0)

    def _convert(self, value: Any, depth: int) -> tuple[bool, Any]:
        if value is None:
            return True, None
        if depth > _MAX_DEPTH:
            return False, None
        if not self.is_collection:
            return self._whole(*self._item(value, depth))
        if type(value) is not list:
            # A value where a list of it is wanted becomes a list of one.
            fits, item = self._item(value, depth)
            return self._whole(fits, [item]) if fits else (False, None)
        items: list[Any] = []
        changed = False
        for each in value:
            fits, item = self._item(each, depth)
            if not fits:
                break
            changed = changed or item is not each
            items.append(item)
        else:
            return self._whole(True, items if changed else value)  # noqa: FBT003
        return False, None

    def _whole(self, fits: bool, value: Any) -> tuple[bool, Any]:  # noqa: FBT001 - a pair passed on
        if not fits:
            return False, None
        if (
            self._constraint is not None
            and value is not None
            and not _passes(self._constraint, value)
        ):
            return False, None
        return True, value

    def _item(self, value: Any, depth: int) -> tuple[bool, Any]:
        """Convert one value (of a collection: one item)."""
        if value is None:
            return True, None
        if self._parts is not None:
            fits, result = self._structure(value, depth)
        elif self.parent is not None:
            fits, result = self.parent._convert(value, depth + 1)  # noqa: SLF001 - same class
        else:
            fits, result = types.convert(value, self._wanted)
        if fits and self.allowed is not None and result is not None:
            fits = _passes(self.allowed, result)
        return (True, result) if fits else (False, None)

    def _structure(self, value: Any, depth: int) -> tuple[bool, Any]:
        if type(value) is list and len(value) == 1:
            value = value[0]
        if type(value) is not dict:
            return False, None
        result = value
        for name, part in (self._parts or {}).items():
            given = value.get(name)
            fits, converted = part._convert(given, depth + 1)  # noqa: SLF001 - same class
            if not fits:
                return False, None
            if converted is not given:
                if result is value:
                    result = dict(value)
                result[name] = converted
        return True, result


def _passes(column: Column, value: Any) -> bool:
    if column.mask(value) == 0:
        return False
    return all(column.run(rule, {"?": value}, None) is True for rule in column.tests)


class TypeTable:
    """The types a model knows: its own item definitions, those it imports, the built-in ones.

    Attributes:
        named: what FEEL finds under a type name.
    """

    def __init__(
        self,
        definitions: Iterable[ItemDefinition],
        imports: Mapping[str, tuple[str, TypeTable]],
        compile_tests: Callable[[Text], tuple[Test, Program] | None],
        report: Callable[[str, str, ItemDefinition], None],
    ) -> None:
        """Build the table.

        Args:
            definitions: the item definitions of the model.
            imports: import name to namespace and table of the imported model.
            compile_tests: compiles allowed values; None when they are not FEEL (reported there).
            report: takes code, message and definition for each fault.
        """
        self._definitions = {definition.name: definition for definition in definitions}
        self._imports = dict(imports)
        self._compile_tests = compile_tests
        self._report = report
        self._built: dict[str, ItemType] = {}
        self._open: list[str] = []
        self._by_namespace = dict(self._imports.values())
        for name in self._definitions:
            self.get(name)
        # The kit's ``instance of`` looks at the structure of a type, not at its allowed values.
        self.named: dict[str, FeelType] = {
            name: self._built[name].feel for name in self._definitions
        }
        for prefix, (_, table) in self._imports.items():
            for name, feel_type in table.named.items():
                self.named.setdefault(f"{prefix}.{name}" if prefix else name, feel_type)

    def names(self) -> list[str]:
        """Return every name a type reference may use."""
        return [*self.named, *types.NAMED]

    def get(self, ref: str | None) -> ItemType | None:
        """Return the type of a reference; None for no reference or an unknown type."""
        if ref is None:
            return None
        built = self._built.get(ref)
        if built is not None:
            return built
        definition = self._definitions.get(ref)
        if definition is not None:
            shell = ItemType(definition.name, types.ANY, is_collection=definition.is_collection)
            self._built[ref] = shell
            self._open.append(ref)
            self._fill(shell, definition)
            self._open.pop()
            return shell
        found = self._imported(ref)
        if found is None:
            # Early models name the types of XML Schema.
            plain = ref.removeprefix(_XML_SCHEMA)
            built_in = types.NAMED.get(_BUILT_IN_SPELLINGS.get(plain, plain))
            found = None if built_in is None else ItemType(str(built_in), built_in)
        if found is None and "<" in ref:
            try:
                found = ItemType(ref, parse_type(ref))
            except FeelError:
                found = None
        if found is not None:
            self._built.setdefault(ref, found)
        return found

    def function_result(self, ref: str | None) -> ItemType | None:
        """Return the result type of a function type, None when anything goes."""
        definition = self._definitions.get(ref or "")
        if definition is None or definition.function_item is None:
            return None
        found = self.get(definition.function_item.output_type_ref)
        return None if found is None or found.feel == types.ANY else found

    def _imported(self, ref: str) -> ItemType | None:
        if ref.startswith("{"):
            namespace, _, local = ref[1:].partition("}")
            table = self._by_namespace.get(namespace)
            return None if table is None else table.get(local)
        for prefix, (_, table) in self._imports.items():
            if not prefix:
                found = table.get(ref) if ref in table.named else None
            elif ref.startswith(prefix + "."):
                found = table.get(ref[len(prefix) + 1 :])
            else:
                continue
            if found is not None:
                return found
        return None

    def _fill(self, item: ItemType, definition: ItemDefinition) -> None:
        """Give a shell its structure; recursion ends at a shell under construction."""
        base: FeelType = types.ANY
        if definition.components:
            parts: dict[str, ItemType] = {}
            for component in definition.components:
                parts[component.name] = self._component(component)
            item._parts = parts  # noqa: SLF001 - the table builds its items
            base = types.ContextType(tuple((name, part.feel) for name, part in parts.items()))
        elif definition.function_item is not None:
            function = definition.function_item
            base = types.FunctionType(
                tuple(
                    self._feel(parameter.type_ref, definition) for parameter in function.parameters
                ),
                self._feel(function.output_type_ref, definition),
            )
        elif definition.type_ref is not None:
            parent = self.get(definition.type_ref)
            if parent is None:
                self._report(
                    "type.unknown",
                    f'The type "{definition.type_ref}" is not defined.',
                    definition,
                )
            elif parent is item:
                self._report(
                    "type.cyclic", f'The type "{definition.name}" is defined by itself.', definition
                )
            elif definition.type_ref in self._open and not self._structured(definition.type_ref):
                self._report(
                    "type.cyclic",
                    f'The types "{definition.name}" and "{definition.type_ref}" define each other.',
                    definition,
                )
            else:
                # A type still under construction looks plain, but will not stay so.
                is_open = definition.type_ref in self._open
                item.parent = None if parent.is_plain and not is_open else parent
                base = parent.feel
        item.base = base
        item._wanted = base  # noqa: SLF001 - the table builds its items
        item.feel = types.ListType(base) if item.is_collection else base
        item.allowed, item.allowed_text = self._tests(definition.allowed_values)
        if item.allowed is None and item.parent is not None and not item.parent.is_collection:
            item.allowed_text = item.parent.allowed_text
        item._constraint, item.constraint_text = self._tests(definition.type_constraint)  # noqa: SLF001

    def _structured(self, ref: str) -> bool:
        """Whether the cycle through a type under construction passes a structure or a list."""
        start = self._open.index(ref)
        return any(
            self._definitions[name].components or self._definitions[name].is_collection
            for name in self._open[start:]
        )

    def _component(self, component: ItemDefinition) -> ItemType:
        item = ItemType(component.name, types.ANY, is_collection=component.is_collection)
        self._fill(item, component)
        return item

    def _feel(self, ref: str | None, definition: ItemDefinition) -> FeelType:
        if ref is None:
            return types.ANY
        found = self.get(ref)
        if found is None:
            self._report("type.unknown", f'The type "{ref}" is not defined.', definition)
            return types.ANY
        return found.feel

    def _tests(self, text: Text | None) -> tuple[Column | None, str | None]:
        if text is None or not text.text.strip():
            return None, None
        compiled = self._compile_tests(text)
        return (None if compiled is None else Column([compiled])), text.text.strip()
