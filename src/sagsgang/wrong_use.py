# SPDX-License-Identifier: MPL-2.0
"""Wrong use of the ``sagsgang`` command in Danish: one line that says what is wrong and what to do.

Typer words its refusals in English, over five lines. The exit code is 2, as it says.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from typing import Any, Final, NoReturn

import typer
from typer.core import TyperGroup
from typer.exceptions import TyperException

__all__ = ["Group", "refuse", "sentence", "unreadable"]

_MESSAGES: Final = (
    (
        r"No such command '(?P<a>.*?)'\.?(?: Did you mean (?P<b>.*)\?)?",
        "Der er ingen kommando {a}.",
    ),
    (r"Option '(?P<a>.*?)' requires an argument\.?", "{a} skal følges af en værdi."),
    (r"Option '(?P<a>.*?)' does not take a value\.?", "{a} kan ikke følges af en værdi."),
    (r"Got unexpected extra argument(?:s|\(s\))? \((?P<a>.*)\)", "Der er skrevet for meget: {a}."),
    (r"Missing command\.?", "Der mangler en kommando."),
)
_VALUES: Final = (
    (r".*valid integer.*", "skriv et helt tal."),
    (r".*valid number.*", "skriv et tal, med punktum som decimaltegn."),
    (r".*greater than or equal to (?P<a>[\d.-]+).*", "det mindste er {a}."),
    (r".*less than or equal to (?P<a>[\d.-]+).*", "det største er {a}."),
    (r"\w+ '(?P<a>.*)' is a directory\.?", "{a} er en mappe; skriv en fil."),
    (r"\w+ '(?P<a>.*)' is a file\.?", "{a} er en fil; skriv en mappe."),
    (r"\w+ '(?P<a>.*)' does not exist\.?", "{a} findes ikke."),
)


class Group(TyperGroup):
    """A group of commands that says what is wrongly used in one Danish line."""

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,  # noqa: FBT001, FBT002 - the signature is typer's
        windows_expand_args: bool = True,  # noqa: FBT001, FBT002
        **extra: Any,
    ) -> Any:
        """Run a command; arguments as of typer."""
        try:
            code = super().main(
                args,
                prog_name,
                complete_var,
                standalone_mode=False,
                windows_expand_args=windows_expand_args,
                **extra,
            )
        except TyperException as error:
            if not standalone_mode:
                raise
            # That one has shown the help already.
            if type(error).__name__ != "NoArgsIsHelpError":
                typer.echo(sentence(error), err=True)
            sys.exit(error.exit_code)
        if not standalone_mode:
            return code
        sys.exit(code if isinstance(code, int) else 0)


def sentence(error: TyperException) -> str:
    """What is wrong, and which help to read."""
    context = getattr(error, "ctx", None)
    return _wrong(error) + (f" Se: {context.command_path} --help" if context is not None else "")


def refuse(text: str) -> NoReturn:
    """End a command that cannot be used like this.

    Args:
        text: What is wrong and what to do, in Danish.

    Raises:
        typer.Exit: With 2.
    """
    typer.echo(text, err=True)
    raise typer.Exit(2)


def unreadable(error: OSError) -> str:
    """Why a file or folder cannot be read, and what to do; ends a sentence."""
    if isinstance(error, FileNotFoundError):
        return "filen findes ikke; ret stien."
    if isinstance(error, IsADirectoryError):
        return "det er en mappe; angiv filerne i den."
    if isinstance(error, NotADirectoryError):
        return "en del af stien er ikke en mappe; ret stien."
    if isinstance(error, PermissionError):
        return "der er ikke adgang til filen; giv læseadgang."
    return f"{error.strerror or error}."


def _wrong(error: TyperException) -> str:
    kind, parameter = type(error).__name__, getattr(error, "param", None)
    if kind == "NoSuchOption":
        meant = sorted(getattr(error, "possibilities", None) or ())
        known = f" Mente du {' eller '.join(meant)}?" if meant else ""
        return f"Der er intet valg, der hedder {getattr(error, 'option_name', '')}.{known}"
    if kind == "MissingParameter" and parameter is not None:
        return f"{_name(parameter)} mangler. {getattr(parameter, 'help', None) or ''}".rstrip()
    if parameter is not None:
        return f"{_name(parameter)}: {_translated(error.message, _VALUES) or error.message}"
    return _translated(error.message, _MESSAGES) or error.message


def _name(parameter: Any) -> str:
    """``--scope`` for an option, ``NAME`` for an argument."""
    if parameter.param_type_name == "option":
        return str(max(parameter.opts, key=len))
    return str(parameter.name).upper()


def _translated(message: str, patterns: tuple[tuple[str, str], ...]) -> str:
    """The message in Danish; empty where it is not one of those known."""
    for pattern, danish in patterns:
        found = re.fullmatch(pattern, message, re.DOTALL)
        if found is not None:
            given = found.groupdict()
            meant = (given.get("b") or "").replace("'", "").replace(", ", " eller ")
            return danish.format(**given) + (f" Mente du {meant}?" if meant else "")
    return ""
