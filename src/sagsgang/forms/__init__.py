# SPDX-License-Identifier: MPL-2.0
"""Forms (formularer): form-js schemas shown on the server, filled in, and checked.

::

    form = forms.parse(schema)
    filled = forms.read(form, dict(request.POST.lists()))
    if filled.good:
        place(filled.data)

A form works without JavaScript: rows are added and removed by buttons that send the form back.
Templates show it with ``{% load forms %}{% show_form filled %}``.
"""

from sagsgang.forms.errors import FormError, FormSchemaError
from sagsgang.forms.filling import ACTION, Filled, blank, check, read
from sagsgang.forms.schema import Form, parse
from sagsgang.forms.showing import Fault, Line, Shown, fault_list, show, summary

__all__ = [
    "ACTION",
    "Fault",
    "Filled",
    "Form",
    "FormError",
    "FormSchemaError",
    "Line",
    "Shown",
    "blank",
    "check",
    "fault_list",
    "parse",
    "read",
    "show",
    "summary",
]
