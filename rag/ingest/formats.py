"""The formats of files that hold articles: one row a suffix, and how content is told apart.

A newcomer adds a format by writing one function in loaders/ and one row here: in LOADERS for a file
that is one article, in COLLECTIONS for one that holds several.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import PurePosixPath
from typing import TypeVar

from rag.config import Config
from rag.errors import ArticleError
from rag.ingest.article import FilePart, distinct, sha256
from rag.ingest.loaders.archives import load_zip
from rag.ingest.loaders.docx import load_docx
from rag.ingest.loaders.feeds import load_feed
from rag.ingest.loaders.html import load_html
from rag.ingest.loaders.mail import load_mail, load_mbox
from rag.ingest.loaders.pdf import load_pdf
from rag.ingest.loaders.tables import load_csv, load_json, load_jsonl
from rag.ingest.loaders.text import load_text
from rag.types import Article

Result = TypeVar("Result")
Load = Callable[[str, bytes], Article]  # path, content
LoadAll = Callable[[str, bytes, Config], Iterable[FilePart]]

LOADERS: dict[str, Load] = {
    ".txt": load_text,
    ".md": load_text,
    ".html": load_html,
    ".htm": load_html,
    ".pdf": load_pdf,
    ".docx": load_docx,
    ".eml": load_mail,
}
COLLECTIONS: dict[str, LoadAll] = {
    ".json": load_json,
    ".jsonl": load_jsonl,
    ".csv": load_csv,
    ".tsv": load_csv,
    ".xml": load_feed,
    ".rss": load_feed,
    ".atom": load_feed,
    ".mbox": load_mbox,
    ".zip": lambda path, data, config: load_zip(path, data, config, parts_of, is_known),
}
UNCHANGED = (".txt", ".md")  # whose text is the decoded file, so that nothing else may be in it
FORMATS = ".txt, .md, .html, .pdf, .docx, .eml, .mbox, .json, .jsonl, .csv, .rss or .zip"


def parts_of(path: str, data: bytes, config: Config) -> list[FilePart]:
    """Return the articles in the content of a file of this name. Raises ArticleError."""
    suffix = suffix_of(path)
    if (found := sniff(data)) and found != suffix:
        if suffix in UNCHANGED:
            raise ArticleError(f"is {NAMES[found]}, not plain text: rename it to {found}")
        if not (
            (found == ".html" and suffix == ".htm") or (found == ".xml" and suffix in COLLECTIONS)
        ):
            suffix = found
    check_size(len(data), most_bytes(suffix, config))
    if suffix in LOADERS:
        parts = [FilePart(path, sha256(data), lambda: LOADERS[suffix](path, data))]
    else:
        parts = _read(lambda: distinct(COLLECTIONS[suffix](path, data, config)))
    return [FilePart(p.path, p.digest, partial(_load, p, config)) for p in parts]


def is_known(name: str) -> bool:
    """Return whether a file of this name may hold articles."""
    return suffix_of(name) in LOADERS or suffix_of(name) in COLLECTIONS


def file_in(path: str) -> str:
    """Return the path of the file that an article is in: its own, or that of a collection."""
    above = reversed(PurePosixPath(path).parents)
    return next((str(parent) for parent in above if is_known(parent.name)), path)


def suffix_of(path: str) -> str:
    """Return the suffix of a path in lower case."""
    return PurePosixPath(path).suffix.lower()


def most_bytes(suffix: str, config: Config) -> int:
    """Return how large a file of this suffix may be."""
    return config.collection_bytes if suffix in COLLECTIONS else config.article_bytes


def check_size(size: int, most: int) -> None:
    """Raise ArticleError when a file is too large."""
    if size > most:
        limit = f"the limit is {most / 1e6:.0f} MB"
        raise ArticleError(f"is too large ({size / 1e6:.1f} MB; {limit})")


def _load(part: FilePart, config: Config) -> Article:
    article = _read(part.load)
    if len(article.text) > config.article_bytes:
        limit = f"the limit is {config.article_bytes / 1e6:.0f} million"
        raise ArticleError(f"has too long a text ({len(article.text):,} characters; {limit})")
    return article


def _read(load: Callable[[], Result]) -> Result:
    """Run a loader. Whatever a library raises on a damaged file, the other files go on."""
    try:
        return load()
    except ArticleError:
        raise
    except Exception as error:
        detail = " ".join(str(error).split())[:80]
        raise ArticleError(f"cannot be read ({type(error).__name__}: {detail})") from error


# What a file is by its first bytes, whatever its name says.

NAMES = {
    ".pdf": "a PDF",
    ".html": "a web page",
    ".zip": "a zip archive",
    ".docx": "a Word document",
    ".xml": "a feed",
}
_BEFORE_ROOT = re.compile(r"\s*(?:<\?[^>]{0,300}\?>\s*|<!--.{0,600}?-->\s*){0,5}", re.DOTALL)
_WEB_PAGE = re.compile(r"<!doctype\s+html|<html[\s>]", re.IGNORECASE)
_FEED = re.compile(r"<(?:rss|feed|rdf:rdf)[\s>]", re.IGNORECASE)


def sniff(data: bytes) -> str | None:
    """Return the suffix that a file of this content should have, or None where that is not certain.

    Raises ArticleError for what nothing here reads, with what to do instead.
    """
    if b"%PDF-" in data[:1024]:
        return ".pdf"
    if data.startswith(b"PK\x03\x04"):
        return _sniff_zip(data)
    if data.startswith(b"\xd0\xcf\x11\xe0"):
        raise ArticleError(
            "is an old or an encrypted Office file: save it as .docx, without a password"
        )
    if data.startswith(b"{\\rtf"):
        raise ArticleError("is an RTF file: save it as .docx or .txt")
    wide = data.startswith((b"\xff\xfe", b"\xfe\xff"))
    head = data[:4096].decode("utf-16" if wide else "utf-8-sig", "ignore")
    root = _BEFORE_ROOT.match(head)
    start = root.end() if root else 0
    return ".html" if _WEB_PAGE.match(head, start) else ".xml" if _FEED.match(head, start) else None


def _sniff_zip(data: bytes) -> str | None:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError, EOFError):
        return None  # damaged: for the loader that its name asks for to say
    if "[Content_Types].xml" in names:
        if any(name.startswith("word/") for name in names):
            return ".docx"
        raise ArticleError("is an Office file, but no Word document: save it as .pdf or .csv")
    if "mimetype" in names:
        raise ArticleError("is an OpenDocument file or an e-book: save it as .docx or .pdf")
    return ".zip"
