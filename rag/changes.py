"""What a sync did to an index."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Changes:
    """What ``sync`` did, as paths relative to the articles folder."""

    added: tuple[str, ...] = ()
    edited: tuple[str, ...] = ()
    renamed: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    unchanged: int = 0
    skipped: tuple[tuple[str, str], ...] = ()  # path, reason
    rebuilt: str | None = None  # why everything, or the search files alone, was made anew

    def __str__(self) -> str:
        counts = [
            f"{len(paths)} {name}"
            for name in ("added", "edited", "renamed", "removed", "skipped")
            if (paths := getattr(self, name))
        ]
        return ", ".join([*counts, f"{self.unchanged} unchanged"])
