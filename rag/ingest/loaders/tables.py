"""Collections in JSON, JSON Lines and CSV → one article per row."""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
import io
import json
import re
from argparse import ArgumentTypeError
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import PurePosixPath
from typing import Any, TypeAlias

from rag.config import Config
from rag.errors import ArticleError
from rag.ingest.article import ArticleFields, FilePart, clean, make_article, unreadable
from rag.ingest.loaders.html import plain
from rag.ingest.loaders.text import decode
from rag.types import Article

Row = dict[str, Any]

MOST_ROWS = 100_000
DEPTH = 3  # of objects in which a JSON file may hold its list of articles

_NUMBER = re.compile(r"-?(?:\d+(?:\.\d+)?(?:e[+-]?\d+)?|inf|nan)", re.IGNORECASE)
_YEAR_OR_DAY = re.compile(r"(?:1[5-9]|20)\d\d(?:\d{4})?")
_ID = re.compile(r"[\w.~-]{1,64}")


def load_jsonl(path: str, data: bytes, config: Config) -> Iterator[FilePart]:
    """Read one JSON object per line. Raises ArticleError when no row has a text."""
    lines = [line for line in decode(data).lstrip("\ufeff").split("\n") if line.strip()]
    return _parts(path, (_json(line) for line in lines[: MOST_ROWS + 1]), config)


def load_json(path: str, data: bytes, config: Config) -> Iterator[FilePart]:
    """Read a list of objects, at the top or in a field; or one object that is an article."""
    value = _json(decode(data).lstrip("\ufeff"))
    if isinstance(value, ArticleError):
        raise value
    names = names_of(config.fields)
    rows = _list_in(value, DEPTH, names)
    if rows is None and isinstance(value, dict):
        return iter([FilePart(path, _digest(value, config), partial(_article, path, value, names))])
    return _parts(path, rows or [], config)


def load_csv(path: str, data: bytes, config: Config) -> Iterator[FilePart]:
    """Read a table whose first row names the fields, parted by commas, semicolons, tabs or bars."""
    text = decode(data).lstrip("\ufeff")
    csv.field_size_limit(max(csv.field_size_limit(), config.collection_bytes))
    first = text[: text.find("\n") + 1 or None]
    return _parts(path, _table(text, max(",;\t|", key=first.count)), config)


def _table(text: str, mark: str) -> Iterator[Row | ArticleError]:
    for strict in (True, False):  # many tables do not quote as they should
        rows: list[list[str]] = []
        try:
            for row in csv.reader(io.StringIO(text, newline=""), delimiter=mark, strict=strict):
                rows.append(row)  # noqa: PERF402 - what comes before an error counts
        except csv.Error as error:
            problem = str(error)
        else:
            problem = ""
        if not problem or "end of data" in problem:
            break
    names = rows[0] if rows else []
    yield from (dict(zip(names, row, strict=False)) for row in rows[1:] if any(row))
    if "end of data" in problem:
        yield ArticleError("is not read from here on: a quotation mark is never closed")
    elif problem:
        yield ArticleError(f"is no CSV from here on ({problem})")


def _json(text: str) -> Any:
    try:
        return json.loads(text, strict=False)
    except RecursionError:
        return ArticleError("is not read: its JSON is nested too deeply")
    except ValueError as error:
        return ArticleError(f"is no JSON ({error})")


def _list_in(value: object, depth: int, names: Names) -> list[Any] | None:
    """Return the longest list of objects in a JSON value."""
    if isinstance(value, list):
        return value if any(isinstance(row, dict) for row in value) else None
    if not isinstance(value, dict) or not depth or _value(value, names["text"]):
        return None
    found = [rows for held in value.values() if (rows := _list_in(held, depth - 1, names))]
    return max(found, key=len, default=None)


def _parts(path: str, rows: Iterable[object], config: Config) -> Iterator[FilePart]:
    names = names_of(config.fields)
    numbered = list(enumerate(rows, start=1))[: MOST_ROWS + 1]
    objects = [row for _, row in numbered if isinstance(row, dict)]
    if not any(_value(row, names["text"]) for row in objects):
        raise next(
            (r for _, r in numbered if isinstance(r, ArticleError)), _no_text(objects, names)
        )
    ids = [_id(row, names) for row in objects]
    named = len(objects) == len(numbered) and None not in ids and len(set(ids)) == len(ids)
    for n, row in numbered[:MOST_ROWS]:
        at = f"{path}/{_id(row, names) if named and isinstance(row, dict) else n}"
        if isinstance(row, dict):
            yield FilePart(at, _digest(row, config), partial(_article, at, row, names))
        else:
            reason = str(row) if isinstance(row, ArticleError) else "is no row with named fields"
            yield unreadable(at, reason)
    if len(numbered) > MOST_ROWS:
        yield unreadable(path, f"has more than {MOST_ROWS:,} rows: the others are left out")


