"""What a file is by its first bytes, whatever its name says."""

from __future__ import annotations

import io
import re
import zipfile

from rag.errors import ArticleError

NAMES = {
    ".pdf": "a PDF", ".html": "a web page", ".zip": "a zip archive", ".docx": "a Word document",
    ".xml": "a feed",
}  # fmt: skip
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
