# SPDX-License-Identifier: MPL-2.0
"""Paths of the tree of units."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sagsgang.organisation.models import Unit
from sagsgang.organisation.tree import ancestry, cycles, path_of

trees = st.lists(st.integers(0, 10**6), max_size=40).map(
    lambda picks: {0: None} | {key: pick % key for key, pick in enumerate(picks, start=1)}
)


@given(trees)
def test_a_tree_has_no_cycle(parents):
    assert cycles(parents) == []


@given(trees)
def test_every_line_goes_from_the_root_to_the_key_by_way_of_its_parents(parents):
    lines = ancestry(parents)
    assert lines.keys() == parents.keys()
    for key, line in lines.items():
        assert line[-1] == key
        parent = parents[key]
        assert line[:-1] == (lines[parent] if parent is not None else ())


@given(trees)
def test_a_key_is_below_another_exactly_when_its_path_begins_with_the_other_path(parents):
    lines = ancestry(parents)
    for key, line in lines.items():
        for other, above in lines.items():
            assert path_of(line).startswith(path_of(above)) is (other in line), (key, other)


@given(trees, st.data())
def test_a_closed_ring_is_found_with_all_its_members(parents, data):
    bottom = data.draw(st.sampled_from(sorted(parents)))
    line = ancestry(parents)[bottom]
    top = data.draw(st.sampled_from(line))
    ring = {**parents, top: bottom}
    (found,) = cycles(ring)
    assert set(found) == set(line[line.index(top) :])
    with pytest.raises(ValueError, match="cycle"):
        ancestry(ring)


def test_a_parent_that_is_no_key_makes_a_root():
    assert ancestry({"a": "outside", "b": "a"}) == {"a": ("a",), "b": ("a", "b")}


def test_a_moved_unit_takes_everything_below_it_along(org):
    top = org.unit("Top")
    left, right = org.unit("Venstre", top), org.unit("Højre", top)
    child = org.unit("Barn", left)
    grandchild = org.unit("Barnebarn", child)
    child.place(right)
    grandchild.refresh_from_db()
    assert grandchild.path == f"/{top.pk}/{right.pk}/{child.pk}/{grandchild.pk}/"
    assert grandchild.depth == 3
    assert set(Unit.objects.subtree(right)) == {right, child, grandchild}
    assert set(Unit.objects.subtree(left)) == {left}
    child.place(None)
    grandchild.refresh_from_db()
    assert (grandchild.path, grandchild.depth) == (f"/{child.pk}/{grandchild.pk}/", 1)


def test_a_unit_cannot_be_placed_below_itself(org):
    top = org.unit("Top")
    child = org.unit("Barn", top)
    with pytest.raises(ValueError, match="below itself"):
        top.place(child)


def test_the_administration_is_the_unit_below_the_municipality(org):
    top = org.unit("Kommune")
    administration = org.unit("Forvaltning", top)
    team = org.unit("Team", org.unit("Område", administration))
    assert team.administration == administration
    assert administration.administration == administration
    assert top.administration == top


def test_a_unit_contains_itself_and_what_is_below_it_but_not_its_siblings(org):
    units = [org.unit("Top")]
    units += [org.unit(f"Nr. {number}", units[0]) for number in range(12)]
    assert units[0].contains(units[5])
    assert units[1].contains(units[1])
    # Keys such as 1 and 12 must not be taken for each other.
    assert not any(one.contains(other) for one in units[1:] for other in units[1:] if one != other)


def test_ancestors_come_from_the_top(org):
    top = org.unit("Top")
    child = org.unit("Barn", top)
    assert list(Unit.objects.ancestors(child)) == [top, child]


def test_the_subtree_of_nothing_is_empty(org):
    org.unit("Top")
    assert not Unit.objects.subtree().exists()
