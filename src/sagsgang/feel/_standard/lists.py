# SPDX-License-Identifier: MPL-2.0
"""List functions (DMN 1.5, table 76) and ``sort`` (table 80)."""

from __future__ import annotations

import functools
from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

from sagsgang.feel._comparison import compare, same_values
from sagsgang.feel._numbers import CONTEXT, integer
from sagsgang.feel._run import Fault, Run, invoke
from sagsgang.feel._standard._base import STANDARD
from sagsgang.feel.functions import FeelFunction

__all__: list[str] = []

_HASHABLE: Final = frozenset({str, Decimal, bool})


def _numbers(items: list[Any]) -> list[Decimal]:
    for item in items:
        if type(item) is not Decimal:
            raise Fault("feel.value", reason="every item must be a number")
    return items


def _extreme(items: list[Any], sign: int) -> Any:
    if not items:
        return None
    best = items[0]
    if compare(best, best) is None:
        raise Fault("feel.value", reason="the items have no order")
    for item in items[1:]:
        side = compare(item, best)
        if side is None:
            raise Fault("feel.value", reason="the items have no order among them")
        if side * sign > 0:
            best = item
    return best


def _position(position: Decimal, size: int, *, extra: int = 0) -> int:
    """An index from 0 for a FEEL position, which counts from 1 or from the end.

    A fraction is cut off, as the standard's test kit has it.
    """
    found = int(position) if position.adjusted() < 10 else 0
    if found == 0 or not -size <= found <= size + extra:
        raise Fault("feel.index", index=str(position), size=size)
    return found - 1 if found > 0 else size + found


@STANDARD.function("list contains(list: list, element: Any?) -> boolean", run=True)
def _list_contains(run: Run, items: list[Any], element: Any) -> bool:
    """Whether a list has an item that equals the element."""
    return any(same_values(item, element, run) for item in items)


@STANDARD.function("count(list: list) -> number")
def _count(items: list[Any]) -> Decimal:
    """The number of items."""
    return Decimal(len(items))


def _spread(items: tuple[Any, ...]) -> list[Any]:
    return items[0] if len(items) == 1 and type(items[0]) is list else list(items)


@STANDARD.function("min(list: list)", "min(c...: Any?)")
def _min(*items: Any) -> Any:
    """The least item."""
    return _extreme(_spread(items), -1)


@STANDARD.function("max(list: list)", "max(c...: Any?)")
def _max(*items: Any) -> Any:
    """The greatest item."""
    return _extreme(_spread(items), 1)


@STANDARD.function("sum(list: list) -> number", "sum(n...: Any?) -> number")
def _sum(*items: Any) -> Decimal | None:
    """The sum of numbers; null for none."""
    numbers = _numbers(_spread(items))
    return functools.reduce(CONTEXT.add, numbers) if numbers else None


@STANDARD.function("mean(list: list) -> number", "mean(n...: Any?) -> number")
def _mean(*items: Any) -> Decimal | None:
    """The average of numbers; null for none."""
    numbers = _numbers(_spread(items))
    if not numbers:
        return None
    return CONTEXT.divide(functools.reduce(CONTEXT.add, numbers), Decimal(len(numbers)))


@STANDARD.function("product(list: list) -> number", "product(n...: Any?) -> number")
def _product(*items: Any) -> Decimal | None:
    """The product of numbers; null for none."""
    numbers = _numbers(_spread(items))
    return functools.reduce(CONTEXT.multiply, numbers) if numbers else None


@STANDARD.function("median(list: list) -> number", "median(n...: Any?) -> number")
def _median(*items: Any) -> Decimal | None:
    """The middle number, or the average of the two in the middle; null for none."""
    numbers = sorted(_numbers(_spread(items)))
    if not numbers:
        return None
    middle = len(numbers) // 2
    if len(numbers) % 2:
        return numbers[middle]
    return CONTEXT.divide(CONTEXT.add(numbers[middle - 1], numbers[middle]), Decimal(2))


@STANDARD.function("stddev(list: list) -> number", "stddev(n...: Any?) -> number")
def _stddev(*items: Any) -> Decimal | None:
    """The standard deviation of a sample; null for fewer than two numbers."""
    numbers = _numbers(_spread(items))
    if len(numbers) < 2:
        return None
    mean = CONTEXT.divide(functools.reduce(CONTEXT.add, numbers), Decimal(len(numbers)))
    squares = [CONTEXT.power(CONTEXT.subtract(n, mean), Decimal(2)) for n in numbers]
    total = functools.reduce(CONTEXT.add, squares)
    return CONTEXT.sqrt(CONTEXT.divide(total, Decimal(len(numbers) - 1)))


@STANDARD.function("mode(list: list) -> list<number>", "mode(n...: Any?) -> list<number>")
def _mode(*items: Any) -> list[Decimal]:
    """The numbers that occur most often, in ascending order."""
    counts: dict[Decimal, int] = {}
    for number in _numbers(_spread(items)):
        counts[number] = counts.get(number, 0) + 1
    most = max(counts.values(), default=0)
    return sorted(n for n, times in counts.items() if times == most)


@STANDARD.function("all(list: list) -> boolean", "all(b...: Any?) -> boolean")
def _all(*items: Any) -> bool | None:
    """Whether every item is true, three-valued."""
    return _judge(_spread(items), deciding=False)


