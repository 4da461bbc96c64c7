# SPDX-License-Identifier: MPL-2.0
"""The commands."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from sagsgang.dmn.cli import app, feel_command
from tests.dmn.models import decision, document, input_data, literal, table
from tests.dmn.test_tck import folder, number, result

feel_app = typer.Typer()
feel_app.command()(feel_command)
runner = CliRunner()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "rules.dmn"
    path.write_bytes(
        document(
            input_data("Age", "number")
            + decision(
                "Group",
                table([("Age", "number")], ["o"], [["< 18", '"minor"'], [">= 18", '"adult"']]),
                inputs=["Age"],
            )
            + decision("Name", literal("1 + null"))
        )
    )
    return path


def test_eval_prints_the_value_as_json(file: Path) -> None:
    args = ["eval", str(file), "--decision", "Group", "--input", '{"Age": 17}']
    done = runner.invoke(app, args)
    assert done.exit_code == 0
    assert json.loads(done.stdout) == "minor"


def test_eval_explains_in_the_language_asked_for(file: Path) -> None:
    base = ["eval", str(file), "--decision", "Group", "--input", '{"Age": 17}', "--explain"]
    assert "Regel 1 passer" in runner.invoke(app, [*base, "da"]).stdout
    assert "Rule 1 matches" in runner.invoke(app, [*base, "en"]).stdout
    assert '"matched"' in runner.invoke(app, [*base, "json"]).stdout
    assert runner.invoke(app, [*base, "fr"]).exit_code == 2


def test_eval_reads_inputs_from_a_file(file: Path, tmp_path: Path) -> None:
    inputs = tmp_path / "in.json"
    inputs.write_text('{"Age": 30}', encoding="utf-8")
    done = runner.invoke(app, ["eval", str(file), "--decision", "Group", "--input", f"@{inputs}"])
    assert json.loads(done.stdout) == "adult"


def test_eval_says_what_went_wrong_and_exits_1(file: Path) -> None:
    done = runner.invoke(app, ["eval", str(file), "--decision", "Name"])
    assert done.exit_code == 1
    assert json.loads(done.stdout) is None
    assert done.stderr.strip()


@pytest.mark.parametrize(
    ("extra", "said"),
    [
        (["--decision", "Grup"], 'Did you mean "Group"'),
        (["--decision", "Group", "--input", "{"], "ikke JSON"),
        (["--decision", "Group", "--input", "[]"], "JSON-objekt"),
        (["--decision", "Group", "--input", "@/nowhere"], "kan ikke læses"),
    ],
)
def test_eval_used_wrongly_exits_2(file: Path, extra: list[str], said: str) -> None:
    done = runner.invoke(app, ["eval", str(file), *extra])
    assert done.exit_code == 2
    assert said in done.stderr
    assert "Traceback" not in done.output


def test_check_lists_findings_and_exits_1_on_errors(file: Path, tmp_path: Path) -> None:
    assert runner.invoke(app, ["check", str(file)]).exit_code == 0
    bad = tmp_path / "bad.dmn"
    bad.write_bytes(document(decision("D", literal("1 +"))))
    done = runner.invoke(app, ["check", str(bad), str(file)])
    assert done.exit_code == 1
    assert "bad.dmn:" in done.stdout
    assert "[feel.syntax]" in done.stdout
    (line,) = runner.invoke(app, ["check", str(bad), "--json"]).stdout.splitlines()
    assert json.loads(line)["code"] == "feel.syntax"


def test_check_reports_a_file_that_is_not_xml_and_goes_on(file: Path, tmp_path: Path) -> None:
    bad = tmp_path / "bad.dmn"
    bad.write_text("no", encoding="utf-8")
    done = runner.invoke(app, ["check", str(bad), str(file)])
    assert done.exit_code == 1
    assert "bad.dmn:1:" in done.stderr


def test_tck_prints_failures_and_the_count_alone_on_the_last_line(tmp_path: Path) -> None:
    cases = "".join(f'<testCase id="{n}">{result("D", number(str(n)))}</testCase>' for n in (1, 2))
    place = folder(tmp_path, cases, decision("D", literal("1")))
    done = runner.invoke(app, ["tck", str(place)])
    assert done.exit_code == 1
    assert done.stdout.splitlines() == [
        "m-test-01.xml [2] D: expected 2, got 1",
        "1 passed, 1 failed",
    ]


def test_tck_without_cases_is_wrong_use(tmp_path: Path) -> None:
    assert runner.invoke(app, ["tck", str(tmp_path)]).exit_code == 2
    assert runner.invoke(app, ["tck", str(tmp_path / "nowhere")]).exit_code == 2


def test_feel_prints_the_value_as_json() -> None:
    done = runner.invoke(feel_app, ["a b + 1", "--context", '{"a b": 2}'])
    assert json.loads(done.stdout) == 3
    assert done.exit_code == 0


def test_feel_shows_where_a_text_stops_being_feel() -> None:
    done = runner.invoke(feel_app, ["1 + * 2"])
    assert done.exit_code == 1
    assert "kolonne 5" in done.stderr
    assert "    ^" in done.stderr


def test_feel_says_why_a_value_is_null() -> None:
    done = runner.invoke(feel_app, ['1 + "a"'])
    assert done.exit_code == 1
    assert done.stdout.strip() == "null"
    assert done.stderr.strip()
