"""The lines of printed pages → running text: paragraphs joined, words put together again that a
hyphen had cut, and what is printed on every page left out.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from rag.text.numbers import WORDS

EDGE = 2  # lines at the top and at the bottom of a page, that may be printed on every page
SPREAD = 1.3  # how much farther apart than usual lines of two paragraphs stand
NEAR = 6  # lines above and below, whose longest says how wide the column is
SHORT = 0.8  # a line is cut short by its author when it and the next word take less of the width

_TERMINAL = re.compile(r"[.!?…:][\"'”’»)\]]*\Z")
_BULLET = re.compile(r"(?:[•●▪◦‣*–—-]|\(?\d{1,2}[.)])\s")
_CUT = re.compile(r"([^\W\d_]{2,})(?:-|\s?[\u00ad\u2010])\Z")
# First parts of words that keep their hyphen: "well-known", "two-thirds", "self-defence".
_COMPOUNDS = frozenset({"well", "self", "half", "non", "ex", "so", *WORDS})
_BEGINNING = re.compile(r"[^\W\d_]+")
_RANGE = re.compile(r"\d[-–]\Z")  # "2023-/24"
_DIGITS = re.compile(r"\d+")
# What browsers print at the edges: "4/3/24, 10:15 AM  Title", "https://example.org/a 1/2".
_PRINTED = re.compile(
    r"\d{1,4}[./-]\d{1,2}[./-]\d{2,4},? \d{1,2}:\d{2}.{0,300}|(?:https?|file)://\S+.{0,20}"
)


@dataclass(slots=True)
class Line:
    """A printed line; distances in points from the left and from the bottom."""

    text: str
    left: float
    bottom: float
    height: float


def without_running_lines(pages: Sequence[list[Line]]) -> list[list[Line]]:
    """Return the pages without the headers, footers and page numbers that most of them have."""
    edges = [{_shape(line) for line in _edge(page)} for page in pages]
    counts = Counter(shape for shapes in edges for shape in shapes)
    running = {shape for shape, n in counts.items() if n >= 2 and 2 * n > len(pages)}
    kept = []
    for page in pages:
        edge = {
            id(line) for line in _edge(page)
            if _shape(line) in running or _PRINTED.fullmatch(line.text.strip())
        }  # fmt: skip
        kept.append([line for line in page if id(line) not in edge])
    return kept


def _edge(page: list[Line]) -> list[Line]:
    """Return the outermost lines: highest and lowest, wherever they stand in the content."""
    ordered = sorted(page, key=lambda line: -line.bottom)
    return ordered[:EDGE] + ordered[max(EDGE, len(ordered) - EDGE) :]


def _shape(line: Line) -> str:
    return _DIGITS.sub("#", " ".join(line.text.split()))


def join_lines(pages: Sequence[list[Line]]) -> tuple[str, list[int]]:
    """Return the running text of the pages, and the offset at which each of them starts.

    No sentence goes on over a page without text: what stood there may be missing.
    """
    lines = [line for page in pages for line in page]
    usual = _usual_distance(pages)
    whole = Counter(
        word for line in lines for word in re.findall(r"[^\W\d_]+(?:-[^\W\d_]+)*", line.text)
    )
    pieces: list[str] = []
    starts: list[int] = []
    length = 0
    before: Line | None = None
    missing = False
    for page in pages:
        missing = missing or not page
        for n, line in enumerate(page):
            text = " ".join(line.text.split())
            width = max(len(near.text) for near in page[max(0, n - NEAR) : n + NEAR])
            mark = "" if before is None else _between(before, line, usual, width, new_page=n == 0)
            if missing:
                mark, missing = "\n\n" if pieces else "", False
            if mark == " " and (cut := _CUT.search(pieces[-1])):
                mark = ""
                if _drops_hyphen(cut, text, whole):
                    pieces[-1] = pieces[-1][: cut.end(1)]
                    length -= len(cut[0]) - len(cut[1])
            elif mark == " " and _RANGE.search(pieces[-1]) and text[:1].isdigit():
                mark = ""
            if n == 0:
                starts.append(length + len(mark))
            pieces += [mark, text]
            length += len(mark) + len(text)
            before = line
        if not page:
            starts.append(length)
    return "".join(pieces), starts


def _usual_distance(pages: Sequence[list[Line]]) -> float:
    """Return how far apart the lines of a paragraph stand, in heights of a line."""
    found = sorted(_distances(pages))
    return found[len(found) // 5] if found else 1.2


def _distances(pages: Sequence[list[Line]]) -> Iterator[float]:
    for page in pages:
        for above, line in pairwise(page):
            distance = (above.bottom - line.bottom) / line.height
            if _same_size(above, line) and 0.9 < distance < 3:
                yield distance


def _same_size(one: Line, other: Line) -> bool:
    return abs(one.height - other.height) < 0.08 * max(one.height, other.height)


def _between(above: Line, line: Line, usual: float, width: int, *, new_page: bool) -> str:
    """Return what stands between two lines: a space where the paragraph goes on, else a break."""
    ends = bool(_TERMINAL.search(above.text.rstrip()))
    text = line.text.strip()
    if not _same_size(above, line) or _BULLET.match(text):
        return "\n\n"
    distance = (above.bottom - line.bottom) / line.height
    if new_page or distance <= 0:  # another page or column
        return (
            " " if not ends and (text[:1].islower() or _CUT.search(above.text.rstrip())) else "\n\n"
        )
    if distance > SPREAD * usual:
        return "\n\n"
    indented = line.left > above.left + 0.5 * line.height
    first_word = text.split(maxsplit=1)[0]
    short = len(above.text.strip()) + 1 + len(first_word) < SHORT * width
    if ends:
        return "\n\n" if indented or short else " "
    return "\n" if short and not text[:1].islower() else " "  # rows of a table or a list


def _drops_hyphen(cut: re.Match[str], following: str, whole: Counter[str]) -> bool:
    """Return whether a hyphen at the end of a line only cuts a word that is written without it.

    The document decides where it has the word elsewhere, whole or with a hyphen.
    """
    match = _BEGINNING.match(following)
    if match is None or not match[0][0].islower():  # "Franco-/German", "2023-/24"
        return False
    left, right = cut[1], match[0]
    joined, hyphenated = whole[left + right], whole[f"{left}-{right}"]
    if joined or hyphenated:
        return joined >= hyphenated
    return left.lower() not in _COMPOUNDS and not (
        len(left) > 2 and min(whole[left], whole[right]) > 1
    )
