# SPDX-License-Identifier: MPL-2.0
"""Expressions of other tools in FEEL's spelling.

Conditions come in the unified expression language (``${x == 'a' && !done}``), Java, JavaScript,
Groovy and the standard's own XPath. A simple comparison says the same in all of them. Only
spellings that are never FEEL are changed, so nothing that is FEEL gets another meaning; what has
no counterpart (method calls, ``empty``) is left, and then refused as not FEEL.
"""

from __future__ import annotations

import re

__all__ = ["is_foreign", "respell"]

_STRING = r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\""
# The standard's functions for XPath (table 8.2) and what engines have made of them.
_GETTER = re.compile(
    r"(?:[\w$]+[:.])*get(?:DataObject|DataInput|DataOutput|ProcessProperty|ActivityProperty|Variable)"
    r"(?:Property)?\(\s*(['\"])(\w+)\1\s*(?:,\s*(['\"])\w+\3\s*)?\)((?:/\w+)*)"
)
_CONSTANT = r"\b(?:true|false)\s*\(\s*\)|\b(?:True|False|None)\b"
_STORE = r"(?:this\.)?environment\.(?:variables|output)\."
_FOREIGN = re.compile(
    rf"{_STRING}|(===?|!==|&&|\|\||!(?!=)|;\s*$|^\s*return\b|\$\w|\.equals\s*\(|<>"
    rf"|{_CONSTANT}|{_STORE})"
)
_SIGNS = re.compile(
    rf"(?P<string>{_STRING})|(?P<constant>{_CONSTANT})|{_STORE}"
    r"|===?|!==?|&&|\|\||!|<>|\$(?=\w)|\.equals\s*(?=\()|[^\W\d]\w*"
)
_SPELLING = {
    "==": "=",
    "===": "=",
    "!==": "!=",
    "<>": "!=",
    "&&": " and ",
    "||": " or ",
    "$": "",
}
_CONSTANTS = {"True": "true", "False": "false", "None": "null"}
_WORDS = {"eq": "=", "ne": "!=", "lt": "<", "gt": ">", "le": "<=", "ge": ">=", "div": "/"}
_PART = rf"((?:{_STRING}|[^?:\"'])+)"
_CHOICE = re.compile(rf"{_PART}\?{_PART}:{_PART}")
_OPERAND = re.compile(rf"\s*(?:empty\s+)?(?:(?:{_STRING}|[\w.$]+)\s*)?")


def is_foreign(text: str) -> bool:
    """Whether a text holds a spelling that is never FEEL."""
    signs = _FOREIGN.finditer(text)
    return _GETTER.search(text) is not None or any(
        found[1] is not None or found[0].startswith("'") for found in signs
    )


def respell(text: str, *, words: bool = False) -> str:
    """The text in FEEL's spelling.

    Args:
        text: The expression, without the braces around it.
        words: It is of the unified expression language, where ``eq`` and ``div`` are operators
            and not names.
    """
    text = re.sub(r"^\s*return\b|;\s*$", "", text)
    text = _GETTER.sub(lambda found: found[2] + found[4].replace("/", "."), text)
    choice = _CHOICE.fullmatch(text)
    if choice is not None:
        one, this, that = (_signs(each, words=words).strip() for each in choice.groups())
        return f"if {one} then {this} else {that}"
    return _signs(text, words=words).strip()


def _signs(text: str, *, words: bool) -> str:
    done: list[str] = []
    at = 0
    while found := _SIGNS.search(text, at):
        done.append(text[at : found.start()])
        sign, at = found[0], found.end()
        if found["string"]:
            inside = sign[1:-1]
            if sign[0] == "'":
                inside = inside.replace("\\'", "'").replace('"', '\\"')
            done.append(f'"{inside}"')
        elif found["constant"]:
            done.append(_CONSTANTS.get(sign, sign.partition("(")[0].strip()))
        elif sign == "!" or (words and sign == "not" and not text[at:].lstrip().startswith("(")):
            end = _operand_end(text, at)
            done.append(f"not({_signs(text[at:end], words=words).strip()})")
            at = end
        elif words and sign == "empty":
            end = _operand_end(text, at)
            what = _signs(text[at:end], words=words).strip()
            done.append(f'({what} = null or string({what}) = "" or string({what}) = "[]")')
            at = end
        elif sign.startswith(".equals"):
            done.append(" = ")
        elif words and sign in _WORDS:
            done.append(_WORDS[sign])
        else:
            done.append("" if sign.endswith(".") else _SPELLING.get(sign, sign))
    return "".join([*done, text[at:]])


def _operand_end(text: str, at: int) -> int:
    """Where the operand of a ``!`` ends: a name or text, and what stands in brackets after it."""
    found = _OPERAND.match(text, at)
    at = found.end() if found is not None else at
    if not text.startswith("(", at):
        return len(text[:at].rstrip())
    depth = 0
    for each in re.finditer(rf"{_STRING}|[()]", text[at:]):
        depth += (each[0] == "(") - (each[0] == ")")
        if depth == 0:
            return at + each.end()
    return len(text)
