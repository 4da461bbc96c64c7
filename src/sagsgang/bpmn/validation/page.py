# SPDX-License-Identifier: MPL-2.0
"""The page of the guide that lists the rules: ``python -m sagsgang.bpmn.validation.page``."""

from __future__ import annotations

import sys
from itertools import groupby

from sagsgang.bpmn.validation._rules import Rule, Severity, rules

__all__ = ["page"]

_HEAD = """\
# Regler for BPMN-modeller

`sagsgang bpmn check FIL...` holder hver model op mod disse {count} regler og viser for hvert brud
linjen, elementets id, reglen og en sætning om, hvad der er galt, og hvad der hjælper. Med `--json`
er der ét objekt pr. linje. Kommandoen slutter med 1, når standarden er brudt, ellers med 0.

- **fejl**: modellen bryder standarden. Det, standarden kun kræver af en eksekverbar proces, kræves
  kun, når processen har `isExecutable="true"`, eller når modellen frigives.
- **udførelse**: modellen er lovlig, men kan ikke udføres, som den er; en frigivelse afvises.
  `check` viser det som en bemærkning.
- **råd**: lovligt, men næppe det, der er ment. `check` viser det som en bemærkning.
- **fejl (råd)**: brud, som modelleringsværktøjer begår til daglig, og som ingen tager fejl af. I
  en fil, som et værktøj har sat sit navn på (`exporter` eller egne udvidelser), og ved en
  frigivelse er det kun et råd.

Andres udvidelser (elementer i `extensionElements` og attributter med eget præfiks) er altid
tilladt; de gemmes og udføres ikke. Henvisninger ud af filen følges, når den anden fil ligger ved
siden af: i BPMN-filer til elementer, i XML Schema og WSDL til typer, tjenester og operationer.
En importeret BPMN-fil holdes selv op mod reglerne. Et diagram må være ufuldstændigt.

"Kilde" er afsnittet i BPMN 2.0.2 (OMG formal/2013-12-09); "skema" er standardens XML Schema.

*Siden er skrevet af `python -m sagsgang.bpmn.validation.page` ud fra `rules.toml`.*
"""

_NAMES = {
    Severity.VIOLATION: "fejl",
    Severity.EXECUTION: "udførelse",
    Severity.ADVICE: "råd",
}


def page() -> str:
    """The page as Markdown."""
    parts = [_HEAD.format(count=len(rules()))]
    for chapter, group in groupby(rules().values(), key=lambda each: each.chapter):
        parts.append(f"\n## {chapter}\n\n| Regel | Sådan er det rigtigt | Kilde | Brud er |\n")
        parts.append("|---|---|---|---|\n")
        parts += [
            f"| `{each.id}` | {each.text} | {each.clause} | {_grave(each)} |\n" for each in group
        ]
    return "".join(parts)


def _grave(rule: Rule) -> str:
    signed = f" ({_NAMES[rule.signed]})" if rule.signed is not None else ""
    return _NAMES[rule.severity] + signed


if __name__ == "__main__":
    sys.stdout.write(page())
