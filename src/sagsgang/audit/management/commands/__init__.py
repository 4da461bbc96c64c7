# SPDX-License-Identifier: MPL-2.0
"""Management commands of the audit trail."""
