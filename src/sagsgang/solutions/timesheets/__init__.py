# SPDX-License-Identifier: MPL-2.0
"""The service time sheets (timesedler), K2."""
