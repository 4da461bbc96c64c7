# SPDX-License-Identifier: MPL-2.0
"""Cases (sager): what is ordered, who it is about, where it stands, and what a person must do."""
