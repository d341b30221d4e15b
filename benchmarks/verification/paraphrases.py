"""Light paraphrases by rule, which keep what a sentence says."""

from __future__ import annotations

import re
from collections.abc import Callable
from random import Random

from benchmarks.verification.perturb_base import DAYS, FIRST_NAMES, MONTHS, PERSON, SMALL

Change = Callable[[str], str]
_DIGITS = {word: str(n) for n, word in enumerate(SMALL, start=2)}
_SPOKEN = {digit: word for word, digit in _DIGITS.items()}
_MONTHS = "|".join(MONTHS)


def numbers(text: str) -> str:
    """Small numbers in words ↔ in digits, "4,200" → "4200"."""
    text = re.sub(rf"\b(?:{'|'.join(SMALL)})\b(?=\s[a-z])(?! of\b)", lambda m: _DIGITS[m[0]], text)
    months = "".join(rf"(?<!{month} )(?<!{month[:3]}\. )" for month in MONTHS)
    text = re.sub(
        rf"{months}(?<![\w.,$€£:/–-])(?<!\w-)\b\d\d?(?= [a-z]{{3,}}\b)"
        r"(?! (?:million|billion|thousand|percent|per|to)\b)",
        lambda m: _SPOKEN.get(m[0], m[0]),
        text,
    )
    return re.sub(r"(?<![\d,.])(\d),(\d{3})(?![,.]?\d)", r"\1\2", text)


def money(text: str) -> str:
    """ "$3.5 million" → "3.5 million dollars", "5%" → "5 percent"."""
    text = re.sub(
        r"(?<![A-Z])\$(\d[\d,.]*\d|\d)((?: (?:million|billion|trillion))?)"
        r"(?![\d,-]|\.\d| (?:m|b|tr)illion)",
        r"\1\2 dollars",
        text,
    )
    return re.sub(r"(?<=\d)%", " percent", text)


def date(text: str) -> str:
    """ "October 23, 2024" ↔ "23 October 2024"; "Oct." for "October"."""
    if re.search(rf"\d (?:to|and|or) (?:(?:{_MONTHS}) )?\d", text):
        return text  # a range
    changed = re.sub(rf"\b({_MONTHS}) (\d\d?), (\d{{4}})\b,?", r"\2 \1 \3", text)
    if changed == text:
        changed = re.sub(rf"\b(\d\d?) ({_MONTHS}) (\d{{4}})\b", r"\2 \1, \3", text)
    return re.sub(
        r"\b(January|February|August|September|October|November|December)(?= \d)",
        lambda m: {"September": "Sept."}.get(m[0], f"{m[0][:3]}."),
        changed,
    )


def surname(text: str) -> str:
    """The surname of a person alone."""
    return re.sub(rf"\b(?:{'|'.join(FIRST_NAMES)}) (?:[A-Z]\. )?(?=[A-Z][a-z]+\b)", "", text)


def said(text: str) -> str:
    """ "S, X said." ↔ "X said that S."."""
    if match := re.fullmatch(rf"([A-Z][^“”\"]+), ({PERSON}|he|she|they) (said|announced)\.", text):
        rest = match[1]
        if not re.match(r"[A-Z]\w*\s[A-Z]|I\b|[A-Z]{2}", rest):
            rest = rest[0].lower() + rest[1:]
        who = match[2][0].upper() + match[2][1:]
        return f"{who} {match[3]} that {rest}."
    if match := re.fullmatch(rf"({PERSON}|He|She|They) (said|announced) that ([^“”\"]+)\.", text):
        who = match[1] if match[1] not in {"He", "She", "They"} else match[1].lower()
        return f"{match[3][0].upper()}{match[3][1:]}, {who} {match[2]}."
    return text


def clause(text: str) -> str:
    """Without a relative clause or a bracket in its midst, or its first "In 1990,"."""
    shorter = re.sub(r" \([^()]{3,80}\)|, (?:which|who) [^,;:.“”\"]{5,80},(?= [a-z])", "", text)
    if shorter == text:
        shorter = re.sub(r"^(?:In|On|At|After|During|By) [^,“”\"]{3,50}, (?=[A-Z])", "", text)
    return shorter if len(shorter) > 0.5 * len(text) else text


def voice(text: str) -> str:
    """ "X was led by Y" → "Y led X", where the sentence has only two names and a regular verb."""
    name = rf"(?:{PERSON}|[A-Z]{{2,5}})"
    if match := re.fullmatch(rf"({name}) (?:was|were) ([a-z]+ed) by ({name})([^,;:“”\"]*)\.", text):
        return f"{match[3]} {match[2]} {match[1]}{match[4]}."
    if match := re.fullmatch(
        rf"({name}) ([a-z]+[^e]ed) ({name})( (?:in|on|at|after|during) [^,;:“”\"]+)?\.", text
    ):
        return f"{match[3]} was {match[2]} by {match[1]}{match[4] or ''}."
    return text


def short_forms(text: str) -> str:
    """ "did not" → "didn't", "cannot" → "can't" and back."""
    changed = re.sub(r"\b(did|does|do|is|are|was|were|could|would) not\b", r"\1n't", text)
    if changed == text:
        changed = re.sub(r"\b(did|does|do|is|are|was|were|could|would)n[’']t\b", r"\1 not", text)
    return changed.replace("cannot", "can't")


def weekday(text: str) -> str:
    """The day at the end of the sentence moved to its front."""
    match = re.fullmatch(rf"([A-Z][^“”\"]+?) (on (?:{'|'.join(DAYS)}))\.", text)
    return f"{match[2][0].upper()}{match[2][1:]}, {match[1]}." if match else text


CHANGES: tuple[Change, ...] = (
    voice,
    said,
    clause,
    numbers,
    money,
    date,
    surname,
    short_forms,
    weekday,
)


def paraphrase(claim: str, random: Random) -> str:
    """Return the claim after each change with probability 0.7; often as it was."""
    quoted = re.search(r"[\"“”]", claim)  # what is quoted must not be changed
    for change in CHANGES:
        if random.random() < 0.7 and not (quoted and change in {numbers, money, date, short_forms}):
            claim = change(claim)
    return claim
