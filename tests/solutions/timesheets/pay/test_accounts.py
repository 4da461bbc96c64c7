# SPDX-License-Identifier: MPL-2.0
"""Account strings of pay lines."""

from __future__ import annotations

import pytest

from sagsgang.solutions.timesheets.pay import AccountError, LineKind, account_string


@pytest.mark.parametrize(
    ("cost_object", "accounts", "expected"),
    [
        ("345300000000", None, "345300000000"),
        ("345300000000", {"base": "40000000"}, "345300000000/40000000"),
        ("345300000000", {"": "40000001"}, "345300000000/40000001"),
        ("345300000000", {"overtime": "40000000"}, "345300000000"),
        ("XG-0000001234-00001", {"base": "40000000"}, "XG-0000001234-00001/40000000"),
        ("", {"base": "40000000"}, ""),
    ],
)
def test_the_account_is_the_cost_object_and_the_kind(cost_object, accounts, expected):
    assert account_string(cost_object, LineKind.BASE, accounts) == expected


@pytest.mark.parametrize(
    ("cost_object", "accounts"), [("3453", None), ("345300000000", {"base": "4000"})]
)
def test_an_account_that_payroll_cannot_take_is_refused(cost_object, accounts):
    with pytest.raises(AccountError):
        account_string(cost_object, LineKind.BASE, accounts)
