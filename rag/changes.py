"""What a sync did to an index, and how far it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

NO_ARTICLES = "There are no articles in the index."  # their folder has none that can be read
Progress = Callable[[int, int], None]  # files (or passages) done, in all


def silent(_done: int, _all: int) -> None:
    """Show no progress."""


@dataclass(frozen=True, slots=True)
class Changes:
    """What ``sync`` did, as paths relative to the articles folder."""

    added: tuple[str, ...] = ()
    edited: tuple[str, ...] = ()
    renamed: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    unchanged: int = 0
    skipped: tuple[tuple[str, str], ...] = ()  # path, reason
    repaired: tuple[str, ...] = ()  # read again, since their rows were damaged
    rebuilt: str | None = None  # why everything, or the search files alone, was made anew

    def __str__(self) -> str:
        counts = [
            f"{len(paths)} {name}"
            for name in ("added", "edited", "renamed", "removed", "repaired", "skipped")
            if (paths := getattr(self, name))
        ]
        return ", ".join([*counts, f"{self.unchanged} unchanged"])

    def left(self) -> int:
        """Return how many articles the index has now."""
        read = self.added + self.edited + self.renamed + self.repaired
        return self.unchanged + len(read)

    def any(self) -> bool:
        """Return whether there is something to write."""
        of_articles = self.added + self.edited + self.renamed + self.removed + self.repaired
        return bool(of_articles or self.rebuilt)
