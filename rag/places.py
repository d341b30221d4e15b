"""Where indexes lie by default: in the repository that this runs from, else with the user's data.

Neither depends on the folder that a command is typed in.
"""

from __future__ import annotations

from pathlib import Path

import platformdirs

INDEXES = "embeddings"


def repository() -> Path | None:
    """Return the repository that this package lies in, as it does when it is installed editable."""
    root = Path(__file__).resolve().parents[1]
    ours = (root / "pyproject.toml").is_file() and (root / INDEXES / "README.md").is_file()
    return root if ours else None


def indexes_dir() -> Path:
    """Return the folder of all indexes, ``embeddings`` in the repository or the user's data."""
    root = repository()
    if root is None:
        return platformdirs.user_data_path("footnote", appauthor=False) / INDEXES
    return Path(INDEXES) if root == Path.cwd() else root / INDEXES
