"""Numbers, units and dates in a text, brought to one form: "12,000" = "twelve thousand",
"3.5%" = "3.5 per cent", "$4m" = "four million dollars", "Oct. 23" = "23 October".
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from rag.text.dates import dates_with_spans
from rag.text.terms import fold_spaces

# The name of each unit and how else it is written; "_" is a space.
_UNIT_FORMS = """
percent: % percent per_cent; point: percentage_point points; dollar: $ us$ usd; euro: € eur;
pound: £ gbp lb; yen: ¥; rupee: ₹; rouble: ₽; won: ₩; canadian_dollar: c$; australian_dollar: a$;
kilometre: km kilometer; metre: m meter; centimetre: cm; millimetre: mm; kilogram: kg kilo;
foot: ft feet; inch: inches; second: sec; minute: min; hour: hr; mph: mph
"""
UNITS = {
    form.replace("_", " "): unit.strip().replace("_", " ")
    for unit, forms in (line.split(":") for line in _UNIT_FORMS.split(";"))
    for form in forms.split()
} | {
    word: word
    for word in (
        "dollar euro pound yen yuan rouble ruble rupee cent kilometre metre centimetre mile foot "
        "inch yard acre hectare gram kilogram tonne ton ounce litre liter gallon barrel second "
        "minute hour day week month year decade century degree watt kilowatt megawatt gigawatt "
        "volt byte megabyte gigabyte terabyte"
    ).split()
}
_SMALL = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen "
    "fifteen sixteen seventeen eighteen nineteen"
).split()
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
WORDS = {word: n for n, word in enumerate(_SMALL)} | {
    word: 10 * n for n, word in enumerate(_TENS, start=2)
}
MAGNITUDES = {
    "hundred": 1e2,
    "thousand": 1e3,
    "million": 1e6,
    "billion": 1e9,
    "trillion": 1e12,
    "k": 1e3,
    "m": 1e6,
    "mn": 1e6,
    "mln": 1e6,
    "bn": 1e9,
    "tn": 1e12,
    "dozen": 12,
}
_RANKS = (
    "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth "
    "fourteenth fifteenth sixteenth seventeenth eighteenth nineteenth"
).split()
ORDINALS = {word: n for n, word in enumerate(_RANKS, start=1)} | {
    f"{word[:-1]}ieth": n for word, n in WORDS.items() if word in _TENS
}

_UNIT = "|".join(sorted((re.escape(unit) for unit in UNITS if unit.isalpha()), key=len)[::-1])
_NUMBER_WORD = "|".join([*WORDS, *MAGNITUDES])
_RANKS_TO_NINE = "|".join(_RANKS[:9])
NUMBER = re.compile(
    r"(?P<currency>(?:us|\b[ac])\$|[$€£¥₹₽₩])?\s?"
    r"(?P<digits>(?<![\w.])\d{1,3}(?:,\d{3})+(?:\.\d+)?|(?<![\w.,])\d+(?:\.\d+)?)"
    r"(?:(?P<ordinal>st|nd|rd|th)\b)?"
    r"(?:[\s-]?(?P<magnitude>hundred|thousand|million|billion|trillion|dozen|mn|mln|bn|tn|k|m)\b)?"
    rf"(?:\s?(?P<sign>%|per\s?cent(?:age points?)?\b)|[\s-]?(?P<unit>{_UNIT})s?\b)?"
    rf"|\b(?P<words>(?:{_NUMBER_WORD})"
    rf"(?:(?:[\s-]|(?:(?<=hundred)|(?<=thousand)|(?<=million))\sand\s)(?:{_NUMBER_WORD}))*)\b(?!-(?:{_RANKS_TO_NINE})\b)"
    rf"(?:[\s-](?P<sign2>per\s?cent(?:age points?)?)\b|[\s-](?P<unit2>{_UNIT})s?\b)?"
)


@dataclass(frozen=True, slots=True)
class Number:
    """A value with its unit's one name, or None, and the characters it was written with."""

    value: float
    unit: str | None
    written: str


def numbers(text: str) -> list[Number]:
    """Return the numbers in a text, those in its dates left out (years alone are numbers)."""
    folded = fold_spaces(text)
    for _, (start, end) in dates_with_spans(folded):
        folded = folded[:start] + "\0" * (end - start) + folded[end:]
    return [number for match in NUMBER.finditer(folded) if (number := _number(match, folded))]


_CENTURY = re.compile(r"(1[0-9]|20)\d\d[-–/]$")  # of "2018–19"


def _number(match: re.Match[str], text: str) -> Number | None:
    written = match[0].strip()
    start = match.end() - len(match[0].lstrip())
    if match["digits"]:
        value = float(match["digits"].replace(",", ""))
        magnitude = match["magnitude"]
        unit = match["sign"] or match["currency"] or match["unit"]
        if magnitude == "m" and not match["currency"]:
            magnitude, unit = None, "m"
        value *= MAGNITUDES.get(magnitude or "", 1)
        if century := _CENTURY.search(text[max(0, start - 5) : start]):
            value += 100 * int(century[1]) if match["digits"].isdigit() and value < 100 else 0
        if text[match.end() : match.end() + 1] == "s" and value % 10 == 0 and value > 1000:
            unit = "era"
    else:
        words = re.split(r"[\s-]+(?:and )?", match["words"])
        if words == ["one"] or all(word in {"k", "m", "mn", "mln", "bn", "tn"} for word in words):
            return None  # "one of them"
        value, unit = _value(words), match["sign2"] or match["unit2"]
    value = float(f"{value:.9g}")  # so that 3.3 million is 3,300,000
    return Number(value, "era" if unit == "era" else _unit(unit), written)


def _value(words: list[str]) -> float:
    total, current = 0.0, 0.0
    for word in words:
        if word in WORDS:
            current += WORDS[word]
        elif word == "hundred":
            current = max(current, 1) * 100
        else:
            total += max(current, 1) * MAGNITUDES[word]
            current = 0.0
    return total + current


def _unit(written: str | None) -> str | None:
    if not written:
        return None
    plain = re.sub(r"\s+", " ", written).replace("percent ", "per cent ")
    if plain.startswith(("percentage point", "per centage point")):
        return "point"
    return UNITS.get(plain) or UNITS.get(plain.rstrip("s"), plain)
