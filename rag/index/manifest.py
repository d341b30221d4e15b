"""What an index records about itself, and the checks against it."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any

from rag import places
from rag.command import command
from rag.config import Config
from rag.errors import IndexCorrupt, IndexMismatch, IndexMissing
from rag.index.schema import NAME
from rag.models.encoder import Encoder


def default_index_dir(articles: Path) -> Path:
    """Return ``embeddings/<folder name>-<short hash of its path>``; see ``places.indexes_dir``.

    An index of these articles in the current folder's ``embeddings``, where they all used to lie,
    is taken as long as there is no other: to embed many articles again takes hours.
    """
    absolute = articles.resolve()
    digest = hashlib.sha256(os.fsencode(absolute)).hexdigest()[:8]
    name = f"{absolute.name or 'root'}-{digest}"
    usual, older = places.indexes_dir() / name, Path(places.INDEXES) / name
    return older if (older / NAME).is_file() and not (usual / NAME).is_file() else usual


def all_indexes() -> list[Path]:
    """Return the indexes in the default place; if there are none, those of the current folder."""
    folders = (places.indexes_dir(), Path(places.INDEXES))
    found = ([path.parent for path in folder.glob(f"*/{NAME}")] for folder in folders)
    return sorted(next(filter(None, found), []))


def mismatch(manifest: dict[str, Any], config: Config, encoder: Encoder) -> str | None:
    """Return the first setting that differs from the manifest, as text, or None."""
    wanted = {**config.index_settings(), "encoder_hash": encoder.fingerprint}
    for name, value in wanted.items():
        if manifest.get(name) != value:
            return f"{name} is {_short(manifest.get(name))} in the index and {_short(value)} now"
    return None


def check_articles_folder(manifest: dict[str, Any], articles: Path, folder: Path) -> None:
    """Raise IndexMismatch when the index was made from another folder of articles."""
    recorded, wanted = manifest.get("articles_folder"), str(articles.resolve())
    if recorded != wanted:
        raise IndexMismatch(
            f"The index {folder} belongs to the articles in {recorded}, not to {wanted}. "
            "Name another folder with --index."
        )


def lexical_generation(manifest: dict[str, Any]) -> int:
    """Return the generation whose lexical files belong to a manifest."""
    return int(manifest.get("lexical_generation", manifest["generation"]))


def no_index(folder: Path) -> IndexMissing:
    """Return the error that says so, and what helps."""
    return IndexMissing(f"There is no index in {folder}. Build it with: {command()} index ARTICLES")


def unfinished(folder: Path) -> IndexMissing:
    """Return the error that says that the first build has ended before its end."""
    return IndexMissing(
        f"The index in {folder} was never finished. Build it with: {command()} index ARTICLES"
    )


def verify_files(folder: Path, files: dict[str, dict[str, Any]]) -> None:
    """Raise IndexCorrupt when a file is not as recorded.

    To be called before a native library sees the files: a damaged one can crash it.
    """
    if damage := damaged(folder, files):
        raise IndexCorrupt(
            f"The index file {damage}. Repair it with: {command()} index ARTICLES --repair"
        )


def damaged(folder: Path, files: dict[str, dict[str, Any]]) -> str | None:
    """Return which file is missing or differs from its recorded size or sha256, as text."""
    for name, recorded in files.items():
        path = folder / name
        if not path.is_file():
            return f"{path} is missing"
        if path.stat().st_size != recorded["size"] or _seal(path) != recorded:
            return f"{path} is damaged"
    return None


def seal(path: Path) -> dict[str, Any]:
    """Return a file's size in bytes and sha256, after it has reached the disk."""
    with path.open("rb") as file:
        os.fsync(file.fileno())
    return _seal(path)


def _seal(path: Path) -> dict[str, Any]:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return {"size": path.stat().st_size, "sha256": digest}


def _short(value: object) -> str:
    return repr(value)[:18] + "…'" if len(repr(value)) > 24 else repr(value)
