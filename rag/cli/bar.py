"""A progress bar on stderr, if that is a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tqdm import tqdm

from rag.types import Progress


@contextmanager
def bar(title: str) -> Iterator[Progress]:
    """Yield what moves the bar; it appears with the first call."""
    shown: Any = None

    def progress(done: int, total: int) -> None:
        nonlocal shown
        if shown is None:
            shown = tqdm(desc=title, total=total, initial=done, disable=None, leave=False)
        shown.update(done - shown.n)

    try:
        yield progress
    finally:
        if shown is not None:
            shown.close()
