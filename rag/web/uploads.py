"""What a browser has sent of the files and folders that were dropped or chosen on the page.

Everything is untrusted: where a file lies, its names, and the numbers. Names of folders are kept,
as far as ingest/uploads.py finds them safe to use.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from rag import texts
from rag.web.local_files import AT_ONCE, LONGEST, others_left_out

LARGEST = 10**6  # files that a browser can say it has left out
SHORT = 100  # characters of a suffix or a name in a sentence


@dataclass(frozen=True, slots=True)
class SentFile:
    """A file that has arrived."""

    name: str
    folder: str  # names of folders with slashes, from the one that was dropped; "" for none
    place: Path


@dataclass(frozen=True, slots=True)
class Drop:
    """The files of one drop, and what the browser has left out of it."""

    files: tuple[SentFile, ...]
    others: str = ""  # a sentence about the files of other formats
    left: int = 0  # files that were too many
    first_left: str = ""  # the first of them, in order

    @classmethod
    def of(cls, sent: object, uploaded: Path) -> Self:
        """Return what has arrived in the folder ``uploaded``."""
        said: Mapping[Any, Any] = sent if isinstance(sent, dict) else {}
        listed = said.get("files")
        rows = [row for row in listed if isinstance(row, dict)] if isinstance(listed, list) else []
        root = Path(os.path.realpath(uploaded))
        files = tuple(file for row in rows[:AT_ONCE] if (file := _file(row, root)))
        others = said.get("others")
        counted = others if isinstance(others, dict) else {}
        suffixes = Counter({str(k)[:SHORT]: _number(v) for k, v in [*counted.items()][:SHORT]})
        first = str(said.get("first") or "")
        return cls(
            files,
            others_left_out(+suffixes),
            _number(said.get("left")) + len(rows[AT_ONCE:]),
            first if len(first) <= SHORT else f"…{first[-SHORT:]}",
        )

    def too_many(self, kept: int) -> str:
        """Return the sentence that says so, when ``kept`` files were added; "" if they were not."""
        if not self.left:
            return ""
        begins = texts.LEFT_FROM.format(self.first_left) if self.first_left else ""
        return texts.TOO_MANY_DROPPED.format(
            kept, len(self.files) + self.left, self.left, begins, AT_ONCE
        )


def _file(row: Mapping[Any, Any], root: Path) -> SentFile | None:
    """Return a file that lies where the browser's files arrive, and nowhere else."""
    path, name, folder = (str(row.get(key) or "") for key in ("path", "name", "folder"))
    if "\0" in path:
        return None
    place = Path(os.path.realpath(path))
    if not place.is_relative_to(root) or not place.is_file():
        return None
    return SentFile(name, folder[:LONGEST], place)


def _number(said: object) -> int:
    return min(max(said, 0), LARGEST) if isinstance(said, int) else 0
