"""Text → the tokens that the literal check compares: stems, numbers by their value in any notation,
and the small words that bind them.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Literal

from rag.text.dates import MONTHS
from rag.text.numbers import MAGNITUDES, UNITS, WORDS
from rag.text.terms import BASE_FORM, fold, stem

_LISTS = tomllib.loads(Path(__file__).with_name("words.toml").read_text(encoding="utf-8"))


@cache
def listed(name: str) -> frozenset[str]:
    """Return a list of words.toml."""
    return frozenset(_LISTS[name].split())


_SAME: dict[str, str] = _LISTS["same"]
_SPACE = "\u0020\u00a0\u2009\u202f"  # between the thousands of a number
_NUMBER = rf"\d{{1,3}}(?:[,{_SPACE}]\d{{3}})+(?![\d,.]*\d)(?:\.\d+)?|\d+(?:\.\d+)?"
_TOKEN = re.compile(
    rf"(?P<minus>(?<![\w)])[-−](?=\S?\d))?(?P<currency>US\$|[$€£¥₹₽₩])?"
    rf"(?<![\w.,])(?P<number>{_NUMBER})"
    r"(?P<rank>(?:st|nd|rd|th)\b)?(?:(?P<glued>k|m|mn|bn|tn)\b)?(?P<percent>\s?%)?"
    r"|(?P<word>(?:[^\W\d_]\.){2,}|[^\W_]+(?:['’][^\W_]+)*)"
    r"|(?P<mark>[,;:()\[\]\"“”„«»!?]|\s[–—-]{1,2}\s|—|\.(?=\s|$))"
)
_VALUES = WORDS | {"dozen": 12}
_TIMES = {word: times for word, times in MAGNITUDES.items() if len(word) > 5}
_SHARES = (
    (re.compile(r"\b(?:a|one)\s+quarter\s+of\b", re.IGNORECASE), "25% of"),
    (re.compile(r"\bthree[\s-]+quarters\s+of\b", re.IGNORECASE), "75% of"),
)
_PLURAL = re.compile(r"\s+(?:[a-z]+s|people)\b")
_ALIKE = {"–": "-", "—": "-", "--": "-"} | dict.fromkeys("“”„«»", '"')
_MONTHS = {number: name for name, number in reversed(MONTHS.items())}  # in full
_DATE = re.compile(
    rf"\b({'|'.join(name.title() for name in MONTHS)})\.?\s+(\d\d?)(?:st|nd|rd|th)?\b(?![,.]?\d)"
    r"(?:(?:,|\s)\s*(\d{4})\b)?"
)
_ABBREVIATION = re.compile(r"(?<![\w.])([A-Z][a-z]{0,4})\.(?=\s+\S)")  # "Mr. Beck", "Oct. 3"
_SINGLE_QUOTES = re.compile(r"(?<!\w)['‘](?=[^\W\d_])([^'’]*(?:\w['’]\w[^'’]*)*)['’](?!\w)")

Kind = Literal["word", "number", "unit", "times", "binding", "mark"]


@dataclass(frozen=True, slots=True)
class Token:
    """A word, number or mark of a text."""

    key: str  # what is compared
    kind: Kind
    text: str  # lower case
    name: bool = False  # capitalised, and not because it comes first
    first: bool = False  # capitalised, and it comes first
    asked: str = ""  # the do, does or did of a question: a verb then has another form in an answer

    def among(self, name: str) -> bool:
        """Return whether it is in a list of words.toml."""
        return self.text in listed(name) or self.key in listed(name)

    def same(self, other: Token) -> bool:
        """Return whether the two say the same."""
        if self.key == other.key:
            return self.kind == other.kind or "word" in {self.kind, other.kind}
        if not self.asked or self.name or stem(self.text) != stem(other.text):
            return False
        if self.asked == "did":
            return is_past(other)
        return other.text in {f"{self.text}s", f"{self.text}es", f"{self.text[:-1]}ies"}


def is_past(token: Token) -> bool:
    """Return whether a token looks like the past of a verb."""
    is_plural = token.text in listed("plurals")
    return token.kind == "word" and (
        token.text.endswith("ed") or (token.text in BASE_FORM and not is_plural)
    )


@lru_cache(maxsize=1024)
def tokens(text: str) -> tuple[Token, ...]:
    """Return the tokens of a text, without the words that mean nothing here."""
    text = _ABBREVIATION.sub(r"\1", _SINGLE_QUOTES.sub(r'"\1"', text))
    text = _DATE.sub(lambda m: f"{m[2]} {m[1]} {m[3] or ''}", text)
    for pattern, share in _SHARES:
        text = pattern.sub(share, text)
    found: list[Token] = []
    start = re.search(r"\w", text)
    for match in _TOKEN.finditer(text):
        if match["number"]:
            found += _number_tokens(match, text[match.end() :])
        elif match["word"]:
            first = start is not None and match.start() == start.start()
            found += _word_tokens(match["word"], first=first)
        else:
            mark = match["mark"].strip()
            found.append(Token(_ALIKE.get(mark, mark), "mark", mark))
    return tuple(_elided(_possessions(_joined(found))))


def _key(value: float) -> str:
    return f"#{value:.9g}"


def _value(token: Token) -> float:
    return float(token.key[1:].removesuffix("th"))


def _number_tokens(match: re.Match[str], following: str) -> Iterator[Token]:
    value = float(re.sub(rf"[,{_SPACE}]", "", match["number"]))
    unit, glued = UNITS.get((match["currency"] or "").lower()), match["glued"]
    if glued == "m" and not unit and not _PLURAL.match(following):
        unit, glued = "metre", None
    key = _key(value * MAGNITUDES.get(glued or "", 1) * (-1 if match["minus"] else 1))
    yield Token(key + ("th" if match["rank"] else ""), "number", match[0])
    if unit:
        yield Token(unit, "unit", unit)
    if match["percent"]:
        yield Token("percent", "word", "%")


def _word_tokens(written: str, *, first: bool) -> Iterator[Token]:
    low = fold(written).replace("’", "'")
    if low.endswith("n't") or low == "cannot":
        verb = {"ca": "can", "wo": "will", "": "do", "can": "can"}.get(low[:-3], low[:-3])
        yield from _word_tokens(verb, first=False)
        yield Token("not", "binding", low)
        return
    owner = low.endswith("'s")
    low = low.removesuffix("'s").replace(".", "")
    if low == "may" and written == "May" and not first:
        yield Token("May", "word", "may (month)", name=True)
    elif low in listed("free"):
        pass
    elif low in {"has", "have", "had"}:
        yield Token("has", "binding", low)
    elif low in _VALUES:
        yield Token(_key(_VALUES[low]), "number", low)
    elif low in _TIMES:
        yield Token(low, "times", low)
    elif low in _SAME or low in listed("binding"):
        yield Token(_SAME.get(low, low), "binding", low)
    else:
        key = UNITS.get(low) or UNITS.get(low.removesuffix("s")) or low
        key = _MONTHS[MONTHS[low]] if low in MONTHS else key
        name = written[:1].isupper() and not first
        is_first = written[:1].isupper() and first
        yield Token(key, "word", f"{low}'s" if owner else low, name, is_first)


def _joined(found: Sequence[Token]) -> list[Token]:
    """Return the tokens with numbers of several words as one, and units written out as their
    signs: "twenty-five", "$3 billion", "per cent", "by 5%".
    """
    joined: list[Token] = []
    for token in found:
        last = joined[-1] if joined else None
        if token.key == "that" and last and last.text in listed("saying"):
            continue
        if token.kind == "times":
            at = -2 if last and last.kind == "unit" and len(joined) > 1 else -1
            if joined and joined[at].kind == "number":
                value = _value(joined[at]) * _TIMES[token.text]
                joined[at] = Token(_key(value), "number", joined[at].text)
            else:
                joined.append(Token(token.text, "word", token.text))
        elif last and WORDS.get(last.text, 0) > 19 and 0 < WORDS.get(token.text, 0) < 10:
            joined[-1] = Token(_key(_value(last) + _value(token)), "number", token.text)
        elif token.text == "percent" or (token.text == "cent" and last and last.key == "per"):
            joined = joined[: -1 if token.text == "cent" else None]
            joined.append(Token("percent", "word", token.text))
        else:
            joined.append(token)
        if [t.key for t in joined[-1:]] == ["percent"] and [t.key for t in joined[-3:-2]] == ["by"]:
            del joined[-3]
    return joined


def _possessions(found: Sequence[Token]) -> Iterator[Token]:
    """Yield the tokens without auxiliary "has"; "has 420 pupils" as "with 420 pupils"."""
    for n, token in enumerate(found):
        if token.key != "has":
            yield token
        elif n + 1 < len(found) and found[n + 1].kind == "number":
            yield Token("with", "binding", token.text)


def _elided(found: Iterator[Token]) -> Iterator[Token]:
    """Yield the tokens with the noun a further number leaves out: "310 cars; the other 120"."""
    row, noun = list(found), None
    for n, token in enumerate(row):
        yield token
        if token.kind != "number":
            continue
        before, following = row[n - 1 : n], row[n + 1] if n + 1 < len(row) else None
        if following and following.kind in {"word", "unit"} and not following.name:
            noun = following
        elif re.fullmatch(r"[12]\d{3}", token.text) or (before and before[0].key in MONTHS):
            continue  # a year or a day has no noun
        elif noun and (
            following is None
            or following.kind == "mark"
            or following.key in {"and", "but", "while"}
        ):
            yield noun
