"""A .zip of articles → the parts of the files in it. Nothing is unpacked to disk."""

from __future__ import annotations

import io
import stat
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from rag.config import Config
from rag.errors import ArticleError
from rag.ingest.article import FilePart, unreadable

MOST_ENTRIES = 10_000
MOST_DEPTH = 3  # zips in zips
MOST_RATIO = 200  # unpacked to packed, of entries above RATIO_FROM
RATIO_FROM = 1_000_000  # bytes; text of a few lines over and over packs well and does no harm

Inner = Callable[[str, bytes, Config], list[FilePart]]  # path, content


@dataclass
class _Budget:
    entries: int
    size: int  # bytes


def load_zip(
    path: str, data: bytes, config: Config, inner: Inner, is_known: Callable[[str], bool]
) -> Iterator[FilePart]:
    """Read an archive; ``inner`` reads a file in it whose name ``is_known``.

    Raises ArticleError when it is damaged. What is too large, encrypted or named as if it were
    outside is a part that says so.
    """
    budget = _Budget(MOST_ENTRIES, config.collection_bytes)
    return _parts(path, data, config, budget, inner, is_known, 1)


def _parts(
    path: str,
    data: bytes,
    config: Config,
    budget: _Budget,
    inner: Inner,
    is_known: Callable[[str], bool],
    depth: int,
) -> Iterator[FilePart]:
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError, EOFError) as error:
        raise ArticleError("is damaged or no zip archive") from error
    with archive:
        for entry in archive.infolist():
            name = entry.filename.replace("\\", "/")
            hidden = any(p[:1] == "." or p == "__MACOSX" for p in name.split("/") if p.strip("."))
            if entry.is_dir() or hidden or not is_known(name):
                continue
            at = f"{path}/{_inside(name)}"
            budget.entries -= 1
            if budget.entries < 0:
                yield unreadable(
                    path, f"has more than {MOST_ENTRIES:,} files: the others are left out"
                )
                return
            try:
                content = _content(archive, entry, budget)
                if name.lower().endswith(".zip"):
                    if depth == MOST_DEPTH:
                        raise ArticleError(
                            f"is a zip in a zip in a zip (the limit is {MOST_DEPTH})"
                        )
                    yield from _parts(at, content, config, budget, inner, is_known, depth + 1)
                else:
                    yield from inner(at, content, config)
            except ArticleError as error:
                yield unreadable(at, str(error))


def _content(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, budget: _Budget) -> bytes:
    name = entry.filename.replace("\\", "/")
    if name.startswith("/") or ".." in name.split("/") or ":" in name.split("/")[0]:
        raise ArticleError("has a name that leaves the archive")
    if stat.S_ISLNK(entry.external_attr >> 16):
        raise ArticleError("is a link")
    if entry.flag_bits & 1:
        raise ArticleError("is encrypted: pack it again without a password")
    if entry.file_size > RATIO_FROM and entry.file_size > MOST_RATIO * entry.compress_size:
        raise ArticleError("is packed suspiciously small (a zip bomb?)")
    budget.size -= entry.file_size
    if budget.size < 0:
        raise ArticleError("is left out: the archive is too large when unpacked")
    try:
        with archive.open(entry) as file:  # at most the size that it declares is read
            return file.read(entry.file_size)
    except (
        zipfile.BadZipFile,
        zlib.error,
        NotImplementedError,
        EOFError,
        OSError,
        ValueError,
        RuntimeError,
    ) as error:
        raise ArticleError("is damaged") from error


def _inside(name: str) -> str:
    """Return a name without the steps out of the archive."""
    return "/".join(part for part in name.split("/") if part not in {"", "..", "."})
