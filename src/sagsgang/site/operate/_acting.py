# SPDX-License-Identifier: MPL-2.0
"""``retry``, ``skip``, ``cancel`` and the like: what is done to instances."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from sagsgang.site.operate._common import (
    As,
    Code,
    DryRun,
    Element,
    Ids,
    Json,
    Older,
    Process,
    Reason,
    Version,
    pair_of,
    values_of,
    wrong,
)
from sagsgang.site.operate._doing import do

__all__ = ["app"]

app = typer.Typer()


@app.command("retry")
def retry(
    ids: Ids = None,
    process: Process = "",
    version: Version = None,
    element: Element = "",
    incident: Code = "",
    older_than: Older = "",
    user: As = "system:cli",
    reason: Reason = "",
    *,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Prøv igen, hvor det er gået i stå, og fremryk udskudte forsøg."""
    from sagsgang.site import commands

    commands.start()
    from sagsgang.engine.operations import Retry

    chosen = {
        "process": process,
        "version": version,
        "element": "" if ids else element,
        "incident": "" if ids else incident or ("any" if process or element else ""),
        "older_than": older_than,
    }
    act = Retry(element=element, code="" if incident == "any" else incident)
    do(
        act,
        ids,
        user=user,
        reason=reason,
        dry_run=dry_run,
        as_json=as_json,
        chosen=chosen,
    )


@app.command("skip")
def skip(
    ids: Ids = None,
    process: Process = "",
    version: Version = None,
    element: Element = "",
    incident: Code = "",
    older_than: Older = "",
    result: Annotated[
        list[str] | None, typer.Option("--result", help="Trinets resultat: navn=FEEL-værdi.")
    ] = None,
    user: As = "system:cli",
    reason: Reason = "",
    *,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Gå videre, som om et trin var udført."""
    from sagsgang.site import commands

    commands.start()
    from sagsgang.engine.operations import Skip

    chosen = {
        "process": process,
        "version": version,
        "element": "" if ids else element,
        "incident": incident,
        "older_than": older_than,
    }
    act = Skip(element=element, variables=values_of(result or ()))
    do(act, ids, user=user, reason=reason, dry_run=dry_run, as_json=as_json, chosen=chosen)


@app.command("cancel")
def cancel(
    ids: Ids = None,
    process: Process = "",
    version: Version = None,
    element: Element = "",
    incident: Code = "",
    older_than: Older = "",
    user: As = "system:cli",
    reason: Reason = "",
    *,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Annullér instanser og det, de har kaldt. Det kan ikke fortrydes."""
    from sagsgang.site import commands

    commands.start()
    from sagsgang.engine.operations import Cancel

    chosen = {
        "process": process,
        "version": version,
        "element": element,
        "incident": incident,
        "older_than": older_than,
    }
    do(Cancel(), ids, user=user, reason=reason, dry_run=dry_run, as_json=as_json, chosen=chosen)


@app.command("modify")
def modify(
    ids: Ids = None,
    move: Annotated[
        list[str] | None, typer.Option("--move", help="Flyt token: fra=til, trinenes id'er.")
    ] = None,
    start_before: Annotated[
        list[str] | None, typer.Option("--start", help="Start et token lige før dette trin.")
    ] = None,
    end_at: Annotated[
        list[str] | None, typer.Option("--end", help="Afslut tokens ved dette trin.")
    ] = None,
    process: Process = "",
    version: Version = None,
    element: Element = "",
    incident: Code = "",
    user: As = "system:cli",
    reason: Reason = "",
    *,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Flyt, start og afslut tokens med hånden. Prøv først med --dry-run."""
    from sagsgang.site import commands

    commands.start()
    from sagsgang.engine.operations import ModifyTokens

    pairs = [pair_of(each, "Skriv --move fra=til.") for each in move or ()]
    if not (pairs or start_before or end_at):
        raise wrong("Sig, hvad der skal ske: --move fra=til, --start TRIN eller --end TRIN.")
    act = ModifyTokens(tuple(pairs), tuple(start_before or ()), tuple(end_at or ()))
    chosen = {"process": process, "version": version, "element": element, "incident": incident}
    do(act, ids, user=user, reason=reason, dry_run=dry_run, as_json=as_json, chosen=chosen)


@app.command("set-variables")
def set_variables(
    ids: Ids = None,
    values: Annotated[
        list[str] | None, typer.Option("--set", help="navn=FEEL-værdi; kan gentages.")
    ] = None,
    process: Process = "",
    version: Version = None,
    element: Element = "",
    incident: Code = "",
    user: As = "system:cli",
    reason: Reason = "",
    *,
    retype: Annotated[bool, typer.Option("--retype", help="Typen må ændres.")] = False,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Sæt variabler. Sporet får navn, type og størrelse før og efter, aldrig indholdet."""
    from sagsgang.site import commands

    commands.start()
    from sagsgang.engine.operations import SetVariables

    if not values:
        raise wrong("Sig, hvilken variabel der skal have hvilken værdi: --set navn=værdi.")
    act = SetVariables(values_of(values), retype=retype)
    chosen = {"process": process, "version": version, "element": element, "incident": incident}
    do(act, ids, user=user, reason=reason, dry_run=dry_run, as_json=as_json, chosen=chosen)


@app.command("suspend")
def suspend(
    ids: Ids = None,
    process: Process = "",
    version: Version = None,
    element: Element = "",
    incident: Code = "",
    older_than: Older = "",
    user: As = "system:cli",
    reason: Reason = "",
    *,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Sæt instanser på pause: intet flytter dem, før de tages af pause."""
    from sagsgang.site import commands

    commands.start()
    from sagsgang.engine.operations import Suspend

    chosen = {
        "process": process,
        "version": version,
        "element": element,
        "incident": incident,
        "older_than": older_than,
    }
    do(Suspend(), ids, user=user, reason=reason, dry_run=dry_run, as_json=as_json, chosen=chosen)


@app.command("resume")
def resume(
    ids: Ids = None,
    process: Process = "",
    version: Version = None,
    user: As = "system:cli",
    reason: Reason = "",
    *,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Tag instanser af pause."""
    from sagsgang.site import commands

    commands.start()
    from sagsgang.engine.operations import Resume

    chosen: dict[str, Any] = {"process": process, "version": version}
    if process and not ids:
        chosen["status"] = "suspended"
    do(Resume(), ids, user=user, reason=reason, dry_run=dry_run, as_json=as_json, chosen=chosen)
