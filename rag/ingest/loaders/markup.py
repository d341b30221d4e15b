"""Bytes or pieces of HTML → text. Nothing is fetched and no entity of a document is expanded."""

from __future__ import annotations

import codecs
import html
import re
from typing import Any

from rag.errors import ArticleError
from rag.ingest.loaders.text import decode

MOST_TAGS = 60_000  # of a page; its extraction takes more than a minute beyond 200,000

_DECLARED = re.compile(
    rb"""(?:charset|encoding)\s{0,9}=\s{0,9}["']?([\w.:-]{1,40})""", re.IGNORECASE
)
_TAG = re.compile(
    r"</?(?:p|br|div|a|h[1-6]|ul|ol|li|strong|em|b|i|img|span|table|blockquote)\b[^<>]{0,2000}>",
    re.IGNORECASE,
)
_ENTITY = re.compile(r"&(?:#\d{1,7}|#x[\da-f]{1,6}|[a-z]{2,8});", re.IGNORECASE)
_UNREAD = frozenset({"script", "style", "head", "noscript", "template", "iframe", "svg", "object",
                     "button", "select", "form"})  # fmt: skip
_BLOCKS = frozenset(
    "address article aside blockquote center dd details div dl dt fieldset figcaption figure "
    "footer h1 h2 h3 h4 h5 h6 header hr li main nav ol p pre section table tbody thead ul".split()
)
_HIDDEN = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)


def decode_markup(data: bytes) -> str:
    """Decode HTML or XML: by BOM, as UTF-8, as declared, then as any text. Raises ArticleError."""
    if not data.startswith((b"\xff\xfe", b"\xfe\xff")):
        try:
            return data.decode("utf-8-sig")
        except UnicodeDecodeError:
            pass
        if declared := _DECLARED.search(data[:4096]):
            try:
                return data.decode(codecs.lookup(declared[1].decode("ascii")).name, "replace")
            except (LookupError, UnicodeError, ValueError):
                pass
    return decode(data).lstrip("\ufeff")


def parse_html(markup: str) -> Any:
    """Return the root element. Raises ArticleError when there is nothing, or too much, in it."""
    from lxml import html as lxml_html
    from lxml.etree import ParserError, XMLSyntaxError

    if (tags := markup.count("<")) > MOST_TAGS:
        raise ArticleError(f"is too large a page ({tags:,} tags; the limit is {MOST_TAGS:,})")
    parser = lxml_html.HTMLParser(encoding="utf-8", no_network=True, huge_tree=False)
    try:
        return lxml_html.document_fromstring(markup.encode("utf-8", "replace"), parser=parser)
    except (ParserError, XMLSyntaxError) as error:
        raise ArticleError("has no text") from error


def plain(text: str) -> str:
    """Return the text of a field that may hold HTML."""
    if _TAG.search(text):
        return text_of(text)
    return html.unescape(text) if _ENTITY.search(text) else text


def text_of(markup: str) -> str:
    """Return all the visible text of a piece of HTML, a blank line between its paragraphs."""
    from lxml import etree

    if not markup.strip():
        return ""
    pieces: list[str] = []
    skipped = 0  # how deep in what is not read
    for event, element in etree.iterwalk(parse_html(markup), events=("start", "end")):
        if not isinstance(element.tag, str):  # a comment
            if event == "end" and not skipped:
                pieces.append(_spaced(element.tail))
            continue
        hidden = element.tag in _UNREAD or bool(_HIDDEN.search(element.get("style", "")))
        mark = "\n\n" if element.tag in _BLOCKS else ""
        if event == "start":
            skipped += hidden
            if not skipped:
                pieces += [
                    mark or {"br": "\n", "tr": "\n"}.get(element.tag, ""),
                    _spaced(element.text),
                ]
        else:
            if not skipped and element.tag in {"td", "th"} and element.getnext() is not None:
                pieces.append(" | ")
            skipped -= hidden
            if not skipped:
                pieces += [mark, _spaced(element.tail)]
    return tidy("".join(pieces))


def tidy(text: str) -> str:
    """Return the text without white space at the ends of lines, and one blank line at most."""
    lines = [" ".join(line.split()) for line in text.split("\n")]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def _spaced(text: str | None) -> str:
    return re.sub(r"\s+", " ", text or "")
