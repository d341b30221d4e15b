"""A saved web page → Article: its text without menus, banners and scripts, and what it says of
itself in metadata.
"""

from __future__ import annotations

import codecs
import html
import json
import re
from collections.abc import Iterator
from itertools import islice
from typing import Any

from rag.errors import ArticleError
from rag.ingest.article import ArticleFields, clean, make_article
from rag.ingest.byline import iso_day, read_heading
from rag.ingest.loaders.text import decode
from rag.types import Article

DATES = (  # of publication, in <meta name, property or itemprop>; the first that is there counts
    "article:published_time",
    "og:article:published_time",
    "og:published_time",
    "datepublished",
    "parsely-pub-date",
    "sailthru.date",
    "cxenseparse:recs:publishtime",
    "cxenseparse:publishtime",
    "publish-date",
    "publish_date",
    "publishdate",
    "pubdate",
    "dc.date.issued",
    "dcterms.issued",
    "dcterms.date",
    "dc.date",
    "citation_publication_date",
    "citation_date",
    "date",
)
TITLES = ("og:title", "twitter:title", "dc.title", "citation_title")
AUTHORS = ("author", "article:author", "parsely-author", "dc.creator", "byl", "citation_author")
SOURCES = ("og:site_name", "application-name", "citation_journal_title", "dc.publisher")
ARTICLE_TYPES = re.compile(r"article|blogposting|report|newsitem|liveblog", re.IGNORECASE)
MOST_OBJECTS = 2_000  # of JSON-LD that are looked at
MOST_BYLINES = 50  # elements that are looked at

_DAY_FIRST = re.compile(
    r"en-(?:gb|au|nz|ie|in|za)|(?:de|fr|es|it|pt|nl|pl|ru|tr|id)\b", re.IGNORECASE
)
_BYLINES = re.compile(r"byline|dateline|date\b|publish|timestamp|posted", re.IGNORECASE)


def load_html(path: str, data: bytes) -> Article:
    """Read a saved page. Raises ArticleError when no article is found in it."""
    import trafilatura

    markup = decode_markup(data)
    found = _found(parse_html(markup))
    page: Any = trafilatura.bare_extraction(markup, with_metadata=False, include_comments=False)
    text = _paragraphs(clean(page.text or "")) if page is not None else ""
    if not text:
        raise ArticleError(
            "has no text of an article (is it filled by scripts, or a list of links?)"
        )
    return make_article(path, text, found)


def _paragraphs(text: str) -> str:
    """Part paragraphs with a blank line, and write rows of tables "a | b"."""
    written: list[str] = []
    in_table = False
    for line in filter(None, map(str.strip, text.split("\n"))):
        row = line.startswith("|")
        if row and not line.strip("|-: \t"):  # the line under the head of a table
            continue
        if written:
            written.append("\n" if row and in_table else "\n\n")
        written.append(line.strip("| ") if row else line)
        in_table = row
    return "".join(written)


def _found(root: Any) -> ArticleFields:
    meta = _meta(root)
    objects = list(_json_ld(root))
    articles = [o for o in objects if ARTICLE_TYPES.search(str(o.get("@type")))]
    heads = root.xpath("//h1")
    source = _first(meta, SOURCES) or _text(articles, "publisher")
    title = (
        _first(meta, TITLES)
        or _text(articles, "headline")
        or (" ".join(heads[0].text_content().split()) if len(heads) == 1 else None)
        or _without_site(" ".join((root.findtext(".//title") or "").split()), source)
    )
    address = root.xpath("//link[@rel='canonical']/@href")
    day_first = _day_first(root.get("lang") or meta.get("og:locale", ""))
    dates = list(islice(_dates(root, meta, [*articles, *objects]), 20))
    sure = (date for date in dates if iso_day(date[1], day_first=day_first))
    published_in, published = next(sure, dates[0] if dates else ("", None))
    author = _text(articles, "author") or _first(meta, AUTHORS)
    url = next((u for u in (*address, meta.get("og:url"), _text(articles, "url")) if u), None)
    return ArticleFields(
        title=title,
        published=published,
        published_in=published_in,
        source=source,
        author=None if (author or "").startswith("http") else author,
        url=url if url and re.match(r"https?://", url) else None,
        day_first=day_first,
    )


