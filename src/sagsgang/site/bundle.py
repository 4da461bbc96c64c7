# SPDX-License-Identifier: MPL-2.0
"""Names of the bundled static files.

The build gives each file a name with a digest of its content, so that a browser may keep it for
ever; the manifest beside them says which name is the present one.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

import orjson
from django.templatetags.static import static

FOLDER = Path(__file__).resolve().parent / "static" / "bundle"


class BundleMissingError(Exception):
    """The browser part has not been built, or lacks a file: run ``make setup``."""


@lru_cache(maxsize=1)
def manifest() -> Mapping[str, str]:
    """Plain name to the name with a digest.

    Raises:
        BundleMissingError: The browser part has not been built.
    """
    try:
        names: dict[str, str] = orjson.loads((FOLDER / "manifest.json").read_bytes())
    except OSError as error:
        message = "The browser part of Sagsgang has not been built: run 'make setup'."
        raise BundleMissingError(message) from error
    return names


def address(name: str) -> str:
    """Address of a bundled file.

    Args:
        name: Plain name, ``style.css``.

    Raises:
        BundleMissingError: There is no such file in the bundle.
    """
    try:
        return static(f"bundle/{manifest()[name]}")
    except KeyError:
        message = f"The bundle has no {name}: run 'make setup' to build it anew."
        raise BundleMissingError(message) from None
