"""A Word document (.docx) → Article: paragraphs and tables in the order in which they are read."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator
from typing import Any

from rag.errors import ArticleError
from rag.ingest.article import ArticleFields, clean, make_article
from rag.ingest.loaders.html import tidy
from rag.types import Article

MOST_UNPACKED = 60_000_000  # bytes; pictures are packed already, and text takes little
MOST_PARTS = 5_000
MOST_DEPTH = 20  # of tables in cells of tables
_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
_NOT_READ = {f"{_W}del", f"{_W}moveFrom", _FALLBACK}
_WRITTEN = {f"{_W}tab": "\t", f"{_W}br": "\n", f"{_W}cr": "\n", f"{_W}noBreakHyphen": "-"}
_NO_TITLE = re.compile(r"\s*(?:untitled|document\d*|word document|\S+\.docx?)?\s*\Z", re.IGNORECASE)


def load_docx(path: str, data: bytes) -> Article:
    """Read a document. Raises ArticleError when it is damaged, encrypted or empty."""
    import docx
    from docx.opc.exceptions import OpcError
    from lxml.etree import XMLSyntaxError

    try:
        _check_size(data)
        document = docx.Document(io.BytesIO(data))
        known = document.core_properties
        title, author = (" ".join((value or "").split()) for value in (known.title, known.author))
        text = tidy(clean("\n\n".join(_blocks(document.element.body, 0))))
    except (
        zipfile.BadZipFile,
        OpcError,
        XMLSyntaxError,
        KeyError,
        ValueError,
        NotImplementedError,
        EOFError,
    ) as error:
        raise ArticleError("is damaged or no Word document") from error
    # The dates among the properties are those of the file.
    author = "" if author == "python-docx" else author
    return make_article(
        path, text, ArticleFields("" if _NO_TITLE.match(title) else title, author=author)
    )


def _check_size(data: bytes) -> None:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        parts = archive.infolist()
    if len(parts) > MOST_PARTS or sum(part.file_size for part in parts) > MOST_UNPACKED:
        raise ArticleError(
            f"is too large when unpacked (the limit is {MOST_UNPACKED / 1e6:.0f} MB)"
        )


def _blocks(parent: Any, depth: int) -> Iterator[str]:
    """Yield the text of each paragraph and of each table below an element."""
    if depth > MOST_DEPTH:
        return
    for element in parent:
        if element.tag == f"{_W}p":
            yield "".join(_text(element))
        elif element.tag == f"{_W}tbl":
            yield "\n".join(_rows(element, depth))
        elif element.tag in {f"{_W}sdt", f"{_W}sdtContent", f"{_W}customXml", f"{_W}ins"}:
            yield from _blocks(element, depth)


def _rows(table: Any, depth: int) -> Iterator[str]:
    for row in table.iter(f"{_W}tr"):
        if next(row.iterancestors(f"{_W}tbl")) is table:
            cells = [c for c in row.iter(f"{_W}tc") if next(c.iterancestors(f"{_W}tr")) is row]
            texts = [" ".join(" ".join(_blocks(cell, depth + 1)).split()) for cell in cells]
            if any(texts):
                yield " | ".join(texts)


def _text(element: Any) -> Iterator[str]:
    # Not python-docx's own ``text``, which leaves out text that was inserted while changes were
    # tracked, and text in content controls.
    waiting = [element]
    while waiting:
        held = waiting.pop()
        if held.tag == f"{_W}t":
            yield held.text or ""
        elif held.tag in _WRITTEN:
            yield _WRITTEN[held.tag]
        elif held.tag not in _NOT_READ:
            waiting.extend(reversed(held))
