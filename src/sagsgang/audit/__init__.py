# SPDX-License-Identifier: MPL-2.0
"""The audit trail (revisionsspor): who did what, who looked at whom, unbroken and provable.

* :mod:`sagsgang.audit.trail` writes entries: :func:`~sagsgang.audit.trail.record` and its kin.
* :mod:`sagsgang.audit.chain` seals entries into a hash chain and verifies it.
* :mod:`sagsgang.audit.identifiers` encrypts, finds and masks CPR numbers and keeps them out of
  logs.
"""