def _no_text(rows: list[dict[str, Any]], names: Names) -> ArticleError:
    if not rows:
        return ArticleError("holds no rows with named fields")
    held = ", ".join(repr(str(name)[:30]) for name in list(rows[0])[:8])
    wanted = ", ".join(names["text"][:5]) + " …" * (len(names["text"]) > 5)
    return ArticleError(
        f"has no field with the text of an article (its fields: {held}; known names: {wanted}; "
        "others can be given: index --fields text=NAME)"
    )


def _digest(row: Row, config: Config) -> str:
    read = {"row": row, "fields": config.fields} if config.fields else row
    written = json.dumps(read, sort_keys=True, ensure_ascii=True, default=str)
    return hashlib.sha256(written.encode()).hexdigest()


def _id(row: Row, names: Names) -> str | None:
    value = _value(row, names["id"])
    return value if value and _ID.fullmatch(value) else None


def _article(path: str, row: Row, names: Names) -> Article:
    text = _value(row, names["text"])
    if not text:
        raise ArticleError("has no text")
    place = PurePosixPath(path)
    named, published = _named(row, names["published"]) or ("", "")
    return make_article(
        path,
        clean(plain(text)),
        ArticleFields(
            title=plain(_value(row, names["title"]) or "") or f"{place.parent.stem} {place.name}",
            published=_time(published),
            published_in=f"field {named}",
            source=_value(row, names["source"]),
            author=_value(row, names["author"]),
            url=_value(row, names["url"]),
        ),
    )


def _value(row: Row, names: Iterable[str]) -> str | None:
    found = _named(row, names)
    return found[1] if found else None


def _named(row: Row, names: Iterable[str]) -> tuple[str, str] | None:
    """Return the first of these fields that is not empty: its own name, and its text."""
    held = {plain_name(str(name)): name for name in reversed(row)}
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


# Which field of a row in JSON or CSV holds what: known names, or those that a person gives.

Fields: TypeAlias = tuple[tuple[str, str], ...]  # what it holds, and the field's own name
Names: TypeAlias = Mapping[str, tuple[str, ...]]  # what it holds: plain names, the surest first

# The names that a field may have, the surest first; case and marks between words do not count.
_KNOWN = {
    "text": "text body content fulltext articlebody articletext maintext bodytext article story "
    "contenttext contenthtml description summary",
    "title": "title headline heading articletitle name",
    "published": "published publishedat publishedon publicationdate publisheddate publishdate "
    "datepublished pubdate firstpublished publishtime dateofpublication date "
    "published_time timestamp time",
    "url": "url link canonicalurl weburl articleurl href externalurl",
    "author": "author authors byline creator writer by",
    "source": "source outlet publisher publication sitename newspaper site domain",
    "id": "id articleid guid uuid docid uid",
}


def plain_name(name: str) -> str:
    """Return a field's name as names are compared."""
    return re.sub(r"\W|_", "", name).lower()


NAMES: Names = {held: tuple(map(plain_name, names.split())) for held, names in _KNOWN.items()}


def names_of(given: Fields | None) -> Names:
    """Return the names to look for: where a field is given, that one alone."""
    return {**NAMES, **{held: (plain_name(name),) for held, name in given or ()}}


def parse_fields(text: str) -> Fields:
    """Return what "title=headline,text=body" says; nothing for "".

    Raises ArgumentTypeError, as what reads an option does.
    """
    given: dict[str, str] = {}
    for pair in filter(None, (pair.strip() for pair in text.split(","))):
        held, is_one, name = (part.strip() for part in pair.partition("="))
        if not is_one or held not in NAMES or not plain_name(name) or held in given:
            raise ArgumentTypeError(
                f"{pair!r} is not such as title=headline; it can be given once what holds the "
                f"{', '.join(NAMES)}"
            )
        given[held] = name
    return tuple(sorted(given.items()))


def recorded(manifest: Mapping[str, object]) -> Fields:
    """Return the fields that an index says it was made with."""
    found = manifest.get("fields")
    if not isinstance(found, Sequence):
        return ()
    return tuple((str(held), str(name)) for held, name in found)
