"""sha256 of model files, cheap when repeated.

A *stamp* (JSON: size, mtime and sha256 of each file, inside a folder or beside a file) spares the
seconds that hashing a gigabyte takes: only what has another size or mtime is hashed again. The
price: a change that keeps both (a failing disk, somebody's intent) is found only by ``rehash``.
A stamp is only a memory: deleting it is harmless, and where none can be written there is none.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rag.errors import ModelError

_STAMP = ".sha256.json"


def sha256_of(path: Path) -> str:
    """Hex sha256 of a file, read in constant memory."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def is_intact(path: Path, sha256: str) -> bool:
    """Whether a file is there and has this content."""
    try:
        return sha256_of(path) == sha256
    except OSError:
        return False


def hashes_of(path: Path, names: Sequence[str], *, rehash: bool = False) -> dict[str, str]:
    """sha256 of those of the named files of a model (its folder, or its one file) that exist.

    ``rehash`` does not believe the stamp. Raises ``OSError`` if a file cannot be read.
    """
    stamp = {} if rehash else read_json(stamp_of(path))
    entries = {}
    for name in names:
        file = path / name if path.is_dir() else path
        if file.is_file():
            entries[name] = _entry(file, stamp.get(name))
    if any(stamp.get(name) != entry for name, entry in entries.items()):
        _write_stamp(stamp_of(path), {**stamp, **entries})
    return {name: entry["sha256"] for name, entry in entries.items()}


def _entry(file: Path, known: Any) -> dict[str, Any]:
    """What the stamp says of one file, hashed only if ``known`` does not fit it."""
    facts = file.stat()  # before hashing: a change meanwhile then shows the next time
    entry: dict[str, Any] = {"size": facts.st_size, "mtime_ns": facts.st_mtime_ns}
    if isinstance(known, dict) and known == {**entry, "sha256": known.get("sha256")}:
        return known
    return {**entry, "sha256": sha256_of(file)}


def fingerprint(path: Path) -> str:
    """Hex sha256 of a model's weights: of its one file, or of the list of its files' hashes.

    A folder's weights are its ``*.safetensors``, else its ``*.gguf``, else its ``*.bin``.
    Raises ``ModelError`` if there are no weights at ``path``, or they cannot be read.
    """
    try:
        found = hashes_of(path, weights(path))
    except OSError as error:
        raise ModelError(f"The model at {path} cannot be read: {error.strerror}.") from error
    if not found:
        raise ModelError(f"No model weights (.safetensors, .gguf or .bin) at {path}.")
    if len(found) == 1:
        return next(iter(found.values()))
    listing = "".join(f"{name} {sha256}\n" for name, sha256 in found.items())
    return hashlib.sha256(listing.encode()).hexdigest()


def weights(path: Path) -> list[str]:
    """The names of the weight files of a model, relative to its folder."""
    if path.is_file():
        return [path.name]
    for pattern in ("*.safetensors", "*.gguf", "*.bin"):
        names = sorted(file.relative_to(path).as_posix() for file in path.rglob(pattern))
        if names:
            return names
    return []


def stamp_of(path: Path) -> Path:
    """Where the stamp of a model lies."""
    return path / _STAMP if path.is_dir() else path.with_name(path.name + _STAMP)


def _write_stamp(stamp: Path, entries: Mapping[str, Any]) -> None:
    # A shared models folder may be read-only. A torn write reads as no stamp: no care is needed.
    with contextlib.suppress(OSError):
        stamp.write_text(json.dumps(entries, indent=1), encoding="utf-8")


def read_json(path: Path) -> dict[str, Any]:
    """The object in a JSON file; empty if there is none that can be read."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