@STANDARD.function("any(list: list) -> boolean", "any(b...: Any?) -> boolean")
def _any(*items: Any) -> bool | None:
    """Whether some item is true, three-valued."""
    return _judge(_spread(items), deciding=True)


def _judge(items: list[Any], *, deciding: bool) -> bool | None:
    if any(item is deciding for item in items):
        return deciding
    if any(item is not (not deciding) for item in items):
        return None
    return not deciding


@STANDARD.function("sublist(list: list, start position: number, length?: number) -> list")
def _sublist(items: list[Any], start: Decimal, length: Decimal | None = None) -> list[Any]:
    """The items from a position, counted from 1 or from the end when negative."""
    begin = _position(start, len(items))
    if length is None:
        return items[begin:]
    count = integer(length)
    if count is None or count < 0 or begin + count > len(items):
        raise Fault("feel.value", reason="the length goes beyond the list")
    return items[begin : begin + count]


@STANDARD.function("append(list: list, item...: Any?) -> list", run=True)
def _append(run: Run, items: list[Any], *added: Any) -> list[Any]:
    """The list with items added at the end."""
    run.spend(len(items))
    run.check_items(len(items) + len(added))
    return [*items, *added]


@STANDARD.function("concatenate(list...: list) -> list", run=True)
def _concatenate(run: Run, *lists: list[Any]) -> list[Any]:
    """The items of several lists in a row."""
    size = sum(len(items) for items in lists)
    run.spend(size)
    run.check_items(size)
    return [item for items in lists for item in items]


@STANDARD.function("union(list...: list) -> list", run=True)
def _union(run: Run, *lists: list[Any]) -> list[Any]:
    """The different items of several lists."""
    return _distinct(run, _concatenate(run, *lists))


@STANDARD.function("distinct values(list: list) -> list", run=True)
def _distinct(run: Run, items: list[Any]) -> list[Any]:
    """The list without the items that equal an earlier one."""
    kept: list[Any] = []
    seen: set[tuple[type, Any]] = set()
    others: list[Any] = []
    for item in items:
        if type(item) in _HASHABLE:
            key = (type(item), item)
            if key not in seen:
                seen.add(key)
                kept.append(item)
        elif not any(same_values(item, other, run) for other in others):
            run.spend(len(others))
            others.append(item)
            kept.append(item)
    return kept


@STANDARD.function("insert before(list: list, position: number, newItem: Any?) -> list", run=True)
def _insert_before(run: Run, items: list[Any], position: Decimal, item: Any) -> list[Any]:
    """The list with an item put in before a position."""
    at = _position(position, len(items), extra=1 if integer(position) == len(items) + 1 else 0)
    run.spend(len(items))
    run.check_items(len(items) + 1)
    return [*items[:at], item, *items[at:]]


@STANDARD.function("remove(list: list, position: number) -> list")
def _remove(items: list[Any], position: Decimal) -> list[Any]:
    """The list without the item at a position."""
    at = _position(position, len(items))
    return items[:at] + items[at + 1 :]


@STANDARD.function("list replace(list: list, position: number, newItem: Any?) -> list")
def _list_replace(items: list[Any], position: Decimal, item: Any) -> list[Any]:
    """The list with another item at a position, or where a function says so."""
    at = _position(position, len(items))
    return [*items[:at], item, *items[at + 1 :]]


@STANDARD.function("list replace(list: list, match: Any, newItem: Any?) -> list", run=True)
def _list_replace_match(run: Run, items: list[Any], match: Any, item: Any) -> list[Any]:
    if not isinstance(match, FeelFunction):
        raise Fault("feel.not-function", actual="match")
    replaced = []
    for old in items:
        chosen = invoke(run, match, [old, item], None)
        if type(chosen) is not bool:
            raise Fault("feel.value", reason="the match function must give true or false")
        replaced.append(item if chosen else old)
    return replaced


@STANDARD.function("reverse(list: list) -> list")
def _reverse(items: list[Any]) -> list[Any]:
    """The list from the end."""
    return items[::-1]


@STANDARD.function("index of(list: list, match: Any?) -> list<number>", run=True)
def _index_of(run: Run, items: list[Any], match: Any) -> list[Decimal]:
    """The positions of the items that equal a value."""
    return [Decimal(i) for i, item in enumerate(items, 1) if same_values(item, match, run)]


@STANDARD.function("flatten(list: list) -> list", run=True)
def _flatten(run: Run, items: list[Any]) -> list[Any]:
    """The list with the items of nested lists in their place."""
    flat: list[Any] = []
    todo = [iter(items)]
    while todo:
        for item in todo[-1]:
            if type(item) is list:
                todo.append(iter(item))
                break
            flat.append(item)
            run.spend(1)
        else:
            todo.pop()
    run.check_items(len(flat))
    return flat


@STANDARD.function("sort(list: list, precedes: Any) -> list", run=True)
def _sort(run: Run, items: list[Any], precedes: Any) -> list[Any]:
    """The list in the order of a function of two items."""
    if not isinstance(precedes, FeelFunction):
        raise Fault("feel.not-function", actual="precedes")

    def before(a: Any, b: Any) -> bool:
        result = invoke(run, precedes, [a, b], None)
        if type(result) is not bool:
            raise Fault("feel.value", reason="the order of the items is not known")
        return result

    def order(a: Any, b: Any) -> int:
        return -1 if before(a, b) else 1 if before(b, a) else 0

    key: Callable[[Any], Any] = functools.cmp_to_key(order)
    return sorted(items, key=key)
