# SPDX-License-Identifier: MPL-2.0
"""Pay calculation (beregningsmotor): time sheets and terms in, explained pay lines out (K2).

    rulebook = standard_rulebook()
    calculation = calculate(sheet, terms, rulebook)
    calculation.total, calculation.lines[0].sentence, calculation.reasons

Pure Python: no clock, no database, no network. Agreements are data in TOML files.
"""

from sagsgang.solutions.timesheets.pay.accounts import account_string
from sagsgang.solutions.timesheets.pay.agreements import (
    Agreement,
    Entry,
    Place,
    Status,
    read_agreement,
    read_local,
)
from sagsgang.solutions.timesheets.pay.calculate import calculate
from sagsgang.solutions.timesheets.pay.conditions import monthly_pay_due
from sagsgang.solutions.timesheets.pay.days import norm_reduction_hours, public_holidays
from sagsgang.solutions.timesheets.pay.difference import difference
from sagsgang.solutions.timesheets.pay.errors import (
    AccountError,
    AgreementFileError,
    InvalidDutyError,
    PayError,
    UnknownAgreementError,
)
from sagsgang.solutions.timesheets.pay.results import (
    Basis,
    Calculation,
    LineKind,
    PayLine,
    Reason,
    ReasonCode,
)
from sagsgang.solutions.timesheets.pay.rules import Rulebook, standard_rulebook
from sagsgang.solutions.timesheets.pay.values import (
    COPENHAGEN,
    Break,
    Duty,
    DutyKind,
    HolidayClaim,
    MunicipalityGroup,
    Terms,
    TimeSheet,
    Work,
    hourly_rate,
)

__all__ = [
    "COPENHAGEN",
    "AccountError",
    "Agreement",
    "AgreementFileError",
    "Basis",
    "Break",
    "Calculation",
    "Duty",
    "DutyKind",
    "Entry",
    "HolidayClaim",
    "InvalidDutyError",
    "LineKind",
    "MunicipalityGroup",
    "PayError",
    "PayLine",
    "Place",
    "Reason",
    "ReasonCode",
    "Rulebook",
    "Status",
    "Terms",
    "TimeSheet",
    "UnknownAgreementError",
    "Work",
    "account_string",
    "calculate",
    "difference",
    "hourly_rate",
    "monthly_pay_due",
    "norm_reduction_hours",
    "public_holidays",
    "read_agreement",
    "read_local",
    "standard_rulebook",
]
