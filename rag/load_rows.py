"""Collections in JSON, JSON Lines and CSV → one article per row."""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
import io
import json
import re
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import PurePosixPath
from typing import Any

from rag.config import Config
from rag.errors import ArticleError
from rag.extracted import Found, clean, make_article
from rag.load_text import decode
from rag.markup import plain
from rag.parts import Part, unreadable
from rag.types import Article

Row = dict[str, Any]

# The names that a field may have, the surest first; case and marks between words do not count.
FIELDS = {
    "text": "text body content fulltext articlebody articletext maintext bodytext article story "
            "contenttext contenthtml description summary",
    "title": "title headline heading articletitle name",
    "published": "published publishedat publishedon publicationdate publisheddate publishdate "
                 "datepublished pubdate firstpublished publishtime dateofpublication date "
                 "published_time timestamp time",
    "url": "url link canonicalurl weburl articleurl href externalurl",
    "author": "author authors byline creator writer by",
    "source": "source outlet publisher publication sitename newspaper site domain",
}  # fmt: skip
NAMES = {
    field: tuple(re.sub(r"\W|_", "", n) for n in names.split()) for field, names in FIELDS.items()
}
IDS = ("id", "articleid", "guid", "uuid", "docid", "uid")
MOST_ROWS = 100_000
DEPTH = 3  # of objects in which a JSON file may hold its list of articles

_NUMBER = re.compile(r"-?(?:\d+(?:\.\d+)?(?:e[+-]?\d+)?|inf|nan)", re.IGNORECASE)
_YEAR_OR_DAY = re.compile(r"(?:1[5-9]|20)\d\d(?:\d{4})?")
_ID = re.compile(r"[\w.~-]{1,64}")


def load_jsonl(path: str, data: bytes, _: Config) -> Iterator[Part]:
    """Read one JSON object per line. Raises ArticleError when no row has a text."""
    lines = [line for line in decode(data).lstrip("\ufeff").split("\n") if line.strip()]
    return _parts(path, (_json(line) for line in lines[: MOST_ROWS + 1]))


def load_json(path: str, data: bytes, _: Config) -> Iterator[Part]:
    """Read a list of objects, at the top or in a field; or one object that is an article."""
    value = _json(decode(data).lstrip("\ufeff"))
    if isinstance(value, ArticleError):
        raise value
    rows = _list_in(value, DEPTH)
    if rows is None and isinstance(value, dict):
        return iter([Part(path, _digest(value), partial(_article, path, value))])
    return _parts(path, rows or [])


def load_csv(path: str, data: bytes, config: Config) -> Iterator[Part]:
    """Read a table whose first row names the fields, parted by commas, semicolons, tabs or bars."""
    text = decode(data).lstrip("\ufeff")
    csv.field_size_limit(max(csv.field_size_limit(), config.collection_bytes))
    first = text[: text.find("\n") + 1 or None]
    mark = max(",;\t|", key=first.count)
    return _parts(path, _table(csv.reader(io.StringIO(text, newline=""), delimiter=mark)))


def _table(reader: Iterator[list[str]]) -> Iterator[Row | ArticleError]:
    try:
        names = next(reader, [])
        for row in reader:
            if any(row):
                yield dict(zip(names, row, strict=False))
    except csv.Error as error:
        yield ArticleError(f"is no CSV from here on ({error})")


def _json(text: str) -> Any:
    try:
        return json.loads(text, strict=False)
    except RecursionError:
        return ArticleError("is not read: its JSON is nested too deeply")
    except ValueError as error:
        return ArticleError(f"is no JSON ({error})")


def _list_in(value: object, depth: int) -> list[Any] | None:
    """Return the longest list of objects in a JSON value."""
    if isinstance(value, list):
        return value if any(isinstance(row, dict) for row in value) else None
    if not isinstance(value, dict) or not depth or _text_of(value):
        return None
    found = [rows for held in value.values() if (rows := _list_in(held, depth - 1))]
    return max(found, key=len, default=None)


