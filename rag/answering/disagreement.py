"""Two articles that answer one question with different values: which numbers or dates of two
sentences are their answers, and whether they are about the same thing.

Made to be silent rather than wrong: two numbers are compared only where the question says what kind
of value it asks for, each sentence has one such value beside what was asked, and both sentences
share their subject.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

from rag.text.dates import DAYS, MONTHS, Date, dates, day_of
from rag.text.names import missing_names, names
from rag.text.negation import polarity
from rag.text.numbers import UNITS, WORDS, Number, numbers
from rag.text.terms import STOPWORDS, content_terms, fold, stem
from rag.types import Citation, Evidence

COVERED = 0.75  # share of the question's terms in the other sentence with its title
COVERED_ALONE = 0.5  # … in the sentence itself
SHARED_TERMS = 3  # terms that both sentences have
CONTAINED = 0.5  # share of the shorter sentence's terms that the other one has
# Words of a question that say what kind of value it wants, not of what.
_KIND_WORDS = frozenset(
    map(stem, "many much number amount total percent percentage proportion date day month".split())
)
_POSSIBLE = re.compile(
    r"\b(?:could|may|might|up to|as many as|as much as|at most|expected|forecasts?|projected"
    r"|predict(?:ed|s)?|feared|if|unless|hopes?|hoped|target|goal|proposed|offered|sought)\b"
)
_SAID = re.compile(
    r"\baccording to [^,.;]{1,80}"
    r"|\b[A-Z][^,.;]{0,60} (?:said|says|told \w+|announced|reported|confirmed)\b"
    r"|\b(?:said|says|told|announced|reported) [^,.;]{1,60}"
)  # "Mayor Ann Okoye said": who says it is not what it is about
# Terms that say nothing about a subject: numbers have a check of their own.
UNSAID = """
least about more than nearly over around up now still say accord hundred thousand million billion
percent dollar new far also latest official report
"""
_UNSAID = frozenset(map(stem, [*UNSAID.split(), *DAYS, *MONTHS, *WORDS, *UNITS]))


def disagreeing(
    question: str, claim: str, cited: Citation | Evidence, others: Sequence[Evidence]
) -> list[tuple[Value, Evidence | Citation]]:
    """Return the cited sentence and those of other articles that answer the question with other
    values, each with its value, the newest first; nothing when no other value was found.

    At most one sentence for each value.
    """
    kind = kind_asked(question)
    own = _single_value(question, kind, cited) if kind else None
    if own is None or not _says(claim, own):
        return []
    sentences: list[tuple[Value, Evidence | Citation]] = [(own, cited)]
    for other in others:
        if other.article == cited.article:
            continue
        value = _single_value(question, kind or "", other)
        if value is None or value.unit != own.unit or any(value.same(v) for v, _ in sentences):
            continue
        if _same_subject(question, value.kind, cited, other):
            sentences.append((value, other))
    return newest_first(sentences) if len(sentences) > 1 else []


def newest_first(
    sentences: Sequence[tuple[Value, Evidence | Citation]],
) -> list[tuple[Value, Evidence | Citation]]:
    """Return the sentences by date of publication; those without one stand last."""
    return sorted(sentences, key=lambda row: str(day_of(row[1].published) or ""), reverse=True)


def _says(claim: str, value: Value) -> bool:
    """Return whether the claim gives the value, and not only its sentence."""
    if value.date:
        folded = fold(claim)
        return any(part in folded for part in value.written.split())
    return any(number.value == value.number for number in numbers(claim))


def _single_value(question: str, kind: str, sentence: Citation | Evidence) -> Value | None:
    candidates = set(values(question, kind, sentence.quote))
    return candidates.pop() if len(candidates) == 1 else None


def _same_subject(question: str, kind: str, cited: Citation | Evidence, other: Evidence) -> bool:
    terms = canonical(content_terms(question), stemmed=True) - _KIND_WORDS - _UNSAID
    one, two = _subject_terms(cited.quote), _subject_terms(other.quote)
    titled = two | _subject_terms(other.title)
    both = one & two
    return (
        bool(terms)
        and len(terms & titled) >= COVERED * len(terms)
        and terms & one <= titled
        and terms & two <= one | _subject_terms(cited.title)
        and min(len(terms & one), len(terms & two)) >= COVERED_ALONE * len(terms)
        and len(both) >= min(SHARED_TERMS, len(one), len(two))
        and len(both) >= CONTAINED * min(len(one), len(two))
        and not missing_names(question, f"{other.title}\n{other.quote}")
        and not _other_names(cited, other)
        and not _other_time(kind, cited, other)
        and not _other_weekday(question, cited.quote, other.quote)
        and bool(_POSSIBLE.search(fold(cited.quote))) == bool(_POSSIBLE.search(fold(other.quote)))
        and bool(_denied(terms, cited.quote)) == bool(_denied(terms, other.quote))
    )


def _denied(terms: frozenset[str], text: str) -> frozenset[str]:
    return terms & canonical(sorted(polarity(text).inside), stemmed=True)


def _subject_terms(text: str) -> frozenset[str]:
    subject = [term for term in content_terms(text) if not term[0].isdigit()]
    return canonical(subject, stemmed=True) - _UNSAID


def _other_names(one: Citation | Evidence, other: Evidence) -> bool:
    """Return whether each sentence names what the other one, with its title, does not."""
    first, second = (_SAID.sub(" ", sentence.quote) for sentence in (one, other))
    return bool(
        _missing(first, f"{other.title}\n{other.quote}")
        and _missing(second, f"{one.title}\n{one.quote}")
    )


def _missing(text: str, other: str) -> bool:
    return bool(names(text)) and bool(missing_names(text, other))


def _other_time(kind: str, one: Citation | Evidence, other: Evidence) -> bool:
    """Return whether the sentences speak of different days, months or years."""
    years = [_years(sentence.quote) for sentence in (one, other)]
    published = [day_of(sentence.published) for sentence in (one, other)]
    if kind == "date":  # "on March 8" of one year, and of another
        if any(years) or not (published[0] and published[1]):
            return False
        return published[0].year != published[1].year
    if years[0] and years[1] and not years[0] & years[1]:
        return True
    for n in (0, 1):
        day = published[1 - n]
        if years[n] and not years[1 - n] and (day is None or day.year not in years[n]):
            return True
    full = [
        {(date.month, date.day) for date in dates(sentence.quote) if date.month}
        for sentence in (one, other)
    ]
    return bool(full[0] and full[1] and not full[0] & full[1])


def _other_weekday(question: str, one: str, other: str) -> bool:
    """Return whether two texts, one of them the question, name different days of the week; the day
    on which something was said does not count.
    """
    weekdays = [{d.weekday for d in dates(_SAID.sub(" ", t)) if d.weekday} for t in (one, other)]
    weekdays.append({date.weekday for date in dates(question) if date.weekday})
    return any(a and b and not a & b for a, b in combinations(weekdays, 2))


def _years(text: str) -> set[int]:
    years = {int(n.value) for n in numbers(text) if n.unit is None and is_year(n)}
    return years | {date.year for date in dates(text) if date.year}


# The value that a question asks for, and the values of a sentence that may be its answer: how
# many, how much money, what share, how long, how old, when.

WORDS_AFTER, WORDS_BEFORE = (
    4,
    6,
)  # content words after and before a number among which is what it counts
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
KIND_PATTERNS = {
    "age": r"\bhow old\b|\bwhat (?:is|was) .{1,60}\bage\b|\bat what age\b",
    "percent": (
        r"\b(?:what|which) (?:per ?cent(?:age)?|proportion|share|rate)\b"
        r"|\bhow many per ?cent|\b(?:unemployment|inflation|interest|growth|approval"
        r"|turnout|vacancy) rate\b"
    ),
    "money": (
        r"\bhow much\b.{0,99}\b(?:cost|pay|paid|spen[dt]|sell|sold|worth|price|raise|earn|owe"
        r"|fine|charge|invest|donate|give|g[ai]ven?|buy|bought|los[et]|ma[dk]e|money|ticket)"
        r"(?:d|s|ed)?\b|\b(?:cost|price|fine|fee|fare|budget|salary|revenue|profit)s?\b"
    ),
    "measure": (
        r"\bhow (?:long|far|tall|high|deep|wide|heavy|fast|large|big|much)\b"
        r"|\bwhat (?:is|was|were) .{0,40}\b(?:length|height|weight|speed|distance|depth"
        r"|area|temperature|capacity|magnitude|size)\b"
    ),
    "date": r"\bwhen\b|\b(?:what|which) (?:year|date|day|month)\b",
    "count": r"\bhow many\b|\bnumber of\b|\btoll\b|\bpopulation\b",
}
_KINDS = {kind: re.compile(pattern, re.IGNORECASE) for kind, pattern in KIND_PATTERNS.items()}
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
            a, b = self.date, other.date
            pairs = [(a.year, b.year), (a.month, b.month), (a.day, b.day)]
            return all(one == two for one, two in pairs if one and two)
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
    return next((kind for kind, pattern in _KINDS.items() if pattern.search(text)), None)


def values(question: str, kind: str, text: str) -> Iterator[Value]:
    """Yield the values in a text that may be the answer to a question of this kind."""
    if kind == "date":
        yield from _dates(text)
        return
    head = _head(question, kind)
    candidates = list(_numbers_in_clauses(text))
    adjacent = [
        (number, before, after)
        for number, before, after in candidates
        if (
            _ADJECTIVE.match(after)
            if kind == "measure"
            else kind == "count" and head & canonical(_content(after)[:WORDS_AFTER])
        )
    ]
    candidates = adjacent or candidates  # "17 kilometres long and took nine years"
    for number, before, after in candidates:
        near = canonical([*_content(after)[:WORDS_AFTER], *_content(before)[-WORDS_BEFORE:]])
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
        counted = canonical(match[1].split())
        if "peopl" in counted:  # "people" alone would fit any number of them
            counted |= canonical(text[match.end() :].split()[:WORDS_AFTER]) & _HARM
            return (counted & _HARM) or counted
        return counted
    return canonical(text.split()) & (_HARM | {"peopl"})


def _numbers_in_clauses(text: str) -> Iterator[tuple[Number, str, str]]:
    """Yield the numbers of a text, each with what stands before and after it in its clause."""
    folded = re.sub(r"\s+", " ", fold(text))
    position = 0
    for number in numbers(text):
        start = folded.find(number.written, position)
        if start < 0:
            continue
        position = start + len(number.written)
        before = re.split(r"[;:()–—]|, (?!\Z)", folded[max(0, start - 60) : start])[-1]
        yield number, before, re.split(r"[;:()–—]|, ", folded[position : position + 60])[0]


def is_year(number: Number) -> bool:
    """Return whether a number looks like a year of recent centuries."""
    return number.value in range(1800, 2101) and "," not in number.written


def _dates(text: str) -> Iterator[Value]:
    for date in dates(text):
        if date.month and (date.day or date.year):
            yield Value("date", None, None, date, date.written)
    for number in numbers(text):
        if is_year(number) and number.unit is None and number.written.isdigit():
            year = int(number.value)
            yield Value("date", None, None, Date(number.written, year=year), number.written)


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


_SYNONYM_STEMS = [[stem(word) for word in line.split()] for line in SYNONYMS.split(";")]
_CANON = {word: first for first, *others in _SYNONYM_STEMS for word in others}


def canonical(words: Sequence[str], *, stemmed: bool = False) -> frozenset[str]:
    """Return the stems of words, of SYNONYMS the same one."""
    stems = words if stemmed else [stem(w.strip("'’\".?!")) for w in words if w not in STOPWORDS]
    return frozenset(_CANON.get(word, word) for word in stems if word)


_UNITLESS = frozenset(map(stem, "magnitude score".split()))
_HARM = frozenset(map(stem, "kill injure miss arrest damage".split()))
