# SPDX-License-Identifier: MPL-2.0
"""Write every broken model, and the valid one it comes from, as files."""

import sys
from pathlib import Path

from tests.bpmn.broken import cases

if __name__ == "__main__":
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for number, each in enumerate(cases(), start=1):
        (folder / f"{number:03} {each.name}.bpmn").write_bytes(each.broken)
        (folder / f"{number:03} {each.name} (valid).bpmn").write_bytes(each.valid)
