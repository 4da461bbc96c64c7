# SPDX-License-Identifier: MPL-2.0
"""Random values and syntax trees for the property tests."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from sagsgang.feel import DateTime, DaysTimeDuration, Range, Time, YearsMonthsDuration, types
from sagsgang.feel import tree as t

NAMES = st.sampled_from(["a", "b", "c", "total pay", "item"])
NUMBERS = st.decimals(
    allow_nan=False, allow_infinity=False, min_value=Decimal("-1e12"), max_value=Decimal("1e12")
)
FUNCTIONS = [
    "abs", "sum", "count", "min", "string", "not", "floor", "decimal", "substring", "contains",
    "flatten", "reverse", "append", "sort", "date", "duration", "before", "includes", "context put",
    "get entries", "matches", "split", "list replace", "years and months duration", "is", "number",
]  # fmt: skip
TEXTS = st.one_of(
    st.text(max_size=8),
    st.sampled_from(["2026-04-01", "P1D", "P1Y", "10:00:00Z", "(a|a)*$", "12.5", "[1..2]"]),
)
SCALARS: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.booleans(),
    NUMBERS,
    TEXTS,
    st.dates(),
    st.builds(Time, st.integers(0, 10**13), st.sampled_from([None, 0, 3600])),
    st.builds(DateTime, st.integers(-(10**6), 10**6), st.integers(0, 10**13), st.none()),
    st.builds(DaysTimeDuration, st.integers(-(10**18), 10**18)),
    st.builds(YearsMonthsDuration, st.integers(-(10**6), 10**6)),
    st.builds(Range, NUMBERS, NUMBERS, st.booleans(), st.booleans()),
)
VALUES: st.SearchStrategy[Any] = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.sampled_from("abc"), inner, max_size=3)
    ),
    max_leaves=6,
)
CONTEXTS = st.fixed_dictionaries({"a": VALUES, "b": VALUES, "c": VALUES, "total pay": VALUES})
TYPES = st.sampled_from(
    [types.NUMBER, types.STRING, types.ListType(types.NUMBER), types.DATE, types.CONTEXT, types.ANY]
)

_LEAVES: st.SearchStrategy[t.Node] = st.one_of(
    st.builds(t.Number, st.decimals("0", "1e20", allow_nan=False, places=2).map(abs)),
    st.builds(t.String, TEXTS),
    st.builds(t.Boolean, st.booleans()),
    st.builds(t.Null),
    st.builds(t.Name, NAMES),
    st.builds(t.AtLiteral, st.sampled_from(["2026-04-01", "PT1H", "10:00:00", "x"])),
)


def _pairs(inner: st.SearchStrategy[t.Node]) -> st.SearchStrategy[t.Node]:
    several = st.lists(inner, min_size=2, max_size=3).map(tuple)
    few = st.lists(inner, max_size=3).map(tuple)
    iterators = st.lists(
        st.builds(t.Iterator, st.sampled_from(["x", "y"]), inner, st.one_of(st.none(), inner)),
        min_size=1,
        max_size=2,
    ).map(tuple)
    tests = st.one_of(
        inner, st.builds(t.UnaryComparison, st.sampled_from(["<", ">=", "=", "!="]), inner)
    )
    entries = st.lists(
        st.builds(t.Entry, st.sampled_from(["a", "k", "x y"]), inner), max_size=3
    ).map(tuple)
    parameters = st.lists(
        st.builds(t.FormalParameter, st.sampled_from(["p", "q"]), st.one_of(st.none(), TYPES)),
        max_size=2,
        unique_by=lambda p: p.name,
    ).map(tuple)
    return st.one_of(
        st.builds(t.Binary, st.sampled_from(["+", "-", "*", "/", "**"]), inner, inner),
        st.builds(t.Comparison, st.sampled_from(["=", "!=", "<", "<=", ">", ">="]), inner, inner),
        st.builds(t.And, several),
        st.builds(t.Or, several),
        st.builds(t.Negation, inner),
        st.builds(t.Between, inner, inner, inner),
        st.builds(t.In, inner, st.lists(tests, min_size=1, max_size=3).map(tuple)),
        st.builds(t.InstanceOf, inner, TYPES),
        st.builds(t.If, inner, inner, inner),
        st.builds(t.For, iterators, inner),
        st.builds(t.Quantified, st.sampled_from(["some", "every"]), iterators, inner),
        st.builds(t.Path, inner, st.sampled_from(["a", "k", "year", "start included"])),
        st.builds(t.Filter, inner, inner),
        st.builds(t.ListLiteral, few),
        st.builds(t.ContextLiteral, entries),
        st.builds(t.FunctionDefinition, parameters, inner),
        st.builds(t.Invocation, inner, few),
        st.builds(t.Invocation, st.builds(t.Name, st.sampled_from(FUNCTIONS)), few),
        st.builds(t.RangeLiteral, inner, inner, st.booleans(), st.booleans()),
    )


TREES: st.SearchStrategy[t.Node] = st.recursive(_LEAVES, _pairs, max_leaves=12)
