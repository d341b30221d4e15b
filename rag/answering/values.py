"""The value that a question asks for, and the values of a sentence that may be its answer: how
many, how much money, what share, how long, how old, when.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from rag.text.dates import Date, dates
from rag.text.names import names
from rag.text.numbers import Number, numbers
from rag.text.terms import STOPWORDS, fold, stem

REACH, BEFORE = 4, 6  # content words after and before a number among which is what it counts
CLOSE = 0.1  # by how much a rounded number ("about 4,000") may differ from an exact one

MONEY = frozenset({"dollar", "euro", "pound", "yen", "yuan", "rouble", "ruble", "rupee", "cent"})
# Words that say the same of what a value belongs to; each line counts as its first word.
SYNONYMS = """
kill die dead death fatal deadly fatality toll life; injure wound hurt injury casualty; people
person resident inhabitant human population; cost price pay spend worth charge expense; fee; buy
purchase acquire; employee worker staff job; arrest detain custody; car vehicle; house home;
child kid; begin start open launch; end finish close; found establish set; build construct
erect; percent percentage proportion share rate; fire blaze wildfire; quake earthquake;
miss disappear; year age old; damage destroy; elect win; vote ballot; student pupil; firm company
business; tall height high; long length; deep depth; fast speed; heavy weight weigh
"""
KINDS: tuple[tuple[str, str], ...] = (
    ("age", r"\bhow old\b|\bwhat (?:is|was) .{1,60}\bage\b|\bat what age\b"),
    ("percent", r"\b(?:what|which) (?:per ?cent(?:age)?|proportion|share|rate)\b"
                r"|\bhow many per ?cent|\b(?:unemployment|inflation|interest|growth|approval"
                r"|turnout|vacancy) rate\b"),
    ("money", r"\bhow much\b.{0,99}\b(?:cost|pay|paid|spen[dt]|sell|sold|worth|price|raise|earn|owe"
              r"|fine|charge|invest|donate|give|g[ai]ven?|buy|bought|los[et]|ma[dk]e|money|ticket)"
              r"(?:d|s|ed)?\b|\b(?:cost|price|fine|fee|fare|budget|salary|revenue|profit)s?\b"),
    ("measure", r"\bhow (?:long|far|tall|high|deep|wide|heavy|fast|large|big|much)\b"
                r"|\bwhat (?:is|was|were) .{0,40}\b(?:length|height|weight|speed|distance|depth"
                r"|area|temperature|capacity|magnitude|size)\b"),
    ("date", r"\bwhen\b|\b(?:what|which) (?:year|date|day|month)\b"),
    ("count", r"\bhow many\b|\bnumber of\b|\btoll\b|\bpopulation\b"),
)  # fmt: skip
_KINDS = tuple((kind, re.compile(pattern, re.IGNORECASE)) for kind, pattern in KINDS)
_NO_VALUE = re.compile(
    r"\W*(?:who|whose|where|why|which (?!year|date|day|month|per ?cent|proportion|share|rate))\b"
)  # "Which state has the highest price?"
_HEDGE = re.compile(
    r"\b(?:about|around|roughly|approximately|some|nearly|almost|over|more than|under|less than"
    r"|fewer than|an estimated|close to|up to)\s+(?:[$€£¥]|us\$)?\Z"
)
_ADJECTIVE = re.compile(r"\s?(?:long|tall|high|deep|wide|heavy|away|in (?:length|height|size))\b")


@dataclass(frozen=True, slots=True)
class Value:
    """What a sentence answers, as it is written there."""

    kind: str
    unit: str | None
    number: float | None
    date: Date | None
    written: str
    rounded: bool = False

    def same(self, other: Value) -> bool:
        """Return whether both say the same as far as each goes, or cannot be compared."""
        if self.date and other.date:
            return _same_date(self.date, other.date)
        if self.number is None or other.number is None:
            return True
        low, high = sorted((abs(self.number), abs(other.number)))
        if low == high or ((self.rounded or other.rounded) and high - low <= CLOSE * high):
            return True
        return _rounds_to(low, high) or _rounds_to(high, low)


def kind_asked(question: str) -> str | None:
    """Return the kind of value that a question asks for, or None: it asks for no value."""
    text = fold(question)
    if _NO_VALUE.match(text):
        return None
    return next((kind for kind, pattern in _KINDS if pattern.search(text)), None)


def values(question: str, kind: str, text: str) -> Iterator[Value]:
    """Yield the values in a text that may be the answer to a question of this kind."""
    if kind == "date":
        yield from _dates(text)
        return
    head = _head(question, kind)
    placed = list(_placed(text))
    beside = [
        (number, before, after)
        for number, before, after in placed
        if (_ADJECTIVE.match(after) if kind == "measure" else
            kind == "count" and head & canonical(_content(after)[:REACH]))
    ]  # fmt: skip
    placed = beside or placed  # "17 kilometres long and took nine years"
    for number, before, after in placed:
        near = canonical([*_content(after)[:REACH], *_content(before)[-BEFORE:]])
        if kind == "money":
            fits = number.unit in MONEY
        elif kind == "measure":
            fits = number.unit not in {None, "percent"} or bool(head & near)
        elif kind == "percent":
            fits = number.unit in {"percent", "point"}
        elif kind == "age":
            fits = number.unit == "year" or (number.unit is None and 0 < number.value < 120)
            fits = fits and bool(head & near)
        else:
            fits = number.unit is None and bool(head & near) and not is_year(number)
        if fits and not re.search(r"\bfrom\s+(?:[$€£¥]|us\$)?\Z", before):
            unit = "year" if kind == "age" else number.unit
            rounded = bool(_HEDGE.search(before))
            yield Value(kind, unit, number.value, None, number.written, rounded)


def _content(text: str) -> list[str]:
    return [word for word in text.split() if word not in STOPWORDS]


def _head(question: str, kind: str) -> frozenset[str]:
    """Return the terms of what is counted: "people" and "kill" of "How many people died"."""
    text = fold(question)
    if kind == "age":
        return canonical([word for run in names(question) for word in run])
    if kind != "count":
        return canonical(text.split()) & _UNITLESS
    if match := re.search(r"\b(?:how many|number of) ((?:[\w'’-]+ ?){1,4})", text):
        found = canonical(match[1].split())
        if "peopl" in found:  # "people" alone would fit any number of them
            found |= canonical(text[match.end() :].split()[:REACH]) & _HARM
            return (found & _HARM) or found
        return found
    return canonical(text.split()) & (_HARM | {"peopl"})


def _placed(text: str) -> Iterator[tuple[Number, str, str]]:
    """Yield the numbers of a text, each with what stands before and after it in its clause."""
    folded = re.sub(r"\s+", " ", fold(text))
    at = 0
    for number in numbers(text):
        start = folded.find(number.written, at)
        if start < 0:
            continue
        at = start + len(number.written)
        before = re.split(r"[;:()–—]|, (?!\Z)", folded[max(0, start - 60) : start])[-1]
        yield number, before, re.split(r"[;:()–—]|, ", folded[at : at + 60])[0]


def is_year(number: Number) -> bool:
    """Return whether a number looks like a year of recent centuries."""
    return number.value in range(1800, 2101) and "," not in number.written


def _dates(text: str) -> Iterator[Value]:
    found = [date for date in dates(text) if date.month and (date.day or date.year)]
    for date in found:
        yield Value("date", None, None, date, date.written)
    for number in numbers(text):
        if is_year(number) and number.unit is None and number.written.isdigit():
            year = int(number.value)
            yield Value("date", None, None, Date(number.written, year=year), number.written)


def _same_date(one: Date, other: Date) -> bool:
    known = [(a, b) for a, b in ((one.year, other.year), (one.month, other.month),
                                 (one.day, other.day)) if a and b]  # fmt: skip
    return all(a == b for a, b in known)


def _rounds_to(rough: float, exact: float) -> bool:
    """Return whether one number is the other one, rounded: 12,000 is 12,345."""
    if math.isinf(rough) or math.isinf(exact):
        return False
    if rough != int(rough):
        digits = len(repr(rough).partition(".")[2])
        return digits < 4 and round(exact, digits) == rough
    if exact != int(exact) and abs(exact) < 1_000:
        return round(exact) == rough
    zeros = len(str(int(rough))) - len(str(int(rough)).rstrip("0"))
    near = abs(rough - exact) <= CLOSE * abs(exact)  # 10,000 is not 6,600
    return zeros >= 2 and near and round(exact, -zeros) == rough


@lru_cache(maxsize=1)
def _canon() -> dict[str, str]:
    lines = [[stem(word) for word in line.split()] for line in SYNONYMS.split(";")]
    return {word: line[0] for line in lines for word in line[1:]}


def canonical(words: Sequence[str], *, stemmed: bool = False) -> frozenset[str]:
    """Return the stems of words, of SYNONYMS the same one."""
    found = words if stemmed else [stem(w.strip("'’\".?!")) for w in words if w not in STOPWORDS]
    canon = _canon()
    return frozenset(canon.get(word, word) for word in found if word)


_UNITLESS = frozenset(map(stem, "magnitude score".split()))
_HARM = frozenset(map(stem, "kill injure miss arrest damage".split()))
