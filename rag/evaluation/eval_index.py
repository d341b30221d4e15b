"""The index that an evaluation uses: where it lies, and what the result says about it."""

from __future__ import annotations

import contextlib
import hashlib
import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rag.config import Config
from rag.errors import IndexCorrupt
from rag.index.database import Database
from rag.index.manifest import default_index_dir
from rag.index.schema import NAME
from rag.ingest.folder import find_articles
from rag.text.untrusted import to_json


def index_dir(articles: Path, config: Config, cache: Path) -> Path:
    """Where the index lies: the usual place if the folder has its index there, made with these
    settings, else in the cache, one for each choice of settings.
    """
    usual, settings = default_index_dir(articles), config.index_settings()
    if (usual / NAME).is_file():
        manifest = _manifest(usual)
        if all(manifest.get(name) == value for name, value in settings.items()):
            return usual
    digest = hashlib.sha256(to_json(settings).encode()).hexdigest()[:8]
    return cache / "indexes" / f"{usual.name}-{digest}"


def _manifest(folder: Path) -> dict[str, Any]:
    try:
        with contextlib.closing(Database(folder)) as database:
            return database.manifest()
    except (IndexCorrupt, sqlite3.OperationalError):
        return {}


def index_record(manifest: Mapping[str, Any], articles: Path) -> dict[str, Any]:
    """What a result says of its index: its settings, and which articles it holds."""
    kept = {k: v for k, v in manifest.items() if k not in {"files", "articles_folder"}}
    files = list(find_articles(articles))
    digest = hashlib.sha256()
    for file in files:
        content = hashlib.sha256(file.location.read_bytes()).hexdigest()
        digest.update(f"{file.path}\0{content}\0".encode())
    return {**kept, "articles": len(files), "articles_sha256": digest.hexdigest()}
