"""Two articles that answer one question with different values: which numbers or dates of two
sentences are their answers, and whether they are about the same thing.

Made to be silent rather than wrong: two numbers are compared only where the question says what kind
of value it asks for, each sentence has one such value beside what was asked, and both sentences
share their subject.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import combinations

from rag.answering.values import Value, canonical, is_year, kind_asked, values
from rag.text.dates import DAYS, MONTHS, dates, day_of
from rag.text.names import missing_names, names
from rag.text.negation import polarity
from rag.text.numbers import UNITS, WORDS, numbers
from rag.text.terms import content_terms, fold, stem
from rag.types import Citation, Evidence

COVERED = 0.75  # share of the question's terms in the other sentence with its title
COVERED_ALONE = 0.5  # … in the sentence itself
SHARED = 3  # terms that both sentences have
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
    own = _value(question, kind, cited) if kind else None
    if own is None or not _says(claim, own):
        return []
    found: list[tuple[Value, Evidence | Citation]] = [(own, cited)]
    for other in others:
        if other.article == cited.article:
            continue
        value = _value(question, kind or "", other)
        if value is None or value.unit != own.unit or any(value.same(v) for v, _ in found):
            continue
        if _same_subject(question, value.kind, cited, other):
            found.append((value, other))
    return newest_first(found) if len(found) > 1 else []


def newest_first(
    found: Sequence[tuple[Value, Evidence | Citation]],
) -> list[tuple[Value, Evidence | Citation]]:
    """Return the sentences by date of publication; those without one stand last."""
    known = [(day_of(place.published), value, place) for value, place in found]
    dated = sorted((row for row in known if row[0]), key=lambda row: str(row[0]), reverse=True)
    return [(value, place) for _, value, place in [*dated, *(row for row in known if not row[0])]]


def _says(claim: str, value: Value) -> bool:
    """Return whether the claim gives the value, and not only its sentence."""
    if value.date:
        folded = fold(claim)
        return any(part in folded for part in value.written.split())
    return any(number.value == value.number for number in numbers(claim))


def _value(question: str, kind: str, place: Citation | Evidence) -> Value | None:
    found = set(values(question, kind, place.quote))
    return found.pop() if len(found) == 1 else None


def _same_subject(question: str, kind: str, cited: Citation | Evidence, other: Evidence) -> bool:
    asked = canonical(content_terms(question), stemmed=True) - _KIND_WORDS - _UNSAID
    one, two = _subject(cited.quote), _subject(other.quote)
    titled = two | _subject(other.title)
    both = one & two
    return (
        bool(asked)
        and len(asked & titled) >= COVERED * len(asked)
        and asked & one <= titled
        and asked & two <= one | _subject(cited.title)
        and min(len(asked & one), len(asked & two)) >= COVERED_ALONE * len(asked)
        and len(both) >= min(SHARED, len(one), len(two))
        and len(both) >= CONTAINED * min(len(one), len(two))
        and not missing_names(question, f"{other.title}\n{other.quote}")
        and not _other_names(cited, other)
        and not _other_time(kind, cited, other)
        and not _other_weekday(question, cited.quote, other.quote)
        and bool(_POSSIBLE.search(fold(cited.quote))) == bool(_POSSIBLE.search(fold(other.quote)))
        and bool(_denied(asked, cited.quote)) == bool(_denied(asked, other.quote))
    )


def _denied(asked: frozenset[str], text: str) -> frozenset[str]:
    return asked & canonical(sorted(polarity(text).inside), stemmed=True)


def _subject(text: str) -> frozenset[str]:
    told = [term for term in content_terms(text) if not term[0].isdigit()]
    return canonical(told, stemmed=True) - _UNSAID


def _other_names(one: Citation | Evidence, other: Evidence) -> bool:
    """Return whether each sentence names what the other one, with its title, does not."""
    first, second = (_SAID.sub(" ", place.quote) for place in (one, other))
    return bool(
        _missing(first, f"{other.title}\n{other.quote}")
        and _missing(second, f"{one.title}\n{one.quote}")
    )


def _missing(text: str, other: str) -> bool:
    return bool(names(text)) and bool(missing_names(text, other))


def _other_time(kind: str, one: Citation | Evidence, other: Evidence) -> bool:
    """Return whether the sentences speak of different days, months or years."""
    years = [_years(place.quote) for place in (one, other)]
    published = [day_of(place.published) for place in (one, other)]
    said = [dates(place.quote) for place in (one, other)]
    if kind == "date":  # "on March 8" of one year, and of another
        without = not any(years)
        return bool(without and published[0] and published[1]
                    and published[0].year != published[1].year)  # fmt: skip
    if years[0] and years[1] and not years[0] & years[1]:
        return True
    for n in (0, 1):
        day = published[1 - n]
        if years[n] and not years[1 - n] and (day is None or day.year not in years[n]):
            return True
    full = [{(d.month, d.day) for d in of if d.month} for of in said]
    return bool(full[0] and full[1] and not full[0] & full[1])


def _other_weekday(question: str, one: str, other: str) -> bool:
    """Return whether two texts, one of them the question, name different days of the week; the day
    on which something was said does not count.
    """
    said = [{d.weekday for d in dates(_SAID.sub(" ", t)) if d.weekday} for t in (one, other)]
    said.append({date.weekday for date in dates(question) if date.weekday})
    return any(a and b and not a & b for a, b in combinations(said, 2))


def _years(text: str) -> set[int]:
    found = {int(n.value) for n in numbers(text) if n.unit is None and is_year(n)}
    return found | {date.year for date in dates(text) if date.year}