def _parts(path: str, rows: Iterable[object]) -> Iterator[Part]:
    numbered = list(enumerate(rows, start=1))[: MOST_ROWS + 1]
    objects = [row for _, row in numbered if isinstance(row, dict)]
    if not any(_text_of(row) for row in objects):
        raise next((r for _, r in numbered if isinstance(r, ArticleError)), _no_text(objects))
    ids = [_id(row) for row in objects]
    named = len(objects) == len(numbered) and None not in ids and len(set(ids)) == len(ids)
    for n, row in numbered[:MOST_ROWS]:
        at = f"{path}/{_id(row) if named and isinstance(row, dict) else n}"
        if isinstance(row, dict):
            yield Part(at, _digest(row), partial(_article, at, row))
        else:
            reason = str(row) if isinstance(row, ArticleError) else "is no row with named fields"
            yield unreadable(at, reason)
    if len(numbered) > MOST_ROWS:
        yield unreadable(path, f"has more than {MOST_ROWS:,} rows: the others are left out")


def _no_text(rows: list[dict[str, Any]]) -> ArticleError:
    if not rows:
        return ArticleError("holds no rows with named fields")
    names = ", ".join(repr(str(name)[:30]) for name in list(rows[0])[:8])
    wanted = ", ".join(NAMES["text"][:5])
    return ArticleError(f"has no field with the text of an article (its fields: {names}; "
                        f"known names: {wanted} …)")  # fmt: skip


def _digest(row: Row) -> str:
    written = json.dumps(row, sort_keys=True, ensure_ascii=True, default=str)
    return hashlib.sha256(written.encode()).hexdigest()


def _id(row: Row) -> str | None:
    value = _value(row, IDS)
    return value if value and _ID.fullmatch(value) else None


def _text_of(row: Row) -> str:
    return _value(row, NAMES["text"]) or ""


def _article(path: str, row: Row) -> Article:
    text = _text_of(row)
    if not text:
        raise ArticleError("has no text")
    place = PurePosixPath(path)
    named, published = _named(row, NAMES["published"]) or ("", "")
    return make_article(
        path,
        clean(plain(text)),
        Found(
            title=plain(_value(row, NAMES["title"]) or "") or f"{place.parent.stem} {place.name}",
            published=_time(published),
            published_in=f"field {named}",
            source=_value(row, NAMES["source"]),
            author=_value(row, NAMES["author"]),
            url=_value(row, NAMES["url"]),
        ),
    )


def _value(row: Row, names: Iterable[str]) -> str | None:
    found = _named(row, names)
    return found[1] if found else None


def _named(row: Row, names: Iterable[str]) -> tuple[str, str] | None:
    """Return the first of these fields that is not empty: its own name, and its text."""
    held = {re.sub(r"\W|_", "", str(name)).lower(): name for name in reversed(row)}
    for name in names:
        if name in held and (text := _written(row[held[name]])):
            return str(held[name]), text
    return None


def _written(value: object) -> str:
    if isinstance(value, bool) or value is None:
        return ""
    if isinstance(value, str | int | float):
        return str(value).strip()
    if isinstance(value, dict):  # {"source": {"name": "The Herald"}}
        return next(
            (_written(value[k]) for k in ("name", "title", "text", "rendered") if value.get(k)), ""
        )
    if isinstance(value, list):
        texts = [
            text
            for item in value[:10_000]
            if not isinstance(item, list) and (text := _written(item))
        ]
        return "\n\n".join(texts) if any(len(text) > 60 for text in texts) else " and ".join(texts)
    return ""


def _time(value: str) -> str:
    """Return seconds or milliseconds since 1970 as a day in UTC, and what is no number as it is."""
    if re.fullmatch(r"\d{9,10}(?:\.\d+)?|\d{12,13}", value):
        seconds = float(value) / (1000 if len(value.partition(".")[0]) > 10 else 1)
        return dt.datetime.fromtimestamp(seconds, dt.UTC).date().isoformat()
    return "" if _NUMBER.fullmatch(value) and not _YEAR_OR_DAY.fullmatch(value) else value
