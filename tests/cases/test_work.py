# SPDX-License-Identifier: MPL-2.0
"""How the functions of a solution are called by the flow."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from pydantic import BaseModel, TypeAdapter

from sagsgang.bpmn import BpmnError
from sagsgang.cases.work import Handler, Work, computation, errand, find
from tests.world import NOW

WORK = Work(case="2025-000001", element="x", now=NOW, key="k", attempt=0)


class Answer(BaseModel):
    """What a handler may give."""

    kroner: Decimal


def handler(function: Callable[..., Any], **arguments: Any) -> Handler:
    adapters = {name: TypeAdapter(kind) for name, kind in arguments.items()}
    return Handler(function, inline=True, arguments=adapters, optional=frozenset({"maybe"}))


def test_arguments_are_checked_and_converted() -> None:
    called = handler(lambda _work, hours: {"twice": hours * 2}, hours=Decimal)
    assert called(WORK, {"hours": "1.5", "unasked": 1}) == {"twice": Decimal("3.0")}


def test_a_missing_variable_is_named() -> None:
    with pytest.raises(BpmnError, match="hours mangler") as error:
        handler(lambda _work, hours: hours, hours=int)(WORK, {})
    assert error.value.code == "invalid-variables"


def test_a_wrong_variable_is_named_but_its_value_is_not() -> None:
    with pytest.raises(BpmnError) as error:
        handler(lambda _work, hours: hours, hours=dict[str, int])(
            WORK, {"hours": {"monday": "1111111118?"}}
        )
    assert "hours.monday" in str(error.value)
    assert "1111111118" not in str(error.value)


def test_an_optional_variable_may_be_missing() -> None:
    called = handler(lambda _work, maybe="no": {"it": maybe}, maybe=str)
    assert called(WORK, {}) == {"it": "no"}


def test_a_model_becomes_variables_and_nothing_becomes_none() -> None:
    assert handler(lambda _work: Answer(kroner=Decimal(2)))(WORK, {}) == {"kroner": Decimal(2)}
    assert handler(lambda _work: None)(WORK, {}) == {}


def test_only_marked_functions_are_found() -> None:
    assert find("timesheets", "deliver") is not None
    assert find("timesheets", "paid-lines") is None
    assert find("timesheets", "findes_ikke") is None
    assert find("findes-ikke", "deliver") is None


def test_computations_run_inline_and_errands_do_not() -> None:
    collect, deliver = find("timesheets", "collect"), find("timesheets", "deliver")
    assert collect is not None
    assert deliver is not None
    assert (collect.inline, deliver.inline) == (True, False)
    assert "corrects" in collect.optional


def test_marking_leaves_the_function_as_it_is() -> None:
    @computation
    def one(_work: Work) -> dict[str, int]:
        return {"a": 1}

    @errand(retries=3)
    def other(_work: Work) -> dict[str, int]:
        return {"b": 2}

    assert (one(WORK), other(WORK)) == ({"a": 1}, {"b": 2})