def _without_site(title: str, source: str | None) -> str:
    """Return a title without the name of the site: "Flood | The Gazette", "Flood - The Gazette"."""
    before, _, _ = title.rpartition(" | ")
    parts = re.split(r" [–—·-] (?=[^–—·-]{1,60}\Z)", title)
    return before or (parts[0] if source and parts[-1] == source else title)


def _day_first(language: str) -> bool | None:
    language = language.strip().replace("_", "-").lower()
    return False if language == "en-us" else True if _DAY_FIRST.match(language) else None


def _meta(root: Any) -> dict[str, str]:
    found: dict[str, str] = {}
    for element in root.iter("meta"):
        content = (element.get("content") or "").strip()
        for kind in ("property", "name", "itemprop"):
            if content and (name := element.get(kind)):
                found.setdefault(name.strip().lower(), content)
    return found


def _first(meta: dict[str, str], names: tuple[str, ...]) -> str | None:
    return next((meta[name] for name in names if name in meta), None)


def _json_ld(root: Any) -> Iterator[dict[str, Any]]:
    left = MOST_OBJECTS
    for script in root.xpath("//script[@type='application/ld+json']"):
        try:
            waiting = [json.loads(script.text or "", strict=False)]
        except (ValueError, RecursionError):
            continue
        while waiting and left:
            left -= 1
            value = waiting.pop(0)
            if isinstance(value, dict):
                yield value
                waiting.extend(v for key in ("@graph", "mainEntity") if (v := value.get(key)))
            elif isinstance(value, list):
                waiting.extend(value[:left])


def _text(objects: list[dict[str, Any]], key: str) -> str | None:
    """Return the first value of this name: a text, or the names of what it holds."""
    for held in objects:
        value = held.get(key)
        values = value if isinstance(value, list) else [value]
        named = [v.get("name") if isinstance(v, dict) else v for v in values[:20]]
        if texts := [" ".join(v.split()) for v in named if isinstance(v, str) and v.strip()]:
            return " and ".join(texts)
    return None


def _dates(
    root: Any, meta: dict[str, str], objects: list[dict[str, Any]]
) -> Iterator[tuple[str, str]]:
    """Yield where a date of publication stands and how it is written, the surest first."""
    for name in DATES:
        if name in meta:
            yield f"meta {name}", meta[name]
    if dated := _text(objects, "datePublished"):
        yield "JSON-LD datePublished", dated
    beside = "not(ancestor::aside or ancestor::nav or ancestor::footer)"
    times = root.xpath(f"//time[@datetime and {beside}]")
    marked = [
        t for t in times if t.get("pubdate") is not None or t.get("itemprop") == "datePublished"
    ]
    days = {iso_day(time.get("datetime")) for time in times}
    if marked or (len(days) == 1 and None not in days):
        yield "time datetime", (marked or times)[0].get("datetime")
    named = root.xpath(f"//body//*[(@class or @itemprop) and {beside}]")
    bylines = (e for e in named if _BYLINES.search(f"{e.get('class')} {e.get('itemprop')}"))
    for element in islice(bylines, MOST_BYLINES):
        line = element.text_content()
        if (heading := read_heading(line)) and heading.published:
            yield "line", line


# Bytes or pieces of HTML → text. Nothing is fetched and no entity of a document is expanded.

MOST_TAGS = 60_000  # of a page; its extraction takes more than a minute beyond 200,000

_DECLARED = re.compile(
    rb"""(?:charset|encoding)\s{0,9}=\s{0,9}["']?([\w.:-]{1,40})""", re.IGNORECASE
)
_TAG = re.compile(
    r"</?(?:p|br|div|a|h[1-6]|ul|ol|li|strong|em|b|i|img|span|table|blockquote)\b[^<>]{0,2000}>",
    re.IGNORECASE,
)
_ENTITY = re.compile(r"&(?:#\d{1,7}|#x[\da-f]{1,6}|[a-z]{2,8});", re.IGNORECASE)
_UNREAD = frozenset(
    {
        "script",
        "style",
        "head",
        "noscript",
        "template",
        "iframe",
        "svg",
        "object",
        "button",
        "select",
        "form",
    }
)
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
