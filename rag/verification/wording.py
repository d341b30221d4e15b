"""Text → the tokens that the literal check compares: stems, numbers by their value in any notation,
and the small words that bind them.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

from rag.text.terms import fold, stem

_LISTS = tomllib.loads(Path(__file__).with_name("words.toml").read_text(encoding="utf-8"))


def listed(name: str) -> frozenset[str]:
    """Return a list of words.toml."""
    return frozenset(_LISTS[name].split())


_FREE, _BINDING = listed("free"), listed("binding")
_SAME: dict[str, str] = _LISTS["same"]
_SPACE = "\u0020\u00a0\u2009\u202f"  # between the thousands of a number
_NUMBER = rf"\d{{1,3}}(?:[,{_SPACE}]\d{{3}})+(?![\d,.]*\d)(?:\.\d+)?|\d+(?:\.\d+)?"
_TOKEN = re.compile(
    rf"(?P<currency>US\$|[$€£¥₹₽₩])?(?<![\w.,])(?P<number>{_NUMBER})"
    r"(?P<rank>(?:st|nd|rd|th)\b)?(?:(?P<glued>k|m|mn|bn|tn)\b)?(?P<percent>\s?%)?"
    r"|(?P<word>(?:[^\W\d_]\.){2,}|[^\W_]+(?:['’][^\W_]+)*)"
    r"|(?P<mark>[,;:()\[\]\"“”„«»!?]|\s[–—-]{1,2}\s|—|\.(?=\s|$))"
)
_SMALL = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
    "sixteen seventeen eighteen nineteen"
).split()
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
_VALUES = {word: value for value, word in enumerate(_SMALL)} | {"dozen": 12}
_VALUES |= {word: 10 * value for value, word in enumerate(_TENS, 2)}
_TIMES = {"hundred": 1e2, "thousand": 1e3, "million": 1e6, "billion": 1e9, "trillion": 1e12}
_GLUED = {"k": 1e3, "m": 1e6, "mn": 1e6, "bn": 1e9, "tn": 1e12}
_CURRENCIES = dict(zip("$€£¥₹₽₩", "dollar euro pound yen rupee rouble won".split(), strict=True))
_CURRENCIES["us$"] = "dollar"
_SHARES = (
    (re.compile(r"\b(?:a|one) quarter of\b", re.IGNORECASE), "25% of"),
    (re.compile(r"\bthree[ -]quarters of\b", re.IGNORECASE), "75% of"),
)
_PLURAL = re.compile(r"\s+(?:[a-z]+s|people)\b")
_DASHES = {"–": "-", "—": "-", "--": "-"}

Kind = Literal["word", "number", "unit", "times", "binding", "mark"]


@dataclass(frozen=True, slots=True)
class Token:
    """A word, number or mark of a text."""

    key: str  # what is compared
    kind: Kind
    text: str  # lower case
    name: bool = False  # capitalised, and not because it comes first

    def same(self, other: Token) -> bool:
        """Return whether the two say the same."""
        return self.key == other.key and (
            self.kind == other.kind or "word" in {self.kind, other.kind}
        )


@lru_cache(maxsize=1024)
def tokens(text: str) -> tuple[Token, ...]:
    """Return the tokens of a text, without the words that mean nothing here."""
    for pattern, share in _SHARES:
        text = pattern.sub(share, text)
    found: list[Token] = []
    for match in _TOKEN.finditer(text):
        if match["number"]:
            found += _number_tokens(match, text[match.end() :])
        elif match["word"]:
            found += _word_tokens(match["word"], first=all(token.kind == "mark" for token in found))
        else:
            mark = match["mark"].strip()
            found.append(Token(_DASHES.get(mark, mark), "mark", mark))
    return tuple(_elided(_possessions(_joined(found))))


def _key(value: float) -> str:
    return f"#{value:.9g}"


def _value(token: Token) -> float:
    return float(token.key[1:].removesuffix("th"))


def _number_tokens(match: re.Match[str], following: str) -> Iterator[Token]:
    value = float(re.sub(rf"[,{_SPACE}]", "", match["number"]))
    unit, glued = _CURRENCIES.get((match["currency"] or "").lower()), match["glued"]
    if glued == "m" and not unit and not _PLURAL.match(following):
        unit, glued = "metre", None
    key = _key(value * _GLUED.get(glued or "", 1))
    yield Token(key + ("th" if match["rank"] else ""), "number", match[0])
    if unit:
        yield Token(unit, "unit", unit)
    if match["percent"]:
        yield Token("percent", "word", "%")


def _word_tokens(written: str, *, first: bool) -> Iterator[Token]:
    low = fold(written).replace("’", "'")
    if low.endswith("n't"):
        yield from _word_tokens(low[:-3] or "do", first=False)
        yield Token("not", "binding", low)
        return
    low = low.removesuffix("'s").replace(".", "")
    if low in _FREE:
        return
    if low in {"has", "have", "had"}:
        yield Token("has", "binding", low)
    elif low in _VALUES:
        yield Token(_key(_VALUES[low]), "number", low)
    elif low in _TIMES:
        yield Token(low, "times", low)
    elif low in _SAME or low in _BINDING:
        yield Token(_SAME.get(low, low), "binding", low)
    else:
        yield Token(stem(low), "word", low, name=written[:1].isupper() and not first)


def _joined(found: Sequence[Token]) -> list[Token]:
    """Return the tokens with numbers of several words as one, and units written out as their
    signs: "twenty-five", "$3 billion", "per cent", "by 5%".
    """
    joined: list[Token] = []
    for token in found:
        last = joined[-1] if joined else None
        if token.kind == "times":
            at = -2 if last and last.kind == "unit" and len(joined) > 1 else -1
            if joined and joined[at].kind == "number":
                value = _value(joined[at]) * _TIMES[token.text]
                joined[at] = Token(_key(value), "number", joined[at].text)
            else:
                joined.append(Token(stem(token.text), "word", token.text))
        elif last and last.text in _TENS and token.text in _SMALL[1:10]:
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
        following = row[n + 1] if n + 1 < len(row) else None
        if following and following.kind in {"word", "unit"} and not following.name:
            noun = following
        elif noun and (
            following is None
            or following.kind == "mark"
            or following.key in {"and", "but", "while"}
        ):
            yield noun
