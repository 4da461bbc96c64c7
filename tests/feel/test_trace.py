# SPDX-License-Identifier: MPL-2.0
"""The trace: why something became null, where, in English and Danish."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import sagsgang.feel
from sagsgang.feel import FeelLimitError, FeelSyntaxError, Trace, evaluate
from sagsgang.feel._messages import EXPECTED, LIMITS, REASONS, TEXTS, sentence


def warnings(text: str) -> list[tuple[str, str]]:
    trace = Trace()
    evaluate(text, {"known": 1}, trace)
    return [(w.code, w.expression) for w in trace]


@pytest.mark.parametrize(
    ("text", "code", "where"),
    [
        ("1 + (2 / 0)", "feel.number", "2 / 0"),
        ('known + "a"', "feel.operand", 'known + "a"'),
        ("unknown + 1", "feel.unknown-name", "unknown"),
        ("[1][2]", "feel.index", "[1][2]"),
        ("{a: 1}.b", "feel.path", "{a: 1}.b"),
        ('1 < "a"', "feel.compare", '1 < "a"'),
        ("known and true", "feel.boolean", "known and true"),
        ("known()", "feel.not-function", "known()"),
        ("abs()", "feel.arguments", "abs()"),
        ('abs("a")', "feel.argument", 'abs("a")'),
        ('date("x")', "feel.literal", 'date("x")'),
        ('@"x"', "feel.literal", '@"x"'),
        ("now()", "feel.clock", "now()"),
        ("for x in null return x", "feel.iterate", "x in null"),
        ("1 instance of tNone", "feel.type", "1 instance of tNone"),
        ("{a: 1, a: 2}", "feel.duplicate-key", "{a: 1, a: 2}"),
        ('matches("a", "(")', "feel.regex", 'matches("a", "(")'),
        ("-true", "feel.negate", "-true"),
        ('[1.."a"]', "feel.range", '[1.."a"]'),
        ("(function() external {a: 1})()", "feel.external", "function() external {a: 1}"),
        ('substring("a", 9)', "feel.value", 'substring("a", 9)'),
    ],
)
def test_a_null_says_why_and_where(text: str, code: str, where: str) -> None:
    assert (code, where) in warnings(text)


def test_nothing_is_said_when_nothing_went_wrong() -> None:
    assert warnings("if known = 1 then [1, null] else 1 / 0") == []


def test_a_warning_is_a_sentence_in_both_languages() -> None:
    trace = Trace()
    evaluate('1 + "a"', {}, trace)
    (warning,) = trace
    assert warning.message == "+ cannot be used on number and string."
    assert warning.danish == "+ kan ikke bruges på tal og tekst."
    assert warning.position == (0, 7)
    assert str(warning) == '+ cannot be used on number and string. [1 + "a"]'


def test_a_reason_inside_a_sentence_is_danish_too() -> None:
    trace = Trace()
    evaluate("1 / 0", {}, trace)
    assert next(iter(trace)).danish == "Resultatet af / er ikke et tal: division med nul."


def test_a_value_is_never_quoted() -> None:
    trace = Trace()
    for text in ("date(secret)", "number(secret)", "secret + 1", "secret[2]", "abs(secret)"):
        evaluate(text, {"secret": "0707614285"}, trace)
    assert len(trace) >= 4
    assert not any("0707614285" in f"{w.message}{w.danish}{w}" for w in trace)


def test_a_full_trace_counts_what_it_drops() -> None:
    trace = Trace(limit=3)
    evaluate("for i in 1..10 return i / 0", {}, trace)
    assert (len(trace), trace.dropped) == (3, 7)


def test_a_fault_in_a_fast_path_is_told_once() -> None:
    trace = Trace()
    evaluate("[unknown, 1 / z]", {"z": 0}, trace)
    assert [w.code for w in trace] == ["feel.unknown-name", "feel.number"]


def _calls() -> list[ast.Call]:
    found: list[ast.Call] = []
    for path in sorted(Path(sagsgang.feel.__file__).parent.rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        found += [n for n in ast.walk(tree) if isinstance(n, ast.Call)]
    return found


def _constants(name: str | None = None) -> set[str]:
    texts = set()
    for call in _calls():
        called = getattr(call.func, "id", getattr(call.func, "attr", ""))
        if name is None:
            values = [k.value for k in call.keywords if k.arg == "reason"]
        else:
            values = call.args[:1] if called in name.split() else []
        texts |= {v.value for v in values if isinstance(v, ast.Constant)}
    return texts


def test_every_reason_in_the_code_has_a_danish_text() -> None:
    assert _constants() - REASONS.keys() == set()


def test_every_code_in_the_code_has_a_sentence() -> None:
    codes = {c for c in _constants("warn Fault") if str(c).startswith("feel.")}
    assert codes == TEXTS.keys()


def test_every_syntax_error_and_limit_has_a_danish_text() -> None:
    expected = {text for text in _constants("fail") if not str(text).startswith("feel.")}
    assert expected == EXPECTED.keys()
    sentences = set()
    for call in _calls():
        if getattr(call.func, "id", "") == "FeelLimitError":
            sentences |= {a.value for a in call.args[2:] if isinstance(a, ast.Constant)}
    assert sentences == LIMITS.keys()


def test_a_syntax_error_and_a_limit_speak_danish() -> None:
    with pytest.raises(FeelSyntaxError) as syntax:
        evaluate("1 +")
    assert (
        syntax.value.danish == "Linje 1, kolonne 4: her ventes et udtryk, men der står slutningen."
    )
    with pytest.raises(FeelLimitError) as limit:
        evaluate("(" * 500)
    assert limit.value.danish == "Udtrykket er indlejret for dybt (grænsen nesting er 150)."


def test_an_unknown_code_is_its_own_sentence() -> None:
    assert sentence("other.code", {}, "da") == "other.code"
