# SPDX-License-Identifier: MPL-2.0
"""Tags and filters of every template: bundled files, icons, Danish money and dates."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from django import template
from django.template.context import RequestContext
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from sagsgang import danish
from sagsgang.audit.identifiers import scrub
from sagsgang.site import bundle as bundles

register = template.Library()

_MONTHS = (
    "jan.",
    "feb.",
    "marts",
    "april",
    "maj",
    "juni",
    "juli",
    "aug.",
    "sep.",
    "okt.",
    "nov.",
    "dec.",
)
_PLAIN_NUMBER = re.compile(r"-?\d+(\.\d+)?")
_ISO_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_WEEKDAYS = ("man.", "tirs.", "ons.", "tors.", "fre.", "lør.", "søn.")


@register.simple_tag
def bundle(name: str) -> str:
    """Address of a bundled file, ``style.css``."""
    return bundles.address(name)


@register.simple_tag
def icon(name: str, label: str = "", css: str = "") -> SafeString:
    """An icon of Det Fælles Designsystem.

    Args:
        name: Its name in the icon sheet, ``check``.
        label: What it says to a screen reader; empty where the text beside it says the same.
        css: Further classes.
    """
    address = f"{bundles.address('icons.svg')}#{name}"
    if label:
        return format_html(
            '<svg class="icon-svg {}" focusable="false" role="img" aria-label="{}">'
            '<use href="{}"></use></svg>',
            css,
            label,
            address,
        )
    return format_html(
        '<svg class="icon-svg {}" focusable="false" aria-hidden="true"><use href="{}"></use></svg>',
        css,
        address,
    )


@register.simple_tag(takes_context=True)
def with_query(context: RequestContext, **changes: Any) -> str:
    """The query of this address with some values changed; an empty value takes one away."""
    query = context["request"].GET.copy()
    for name, value in changes.items():
        if value in {None, ""}:
            query.pop(name, None)
        else:
            query[name] = value
    return f"?{query.urlencode()}"


@register.filter
def entry(mapping: Any, key: Any) -> Any:
    """The value at ``key``, or an empty text."""
    return mapping.get(key, "") if isinstance(mapping, Mapping) else ""


@register.filter
def kroner(value: Any) -> str:
    """An amount as Danes write it: ``1.234,50 kr.``"""
    try:
        return danish.kroner(Decimal(str(value)))
    except InvalidOperation:
        return str(value)


@register.filter
def number(value: Any) -> str:
    """A number with decimal comma and no needless zeros."""
    try:
        return danish.number(Decimal(str(value)))
    except InvalidOperation:
        return str(value)


@register.filter
def day(value: Any) -> str:
    """A date as ``fre. 3. okt. 2026``; texts in ISO form are understood."""
    found = _date(value)
    if found is None:
        return str(value or "")
    return f"{_WEEKDAYS[found.weekday()]} {found.day}. {_MONTHS[found.month - 1]} {found.year}"


@register.filter
def short_day(value: Any) -> str:
    """A date as ``3. okt. 2026``."""
    found = _date(value)
    return f"{found.day}. {_MONTHS[found.month - 1]} {found.year}" if found else str(value or "")


@register.filter
def moment(value: Any) -> str:
    """An instant as ``3. okt. 2026 kl. 14.05`` in Danish time."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            return str(value)
    if not isinstance(value, datetime):
        return ""
    local = timezone.localtime(value) if timezone.is_aware(value) else value
    return f"{short_day(local.date())} kl. {local:%H.%M}"


def _date(value: Any) -> date | None:
    if isinstance(value, datetime):
        return timezone.localtime(value).date() if timezone.is_aware(value) else value.date()
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(str(value)[:10])
    except ValueError:
        return None


@register.filter
def no_cpr(value: Any) -> str:
    """A text in which everything that looks like a CPR number is masked."""
    return scrub(str(value))


_MONEY_LABELS = ("beløb", "kroner", "udbetaling")


@register.filter
def shown(value: Any, label: str = "") -> str:
    """A value of a case's summary as people read it; the label says when it is money."""
    if isinstance(value, bool):
        return "Ja" if value else "Nej"
    if isinstance(value, str) and not _PLAIN_NUMBER.fullmatch(value):
        return str(day(value)) if _ISO_DATE.fullmatch(value) else value
    if isinstance(value, int | float | Decimal | str):
        if any(word in label.lower() for word in _MONEY_LABELS):
            return kroner(value)
        # A number that is a name, such as an employment number, is not to be punctuated.
        return number(value) if not str(value).isdecimal() else str(value)
    if isinstance(value, list):
        return ", ".join(shown(item) for item in value)
    return str(value)


@register.filter
def as_list(value: Any) -> SafeString:
    """Any data as nested lists, for a case whose solution brings no page of its own."""
    if isinstance(value, Mapping):
        items = format_html_join(
            "",
            '<div class="summary-line"><dt>{}</dt><dd>{}</dd></div>',
            ((key, as_list(inner)) for key, inner in value.items()),
        )
        return format_html('<dl class="summary">{}</dl>', items)
    if isinstance(value, list):
        return format_html(
            "<ol>{}</ol>", format_html_join("", "<li>{}</li>", ((as_list(item),) for item in value))
        )
    return format_html("{}", "" if value is None else shown(value))
