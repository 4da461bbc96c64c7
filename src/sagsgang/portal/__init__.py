# SPDX-License-Identifier: MPL-2.0
"""The portal: where orders are placed, followed, and approved."""
