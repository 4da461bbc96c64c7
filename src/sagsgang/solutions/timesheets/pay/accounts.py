# SPDX-License-Identifier: MPL-2.0
"""Account strings (kontering) of pay lines."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from sagsgang.solutions.timesheets.pay.errors import AccountError
from sagsgang.solutions.timesheets.pay.results import LineKind

__all__ = ["account_string"]

_COST_OBJECT: Final = re.compile(r"[0-9]{12}|X[A-Z]-[0-9]{10}-[0-9]{5}")
_TYPE_ACCOUNT: Final = re.compile(r"[0-9]{8}")


def account_string(
    cost_object: str, kind: LineKind, type_accounts: Mapping[str, str] | None = None
) -> str:
    """Return the account string that a pay line is posted on.

    Args:
        cost_object: The unit's cost centre (omkostningssted, 12 digits) or PSP element
            (``XG-0000001234-00001``); empty for the employment's own account.
        kind: What the line is for.
        type_accounts: Type account (artskonto, 8 digits) by kind of line, set at onboarding; the
            key ``""`` holds for kinds that are not named. Default: none, payroll's own.

    Returns:
        ``345300000000`` or ``345300000000/40000000``; empty for the employment's own account.

    Raises:
        AccountError: The cost object or the type account is not written as payroll wants it.
    """
    if not cost_object:
        return ""
    if not _COST_OBJECT.fullmatch(cost_object):
        raise AccountError(
            f'"{cost_object}" is neither a cost centre of 12 digits nor a PSP element: '
            "correct the unit."
        )
    accounts = type_accounts or {}
    type_account = accounts.get(kind.value, accounts.get("", ""))
    if not type_account:
        return cost_object
    if not _TYPE_ACCOUNT.fullmatch(type_account):
        raise AccountError(
            f'The type account of "{kind.value}" must have 8 digits: correct the settings.'
        )
    return f"{cost_object}/{type_account}"
