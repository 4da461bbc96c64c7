# SPDX-License-Identifier: MPL-2.0
"""The Django project: settings, addresses, ASGI."""
