# SPDX-License-Identifier: MPL-2.0
"""``{% load forms %}``: show a form, its list of faults, its summary."""

from __future__ import annotations

import re
from typing import Any

from django import template
from django.utils.html import escape, format_html
from django.utils.safestring import SafeString, mark_safe

from sagsgang.forms import showing
from sagsgang.forms.filling import Filled
from sagsgang.forms.showing import Shown

register = template.Library()

_BOLD = re.compile(r"\*\*(.+?)\*\*")
_ITALIC = re.compile(r"(?<![\w*])[*_](?!\s)(.+?)(?<!\s)[*_](?![\w*])")
_LINK = re.compile(r"\[([^\]]+)\]\((/[^)\s]*|https://[^)\s]+)\)")


@register.inclusion_tag("forms/form.html")
def show_form(filled: Filled, action: str = "") -> dict[str, Any]:
    """The fields of a form; the ``<form>`` and its buttons belong to the page.

    Args:
        filled: The form with what is filled in.
        action: Where the form is sent; with it, rows come and go without the page being loaded
            anew.
    """
    return {"lines": showing.show(filled), "reacts": filled.form.reacts, "action": action}


@register.inclusion_tag("forms/fault_list.html")
def show_faults(filled: Filled) -> dict[str, Any]:
    """The list of faults on top of a page; takes the focus when it is there."""
    return {"faults": showing.fault_list(filled)}


@register.inclusion_tag("forms/summary.html")
def show_summary(filled: Filled) -> dict[str, Any]:
    """The answers in words."""
    return {"lines": showing.summary(filled)}


@register.simple_tag
def field_template(shown: Shown) -> str:
    """The template that shows a component."""
    return f"forms/{shown.kind}.html"


@register.filter
def markdown(text: str) -> SafeString:
    """The little Markdown that forms may use: headings, paragraphs, lists, bold, italic, links."""
    blocks = [_block(block) for block in re.split(r"\n\s*\n", str(text).strip()) if block.strip()]
    return mark_safe("\n".join(blocks))  # noqa: S308 - every text in it has been escaped


def _block(block: str) -> str:
    lines = block.strip().splitlines()
    if all(line.lstrip().startswith(("- ", "* ")) for line in lines):
        items = "".join(f"<li>{_inline(line.lstrip()[2:])}</li>" for line in lines)
        return f"<ul>{items}</ul>"
    heading = re.fullmatch(r"(#{1,4}) +(.+)", lines[0])
    if heading and len(lines) == 1:
        # The page has the first level; a form's headings come below it.
        level = min(len(heading[1]) + 1, 4)
        return f"<h{level}>{_inline(heading[2])}</h{level}>"
    return f"<p>{'<br>'.join(_inline(line) for line in lines)}</p>"


def _inline(text: str) -> str:
    safe = str(escape(text))
    safe = _LINK.sub(lambda found: f'<a href="{found[2]}">{found[1]}</a>', safe)
    return _ITALIC.sub(r"<em>\1</em>", _BOLD.sub(r"<strong>\1</strong>", safe))


@register.simple_tag
def explained(shown: Shown) -> SafeString:
    """Attributes that tie an input to its hint and its faults."""
    described = shown.described_by
    attributes = format_html(' aria-describedby="{}"', described) if described else SafeString("")
    if shown.faults:
        attributes = format_html('{} aria-invalid="true"', attributes)
    if shown.readonly:
        attributes = format_html("{} readonly", attributes)
    return attributes
