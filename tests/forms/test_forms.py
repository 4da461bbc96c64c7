# SPDX-License-Identifier: MPL-2.0
"""Forms: read as drawn, filled as people write, checked by the server."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sagsgang import forms
from sagsgang.forms import values


def field(kind: str = "textfield", key: str = "f", **more: Any) -> dict[str, Any]:
    return {"type": kind, "id": key, "key": key, "label": key.title(), **more}


def form(*components: dict[str, Any]) -> forms.Form:
    return forms.parse({"id": "test", "type": "default", "components": list(components)})


def rows(*components: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "type": "dynamiclist",
        "id": "lines",
        "path": "lines",
        "label": "Linjer",
        "components": list(components),
        **more,
    }


REQUIRED = {"validate": {"required": True}}


# --- Reading schemas --------------------------------------------------------------------------


def test_a_component_that_is_not_supported_is_refused_by_its_id() -> None:
    with pytest.raises(forms.FormSchemaError) as caught:
        form(field(), {"type": "iframe", "id": "evil"})
    assert caught.value.faults == ("evil: components of type iframe are not supported.",)


def test_every_fault_of_a_schema_is_listed() -> None:
    with pytest.raises(forms.FormSchemaError) as caught:
        form(
            field(key=""),
            field("select", "empty"),
            field(key="a", conditional={"hide": "=1 +"}),
            field(key="b", validate={"pattern": "("}),
            field(key="b"),
        )
    assert len(caught.value.faults) == 5


def test_a_schema_without_components_is_refused() -> None:
    with pytest.raises(forms.FormSchemaError, match="components"):
        forms.parse({"id": "x"})


# --- What people write ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("8", "08:00"),
        ("8:05", "08:05"),
        ("8.05", "08:05"),
        ("0805", "08:05"),
        ("805", "08:05"),
        ("23:59", "23:59"),
        ("08:30:00", "08:30"),
    ],
)
def test_a_time_may_be_written_as_danes_write_it(written: str, meant: str) -> None:
    assert values.read_time(written) == meant


@pytest.mark.parametrize("written", ["24:00", "25", "8:60", "kl. 8", "-1", "8:5:5", "²2"])
def test_what_is_not_a_time_is_refused(written: str) -> None:
    with pytest.raises(values.ReadError, match="Skriv et klokkeslæt"):
        values.read_time(written)


@pytest.mark.parametrize(
    "written", ["2026-03-01", "1-3-2026", "01.03.2026", "1/3/2026", "01 03 2026"]
)
def test_a_date_may_be_written_as_danes_write_it(written: str) -> None:
    assert values.read_date(written) == "2026-03-01"


@pytest.mark.parametrize("written", ["2026-02-30", "31-4-2026", "3/2026", "i går", "1-3-26"])
def test_what_is_not_a_date_is_refused(written: str) -> None:
    with pytest.raises(values.ReadError, match="Skriv en dato"):
        values.read_date(written)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("7", 7),
        ("7,5", Decimal("7.5")),
        ("7.5", Decimal("7.5")),
        ("1.250,75", Decimal("1250.75")),
        ("-3", -3),
        ("1 250", 1250),
    ],
)
def test_a_number_may_have_a_decimal_comma(written: str, meant: Any) -> None:
    filled = forms.read(form(field("number")), {"f": [written]})
    assert filled.data["f"] == meant
    assert filled.good


@pytest.mark.parametrize("written", ["1.250", "1.000.000", "7,5,1", "syv", "1e5", "∞", "9" * 30])
def test_a_number_that_may_mean_two_things_or_none_is_refused(written: str) -> None:
    filled = forms.read(form(field("number")), {"f": [written]})
    assert "f" in filled.faults


@given(st.decimals(-(10**9), 10**9, places=2, allow_nan=False))
def test_a_number_that_is_shown_is_read_back(number: Decimal) -> None:
    schema = form(field("number"))
    shown = forms.blank(schema, data={"f": number})
    assert forms.read(schema, {"f": shown.texts["f"]}).data["f"] == number


@given(st.dates())
def test_a_date_that_is_shown_is_read_back(day: Any) -> None:
    schema = form(field("datetime", subtype="date"))
    shown = forms.blank(schema, data={"f": day.isoformat()})
    assert forms.read(schema, {"f": shown.texts["f"]}).data["f"] == day.isoformat()


@given(st.times())
def test_a_time_that_is_shown_is_read_back(clock: Any) -> None:
    schema = form(field("datetime", subtype="time"))
    written = f"{clock:%H:%M}"
    assert forms.read(schema, {"f": [written]}).data["f"] == written


@given(st.text(max_size=50))
def test_nothing_that_is_written_makes_a_form_fail(text: str) -> None:
    schema = form(
        field(),
        field("number", "n"),
        field("datetime", "d", subtype="datetime"),
        field("select", "s", values=[{"value": "a", "label": "A"}]),
        field("checklist", "c", values=[{"value": "a", "label": "A"}]),
    )
    posted = {name: [text] for name in ("f", "n", "d", "s", "c", text)}
    filled = forms.read(schema, posted)
    assert forms.fault_list(filled) is not None
    forms.summary(filled)


def test_both_parts_of_a_date_with_time_are_needed() -> None:
    schema = form(field("datetime", subtype="datetime"))
    assert forms.read(schema, {"f": ["2026-03-01", "8"]}).data["f"] == "2026-03-01T08:00"
    assert "f" in forms.read(schema, {"f": ["2026-03-01", ""]}).faults


# --- Checks -----------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["textfield", "textarea", "number", "datetime"])
def test_a_required_field_must_be_filled_in(kind: str) -> None:
    filled = forms.read(form(field(kind, **REQUIRED)), {"f": ["  "]})
    assert list(filled.faults) == ["f"]


def test_a_required_checkbox_must_be_ticked() -> None:
    schema = form(field("checkbox", **REQUIRED))
    assert not forms.read(schema, {}).good
    assert forms.read(schema, {"f": ["on"]}).data == {"f": True}


@pytest.mark.parametrize(
    ("rules", "written"),
    [
        ({"min": 1}, "0"),
        ({"max": 10}, "10,5"),
        ({"min": "=1 + 1"}, "1"),
    ],
)
def test_a_number_outside_its_limits_is_refused(rules: dict[str, Any], written: str) -> None:
    filled = forms.read(form(field("number", validate=rules)), {"f": [written]})
    assert "f" in filled.faults


def test_a_text_that_does_not_match_its_pattern_gets_the_message_of_the_form() -> None:
    schema = form(
        field(validate={"pattern": "[0-9]{4}"}, properties={"message": "Skriv fire cifre."})
    )
    assert forms.read(schema, {"f": ["12a4"]}).faults == {"f": ["Skriv fire cifre."]}


def test_a_pattern_that_would_never_end_is_given_up() -> None:
    schema = form(field(validate={"pattern": "(a|aa)+$"}))
    assert "f" in forms.read(schema, {"f": ["a" * 900 + "b"]}).faults


def test_a_choice_that_is_not_offered_is_refused() -> None:
    schema = form(field("select", values=[{"value": "a", "label": "A"}]))
    assert "f" in forms.read(schema, {"f": ["b"]}).faults


def test_choices_may_come_from_the_context() -> None:
    schema = form(field("select", valuesKey="units"))
    context = {"units": [{"value": "1", "label": "Skolen"}]}
    assert forms.read(schema, {"f": ["1"]}, context=context).good
    assert not forms.read(schema, {"f": ["2"]}, context=context).good


def test_a_check_sees_the_other_fields() -> None:
    schema = form(
        field("number", "low"),
        field("number", "high", properties={"check": "=high > low", "message": "For lavt."}),
    )
    assert forms.read(schema, {"low": ["3"], "high": ["2"]}).faults == {"high": ["For lavt."]}
    assert forms.read(schema, {"low": ["1"], "high": ["2"]}).good


def test_a_cpr_number_in_a_text_is_refused_without_being_repeated() -> None:
    filled = forms.read(form(field("textarea")), {"f": ["Det er for 610181-0001."]})
    assert filled.faults == {"f": ["Skriv ikke CPR-numre her."]}


def test_invisible_characters_are_refused() -> None:
    assert "f" in forms.read(form(field()), {"f": ["a\x00b"]}).faults


# --- What is hidden ---------------------------------------------------------------------------


def test_what_is_hidden_is_neither_asked_for_nor_kept() -> None:
    schema = form(
        field("checkbox", "other"),
        field(key="why", conditional={"hide": "=other != true"}, **REQUIRED),
    )
    hidden = forms.read(schema, {"why": ["smuglet ind"]})
    assert hidden.good
    assert hidden.data == {"other": False}
    assert not forms.read(schema, {"other": ["on"]}).good
    assert forms.read(schema, {"other": ["on"], "why": ["fordi"]}).data["why"] == "fordi"


# --- Rows -------------------------------------------------------------------------------------


def test_rows_become_a_list() -> None:
    schema = form(rows(field(key="a"), field("number", "n")))
    filled = forms.read(schema, {"lines.0.a": ["x"], "lines.0.n": ["1"], "lines.3.a": ["y"]})
    assert filled.data == {"lines": [{"a": "x", "n": 1}, {"a": "y", "n": None}]}


def test_empty_rows_are_left_out_but_one_is_asked_for() -> None:
    schema = form(rows(field(key="a", **REQUIRED)))
    posted = {"lines.0.a": [""], "lines.1.a": ["x"], "lines.2.a": [" "]}
    assert forms.read(schema, posted).data == {"lines": [{"a": "x"}]}
    assert list(forms.read(schema, {"lines.0.a": [""]}).faults) == ["lines.0.a"]


def test_a_row_that_only_has_its_defaults_counts_as_empty() -> None:
    schema = form(rows(field(key="a", **REQUIRED), field("number", "n", defaultValue=0)))
    posted = {"lines.0.a": ["x"], "lines.0.n": ["0"], "lines.1.a": [""], "lines.1.n": ["0"]}
    assert len(forms.read(schema, posted).data["lines"]) == 1


def test_a_row_is_added_without_any_complaint() -> None:
    schema = form(rows(field(key="a", **REQUIRED)))
    filled = forms.read(schema, {"lines.0.a": [""], forms.ACTION: ["add:lines"]})
    assert (len(filled.data["lines"]), filled.faults, filled.good) == (2, {}, False)


def test_a_row_is_removed_and_the_rest_move_up() -> None:
    schema = form(rows(field(key="a")))
    posted = {f"lines.{n}.a": [letter] for n, letter in enumerate("xyz")}
    filled = forms.read(schema, {**posted, forms.ACTION: ["remove:lines.1"]})
    assert filled.texts["lines.1.a"] == ["z"]
    assert [row["a"] for row in filled.data["lines"]] == ["x", "z"]


@pytest.mark.parametrize("action", ["remove:lines.0", "remove:lines.99999999999", "add:other", "?"])
def test_an_action_that_cannot_be_done_changes_nothing(action: str) -> None:
    schema = form(rows(field(key="a"), allowAddRemove=False))
    filled = forms.read(schema, {"lines.0.a": ["x"], forms.ACTION: [action]})
    assert filled.data == {"lines": [{"a": "x"}]}


def test_too_many_rows_are_refused() -> None:
    schema = form(rows(field(key="a"), properties={"most": "3"}))
    filled = forms.read(schema, {f"lines.{n}.a": ["x"] for n in range(9)})
    assert list(filled.faults) == ["lines"]


def test_a_row_may_hide_by_its_own_values() -> None:
    schema = form(rows(field(key="a"), field(key="b", conditional={"hide": '=a != "x"'})))
    posted = {"lines.0.a": ["x"], "lines.0.b": ["1"], "lines.1.a": ["y"], "lines.1.b": ["2"]}
    filled = forms.read(schema, posted)
    assert filled.data == {"lines": [{"a": "x", "b": "1"}, {"a": "y"}]}


def test_faults_name_the_row_and_the_field() -> None:
    schema = form(rows(field(key="a", **REQUIRED), field(key="b"), properties={"item": "Vagt"}))
    filled = forms.read(schema, {"lines.0.a": ["x"], "lines.1.b": ["y"]})
    (fault,) = forms.fault_list(filled)
    assert (fault.where, fault.id) == ("Vagt 2, A", "f-lines-1-a")


def test_faults_found_behind_the_form_are_shown_too() -> None:
    filled = forms.read(form(field()), {"f": ["x"]})
    filled.add_faults({"f": ["Findes ikke."], "unknown": ["Noget andet."], "": ["I det hele."]})
    shown = {(fault.where, fault.message) for fault in forms.fault_list(filled)}
    assert shown == {("F", "Findes ikke."), ("unknown", "Noget andet."), ("", "I det hele.")}


# --- Round trips ------------------------------------------------------------------------------


@given(
    st.lists(
        st.fixed_dictionaries(
            {
                "a": st.text("abcæøå ", min_size=1, max_size=8).map(str.strip).filter(bool),
                "n": st.integers(0, 999),
                "c": st.booleans(),
            }
        ),
        min_size=1,
        max_size=5,
    )
)
def test_data_that_is_shown_and_sent_unchanged_stays_the_same(lines: list[dict[str, Any]]) -> None:
    schema = form(
        rows(field(key="a"), field("number", "n"), field("checkbox", "c")),
        {"type": "group", "id": "g", "path": "g", "components": [field(key="x")]},
    )
    data = {"lines": lines, "g": {"x": "y"}}
    shown = forms.blank(schema, data=data)
    posted: dict[str, list[str]] = {}
    for name, text in shown.inputs():
        posted.setdefault(name, []).append(text)
    assert forms.read(schema, posted).data == data
    assert forms.check(schema, data).data == data


def test_the_summary_says_the_answers_in_words() -> None:
    schema = form(
        field("datetime", "day", subtype="date", label=None, dateLabel="Dato"),
        field("select", "s", values=[{"value": "a", "label": "Bil"}]),
        field("checkbox", "c"),
        field("number", "n", appearance={"suffixAdorner": "timer"}),
    )
    filled = forms.read(schema, {"day": ["2026-03-01"], "s": ["a"], "n": ["7,5"]})
    assert [(line.label, line.words) for line in forms.summary(filled)] == [
        ("Dato", "01-03-2026"),
        ("S", "Bil"),
        ("C", "Nej"),
        ("N", "7,5 timer"),
    ]
