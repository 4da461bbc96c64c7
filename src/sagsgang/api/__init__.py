# SPDX-License-Identifier: MPL-2.0
"""The HTTP API (``/api/v1/``): other programs take jobs, order, send messages, operate.

Every operation calls the function that the pages and the commands call, so a rule that holds for
one holds for all. Who may do what is a property of the key (:mod:`sagsgang.api.keys`); a session
of a browser opens nothing here.
"""
