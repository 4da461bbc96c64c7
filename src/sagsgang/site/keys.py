# SPDX-License-Identifier: MPL-2.0
"""The keys of an installation: session signing, encryption of CPR numbers, their blind index."""

from __future__ import annotations

import json
import os
import secrets
from dataclasses import dataclass
from pathlib import Path


class KeysMissingError(Exception):
    """The installation has no keys and may not make them by itself."""


@dataclass(frozen=True, slots=True, repr=False)
class Keys:
    """Secret keys; never shown.

    Attributes:
        session: Signs sessions and links.
        identifiers: 32 bytes in hex, encrypts CPR numbers.
        index: 32 bytes in hex, keys the blind index by which a CPR number is found.
    """

    session: str
    identifiers: str
    index: str


def load(path: Path, *, create: bool) -> Keys:
    """Read the keys, or make them on first use where that is allowed.

    Args:
        path: A JSON file that only its owner may read.
        create: Whether to make the file if it is missing.

    Raises:
        KeysMissingError: The file is missing and ``create`` is false, or it is damaged.
    """
    try:
        return Keys(**json.loads(path.read_text()))
    except FileNotFoundError:
        if not create:
            message = (
                f"Nøglefilen {path} mangler. Læg den tilbage fra din sikkerhedskopi, "
                "eller kør 'sagsgang keys' til en ny installation."
            )
            raise KeysMissingError(message) from None
    except (TypeError, ValueError) as error:
        message = f"Nøglefilen {path} er beskadiget. Læg den tilbage fra din sikkerhedskopi."
        raise KeysMissingError(message) from error
    made = {name: secrets.token_hex(32) for name in ("session", "identifiers", "index")}
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(made, file)
        file.flush()
        os.fsync(file.fileno())
    try:
        # A link fails where the file has come meanwhile: two processes that start together agree.
        os.link(temporary, path)
    except FileExistsError:
        return load(path, create=False)
    finally:
        temporary.unlink()
    return Keys(**made)
