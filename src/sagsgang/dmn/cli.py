# SPDX-License-Identifier: MPL-2.0
"""The commands ``sagsgang dmn eval``, ``check`` and ``tck``, and the body of ``sagsgang feel``.

Exit codes: 0 fine, 1 the work found faults, 2 wrong use.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer

from sagsgang.dmn import tck as kit
from sagsgang.dmn.checks import check
from sagsgang.dmn.decisions import Result
from sagsgang.dmn.elements import DecisionService
from sagsgang.dmn.errors import DmnError, UnknownElementError
from sagsgang.dmn.model import Model, load
from sagsgang.feel import FeelError, FeelFunction, FeelSyntaxError, Trace, to_json
from sagsgang.feel import compile as compile_feel
from sagsgang.feel.municipal import MUNICIPAL
from sagsgang.wrong_use import unreadable

__all__ = ["app", "feel_command"]

app = typer.Typer(no_args_is_help=True, help="Regn, tjek og afprøv DMN-modeller.")


def _fail(message: str, code: int) -> typer.Exit:
    typer.echo(message, err=True)
    return typer.Exit(code)


def _read_json(text: str, option: str) -> dict[str, Any]:
    """Read an object from JSON text, or from a file when the text is ``@path``.

    Raises:
        typer.Exit: the text is not a JSON object.
    """
    try:
        data = Path(text[1:]).read_bytes() if text.startswith("@") else text.encode()
        found = orjson.loads(data)
    except OSError as error:
        raise _fail(f"{option}: {text[1:]} kan ikke læses: {unreadable(error)}", 2) from None
    except orjson.JSONDecodeError as error:
        raise _fail(
            f"{option}: Det er ikke JSON (linje {error.lineno}, tegn {error.colno}).",
            2,
        ) from None
    if not isinstance(found, dict):
        raise _fail(f'{option}: Angiv et JSON-objekt, for eksempel {{"Alder": 19}}.', 2)
    return found


def _load(file: Path) -> Model:
    """Read a model.

    Raises:
        typer.Exit: the file cannot be read.
        DmnError: its content is no DMN model.
    """
    try:
        content = file.read_bytes()
    except OSError as error:
        raise _fail(f"{file} kan ikke læses: {unreadable(error)}", 2) from None
    return load(content, name=str(file))


def _danish(error: Exception) -> str:
    return getattr(error, "danish", None) or str(error)


def _plain(value: Any) -> Any:
    """Return a FEEL value as plain data; a function is named."""
    if isinstance(value, FeelFunction):
        return f"function {value.name}".strip()
    if isinstance(value, dict):
        return {name: _plain(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_plain(part) for part in value]
    return to_json(value)


def _print_json(value: Any) -> None:
    typer.echo(orjson.dumps(value, option=orjson.OPT_INDENT_2).decode())


@app.command("eval", help="Regn en beslutning ud, og skriv den som JSON.")
def eval_command(
    file: Annotated[Path, typer.Argument(help="DMN-fil.")],
    decision: Annotated[str, typer.Option(help="Navn eller id på beslutningen eller tjenesten.")],
    input_: Annotated[
        str, typer.Option("--input", help="Oplysninger som JSON-objekt, eller @fil.")
    ] = "{}",
    explain: Annotated[
        str, typer.Option(help="Vis, hvordan resultatet blev til: da, en eller json.")
    ] = "",
) -> None:
    """Evaluate a decision and print its value as JSON."""
    if explain not in ("", "da", "en", "json"):
        raise _fail("--explain: Vælg da, en eller json.", 2)
    inputs = _read_json(input_, "--input")
    now = dt.datetime.now(dt.UTC)
    try:
        decisions = _load(file).compile(functions=MUNICIPAL)
        is_service = any(
            isinstance(element, DecisionService) and decision in (element.id, element.name)
            for element in decisions.model.definitions.elements
        )
        run = decisions.evaluate_service if is_service else decisions.evaluate
        result = run(decision, inputs, explain=bool(explain), now=now)
    except UnknownElementError as error:
        raise _fail(str(error), 2) from None
    except DmnError as error:
        raise _fail(str(error), 1) from None
    _print_json(_plain(result.value))
    if result.explanation is not None:
        _print_explanation(result, explain)
    for message in result.errors:
        typer.echo(message.danish, err=True)
    if result.errors:
        raise typer.Exit(1)


def _print_explanation(result: Result, form: str) -> None:
    if result.explanation is None:
        return
    if form == "json":
        _print_json(result.explanation.to_dict())
    else:
        typer.echo(result.explanation.to_text("en" if form == "en" else "da"))


@app.command("check", help="Skriv alle fejl og tvivl; slutter med 1, hvis der er fejl.")
def check_command(
    files: Annotated[list[Path], typer.Argument(help="DMN-filer.")],
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Et JSON-objekt pr. linje.")] = False,
) -> None:
    """List every fault and doubt; exit 1 when there are errors."""
    errors = 0
    for file in files:
        try:
            findings = check(_load(file), functions=MUNICIPAL)
        except DmnError as error:
            errors += 1
            typer.echo(str(error), err=True)
            continue
        for finding in findings:
            errors += finding.severity == "error"
            typer.echo(orjson.dumps(finding.to_dict()).decode() if as_json else str(finding))
    if errors:
        raise typer.Exit(1)


@app.command("tck", help="Kør DMN-TCK-prøver, og skriv dem, der fejler.")
def tck_command(
    folders: Annotated[list[Path], typer.Argument(help="Mapper med prøver (DMN-TCK).")],
) -> None:
    """Run the test cases of the DMN-TCK below the folders and print each failure."""
    passed = failed = 0
    for folder in folders:
        if not folder.exists():
            raise _fail(f"{folder} kan ikke læses: mappen findes ikke; ret stien.", 2)
    try:
        for result in kit.run(folders):
            if result.passed:
                passed += 1
            else:
                failed += 1
                typer.echo(str(result))
    except DmnError as error:
        raise _fail(str(error), 2) from None
    if not passed and not failed:
        raise _fail("Der er ingen prøver i mapperne.", 2)
    typer.echo(f"{passed} passed, {failed} failed")
    if failed:
        raise typer.Exit(1)


def feel_command(
    expression: Annotated[str, typer.Argument(help="FEEL-udtryk.")],
    context: Annotated[str, typer.Option(help="Værdier som JSON-objekt, eller @fil.")] = "{}",
) -> None:
    """Beregn et FEEL-udtryk, også med de kommunale funktioner, og vis værdien som JSON."""
    values = _read_json(context, "--context")
    trace = Trace()
    try:
        program = compile_feel(expression, names=values, functions=MUNICIPAL)
        value = program(values, trace, clock=dt.datetime.now(dt.UTC))
    except FeelSyntaxError as error:
        raise _fail(f"{error.danish}\n{error.caret}", 1) from None
    except FeelError as error:
        raise _fail(_danish(error), 1) from None
    _print_json(_plain(value))
    for warning in trace:
        typer.echo(warning.danish, err=True)
    if value is None and len(trace):
        raise typer.Exit(1)
