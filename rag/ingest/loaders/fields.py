"""Which field of a row in JSON or CSV holds what: known names, or those that a person gives."""

from __future__ import annotations

import re
from argparse import ArgumentTypeError
from collections.abc import Mapping, Sequence
from typing import TypeAlias

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
}  # fmt: skip


def plain(name: str) -> str:
    """Return a field's name as names are compared."""
    return re.sub(r"\W|_", "", name).lower()


NAMES: Names = {held: tuple(map(plain, names.split())) for held, names in _KNOWN.items()}


def names_of(given: Fields | None) -> Names:
    """Return the names to look for: where a field is given, that one alone."""
    return {**NAMES, **{held: (plain(name),) for held, name in given or ()}}


def parse_fields(text: str) -> Fields:
    """Return what "title=headline,text=body" says; nothing for "".

    Raises ArgumentTypeError, as what reads an option does.
    """
    given: dict[str, str] = {}
    for pair in filter(None, (pair.strip() for pair in text.split(","))):
        held, is_one, name = (part.strip() for part in pair.partition("="))
        if not is_one or held not in NAMES or not plain(name) or held in given:
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
