# SPDX-License-Identifier: MPL-2.0
"""Pages of the portal. They hold no rules: what may be done is decided in :mod:`sagsgang.cases`."""
