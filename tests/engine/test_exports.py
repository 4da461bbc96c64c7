# SPDX-License-Identifier: MPL-2.0
"""The public names of the engine are there, sorted, and documented."""

from __future__ import annotations

import inspect

import pytest

from sagsgang import engine


def test_the_list_of_public_names_is_that_of_the_homes_and_sorted():
    assert sorted(engine.__all__) == sorted(engine._HOME_OF)
    constants = [name for name in engine.__all__ if name.isupper()]
    classes = [name for name in engine.__all__ if name[0].isupper() and name not in constants]
    functions = [name for name in engine.__all__ if name[0].islower()]
    assert [*constants, *sorted(classes), *sorted(functions)] == engine.__all__


@pytest.mark.parametrize("name", engine.__all__)
def test_every_public_name_is_there_and_says_what_it_is(name):
    value = getattr(engine, name)
    if inspect.isclass(value) or inspect.isfunction(value):
        assert inspect.getdoc(value)


def test_an_unknown_name_is_refused():
    with pytest.raises(AttributeError, match="nothing"):
        engine.nothing  # noqa: B018 - the access is the test
