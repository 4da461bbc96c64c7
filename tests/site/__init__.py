# SPDX-License-Identifier: MPL-2.0
# ruff: noqa: A005 - named after the package it tests
"""Tests of the installation: its commands and its set-up."""
