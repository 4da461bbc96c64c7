# SPDX-License-Identifier: MPL-2.0
"""``sagsgang bpmn``: check models and run them in memory."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

import typer

from sagsgang.bpmn import codec
from sagsgang.bpmn.errors import BpmnLibraryError, ModelError
from sagsgang.bpmn.layout import layout
from sagsgang.bpmn.model import Model, load
from sagsgang.bpmn.runner import run
from sagsgang.bpmn.validation import Severity, Violation, check, rules
from sagsgang.feel import adopt, to_json
from sagsgang.wrong_use import unreadable

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, help="Tjek og kør BPMN-modeller.")

_FAULTS = 1
# Fatal only where a token comes; a run that never comes there is worth seeing, and one that does
# ends there with the same sentence.
_WHEN_REACHED = frozenset({"expression-syntax", "timer-missing"})
_WRONG_USE = 2
_STATUS = {"completed": "fuldført", "waiting": "venter", "failed": "fejlet"}
_EVENTS = {
    "started": "startet",
    "entered": "påbegyndt",
    "completed": "fuldført",
    "terminated": "afbrudt",
    "triggered": "udløst",
    "taken": "fulgt",
    "iterated": "gentaget",
    "decided": "besluttet",
    "incident": "standset",
    "assumed": "antaget",
    "ended": "slut",
}
_EXPLAINED = frozenset({"assumed", "incident"})


@app.command("check")
def check_command(
    files: Annotated[list[Path], typer.Argument(help="BPMN-filer.")],
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Et JSON-objekt pr. linje.")] = False,
) -> None:
    """Vis hver regel i standarden, som en model bryder. Slutter med 1, hvis der er nogen.

    Det, der er tilladt, men ikke kan udføres eller næppe er meningen, vises som bemærkninger.
    """
    faults = remarks = 0
    missing = False
    for path in files:
        try:
            found = check(load(path), advice=True)
        except ModelError as error:
            found = [Violation(str(path), error.code, str(error), fatal=True)]
        except OSError as error:
            typer.echo(f"{path} kan ikke læses: {unreadable(error)}", err=True)
            missing = True
            continue
        for each in found:
            violated = each.severity is Severity.VIOLATION
            faults, remarks = faults + violated, remarks + (not violated)
            _tell(path, each, as_json=as_json)
    if as_json:
        summary = {"files": len(files), "violations": faults, "remarks": remarks}
        typer.echo(codec.dumps(summary).decode())
    else:
        more = "" if not remarks else f", {remarks} bemærkning{'' if remarks == 1 else 'er'}"
        typer.echo(f"{len(files)} {'fil' if len(files) == 1 else 'filer'}, {faults} fejl{more}")
    if missing:
        raise typer.Exit(_WRONG_USE)
    if faults:
        raise typer.Exit(_FAULTS)


def _tell(path: Path, each: Violation, *, as_json: bool) -> None:
    if as_json:
        rule = rules().get(each.rule)
        line = {
            "file": str(path),
            "line": each.line,
            "element": each.element,
            "rule": each.rule,
            "severity": each.severity.value,
            "clause": rule.clause if rule is not None else "",
            "message": each.message,
        }
        typer.echo(codec.dumps(line).decode())
        return
    mark = "" if each.severity is Severity.VIOLATION else "bemærkning: "
    place = f"{path}:{each.line}: " if each.line else ""
    typer.echo(f"{place}{mark}{each}")


@app.command("run")
def run_command(
    file: Annotated[Path, typer.Argument(help="BPMN-fil.")],
    process: Annotated[str | None, typer.Option(help="Id på den proces, der skal startes.")] = None,
    variables: Annotated[str, typer.Option("--vars", help="Variabler som JSON.")] = "{}",
    answers: Annotated[
        str, typer.Option(help="Svar på opgaver som JSON: resultatvariabler pr. element-id.")
    ] = "{}",
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Et JSON-objekt pr. linje.")] = False,
) -> None:
    """Kør en model i hukommelsen på et virtuelt ur, og vis hvad der sker."""
    given, said = _object(variables, "--vars"), _object(answers, "--answers")
    try:
        model = _load(file)
        violations = check(model)
        refused = [each for each in violations if each.fatal and each.rule not in _WHEN_REACHED]
        if refused:
            for each in refused:
                typer.echo(f"{file}:{each.line}: {each}", err=True)
            text = f"Modellen afvises: {len(refused)} fejl; den første er {refused[0]}"
            _show(_refusal("bpmn-invalid", text, refused[0].element), as_json=as_json)
            raise typer.Exit(_FAULTS)
        last: dict[str, Any] = {}
        lines = run(model, process, given, said, decide=_decisions(file), resolve=_neighbours(file))
        for last in lines:
            _show(last, as_json=as_json)
    except BpmnLibraryError as error:
        _show(_refusal(error.code, str(error), ""), as_json=as_json)
        raise typer.Exit(_FAULTS) from None
    if last.get("status") == "failed":
        raise typer.Exit(_FAULTS)


@app.command("layout")
def layout_command(
    file: Annotated[Path, typer.Argument(help="BPMN-fil uden diagram.")],
    out: Annotated[Path | None, typer.Option(help="Hvor den skrives; ellers i filen selv.")] = None,
) -> None:
    """Tegn et diagram til en model, der intet har. En model med diagram røres ikke."""
    try:
        model = _load(file)
        drawn = layout(model)
    except ModelError as error:
        typer.echo(f"{file}: {error.code}: {error}", err=True)
        raise typer.Exit(_FAULTS) from None
    if drawn is model:
        typer.echo(f"{file} har allerede et diagram eller intet at tegne; intet er ændret.")
        return
    target = out or file
    target.write_bytes(drawn.to_xml())
    typer.echo(f"{target} er skrevet med diagram.")


def _refusal(code: str, message: str, element: str) -> dict[str, Any]:
    error = {"code": code, "message": message, "element": element}
    return {"status": "failed", "waiting": [], "error": error, "variables": {}}


def _load(path: Path) -> Model:
    try:
        return load(path)
    except OSError as error:
        typer.echo(f"{path} kan ikke læses: {unreadable(error)}", err=True)
        raise typer.Exit(_WRONG_USE) from None


def _object(text: str, option: str) -> dict[str, Any]:
    try:
        value = codec.loads(text)
    except ValueError as error:
        typer.echo(f"{option} er ikke JSON: {error}", err=True)
        raise typer.Exit(_WRONG_USE) from None
    if not isinstance(value, dict):
        typer.echo(f'{option} skal være et JSON-objekt, fx {{"antal": 2}}.', err=True)
        raise typer.Exit(_WRONG_USE)
    return value


def _plain(value: Any) -> Any:
    """A value as JSON has it: dates, times, durations and ranges as FEEL writes them."""
    if isinstance(value, Mapping):
        return {name: _plain(each) for name, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(each) for each in value]
    if value is None or isinstance(value, (str, bool, int, float, Decimal)):
        return value
    return to_json(adopt(value))


def _show(line: dict[str, Any], *, as_json: bool) -> None:
    for each in {"variables", "data"} & line.keys():
        line = {**line, each: _plain(line[each])}
    if as_json:
        # Not ``echo``, which empties the buffer after each of perhaps fifty thousand lines.
        sys.stdout.write(codec.dumps(line).decode() + "\n")
    elif "status" in line:
        typer.echo(f"status: {_STATUS[line['status']]}")
        if line["waiting"]:
            typer.echo(f"venter: {', '.join(line['waiting'])}")
        if line["error"]:
            typer.echo(f"fejl: {line['error']['code']}: {line['error']['message']}")
        variables = json.loads(codec.dumps(line["variables"]))
        typer.echo(json.dumps(variables, ensure_ascii=False, indent=2))
    else:
        where = line.get("element") or line.get("process")
        number = f" [{line['instance']}]" if "instance" in line else ""
        when = line["at"][:19].replace("T", " ")
        told = _EVENTS.get(line["event"], line["event"])
        why = _why(line.get("data", {})) if line["event"] in _EXPLAINED else ""
        text = f": {why}" if why else ""
        sys.stdout.write(f"{when}  {told:<10} {where}{number}{text}\n")


def _why(data: dict[str, Any]) -> str:
    if "task_type" not in data:
        return str(data.get("text", ""))
    missing = f"handleren {data['task_type']!r}" if data["task_type"] else "en handler"
    return f"{missing} mangler her; opgaven regnes for udført"


def _neighbours(path: Path) -> Callable[[str], Model | None]:
    """Finds called processes in the other files of the folder."""

    def resolve(process: str) -> Model | None:
        for other in sorted(path.parent.glob("*.bpmn")):
            if other == path:
                continue
            try:
                model = load(other)
            except (ModelError, OSError):
                continue
            if any(each.id == process for each in model.processes):
                return model
        return None

    return resolve


def _decisions(path: Path) -> Callable[[str, Any], Any]:
    """Evaluates decisions of the DMN files beside the model and in its ``rules`` folder."""
    loaded: list[Any] = []

    def decide(decision: str, variables: Any) -> Any:
        from sagsgang import dmn

        if not loaded:
            files = sorted({*path.parent.glob("*.dmn"), *path.parent.glob("rules/*.dmn")})
            loaded.extend(dmn.load(each).compile() for each in files)
        for decisions in loaded:
            try:
                return decisions.evaluate(decision, dict(variables)).value
            except dmn.UnknownElementError:
                continue
        raise LookupError(f"ingen DMN-fil ved siden af modellen har {decision!r}")

    return decide
