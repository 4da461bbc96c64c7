# SPDX-License-Identifier: MPL-2.0
"""The organisation: units, people, employments, roles and who stands in for whom.

* :mod:`sagsgang.organisation.models` are the tables, with querysets that authorise in SQL.
* :mod:`sagsgang.organisation.zlpe` imports the payroll system's nightly extract.
* :mod:`sagsgang.organisation.terms` keeps the dated pay terms of employments.
* :mod:`sagsgang.organisation.lookups` answers the questions of the services: manager, approver,
  employment on a date.
"""
