# SPDX-License-Identifier: MPL-2.0
"""Django's backend for SQLite, for several writers: ``ENGINE = "sagsgang.sqlite"``.

SQLite lets one writer at a time into a file. How many get their turn is decided by how long each
keeps the others out, and by how soon the next one comes in. Here a write transaction waits for the
disk after it has let the next one in, and who waits looks every fraction of a millisecond.
"""
