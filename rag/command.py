"""What a person types to run Footnote: help and messages name the same."""

from __future__ import annotations

import sys
from pathlib import Path

SCRIPT = "footnote"  # as pyproject.toml names it


def command() -> str:
    """Return ``footnote`` in a process that this script began, else ``python -m rag``."""
    typed = Path(sys.argv[0]).name.lower() if sys.argv else ""
    return SCRIPT if typed in {SCRIPT, f"{SCRIPT}.exe"} else "python -m rag"
