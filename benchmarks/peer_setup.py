# SPDX-License-Identifier: MPL-2.0
"""Installs what the engine is measured beside, at the first run; apart from the product."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PYTHON = ROOT / ".venv-bench" / "bin" / "python"


def python_peers(requirements: str, module: str) -> Path | None:
    """The Python that has the peers of a requirements file; None where they cannot be had.

    Args:
        requirements: Name of the file in ``requirements``.
        module: One of them, to see whether they are there.
    """
    uv = shutil.which("uv", path=str(Path(sys.executable).parent)) or shutil.which("uv")
    if not PYTHON.exists() and uv is not None:
        _run([uv, "venv", "-q", "--python", sys.executable, str(PYTHON.parent.parent)])
    if not PYTHON.exists():
        return None
    if not _has(module) and uv is not None:
        install = [uv, "pip", "install", "-q", "--python", str(PYTHON), "--require-hashes"]
        _run([*install, "-r", str(ROOT / "requirements" / requirements)])
    return PYTHON if _has(module) else None


def node_peers(folder: Path) -> bool:
    """Whether the packages that a folder locks are there, after trying to install them."""
    npm = shutil.which("npm")
    if npm is not None and not (folder / "node_modules").is_dir():
        _run([npm, "ci", "--no-audit", "--no-fund", "--silent"], folder)
    return shutil.which("node") is not None and (folder / "node_modules").is_dir()


def _has(module: str) -> bool:
    return _run([str(PYTHON), "-c", f"import {module}"])


def _run(command: list[str], folder: Path = ROOT) -> bool:
    return subprocess.run(command, cwd=folder, check=False, capture_output=True).returncode == 0
