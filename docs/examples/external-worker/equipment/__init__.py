# SPDX-License-Identifier: MPL-2.0
"""Equipment (udstyr): a solution whose work is done by a robot outside; see docs/api.md."""
