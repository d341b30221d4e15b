"""The ways to make a correct claim wrong: one function for each kind.

A function takes a claim, what is known of its article and a source of chance, and returns the
wrong claim, or None where the kind does not apply. Which of several places is changed is chance.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from random import Random


@dataclass(frozen=True, slots=True)
class Item:
    """A sentence of an article, which is a correct claim of itself."""

    set: str
    article: str
    claim: str
    around: tuple[str, ...]  # the sentence with the one before it and the one after it
    title: str
    published: str | None
    names: tuple[str, ...]  # of the article


Perturbation = Callable[[str, Item, Random], str | None]

SMALL = "two three four five six seven eight nine ten eleven twelve".split()
TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
MONTHS = (
    "January February March April May June July August September October November December"
).split()
DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()
_ORDINALS = "first second third fourth fifth sixth seventh eighth ninth tenth".split()
FIRST_NAMES = (
    "James John Robert Michael William David Richard Joseph Thomas Charles Christopher Daniel "
    "Matthew Anthony Mark Donald Steven Paul Andrew Joshua Kenneth Kevin Brian George Edward "
    "Ronald Timothy Jason Jeffrey Ryan Jacob Gary Nicholas Eric Jonathan Stephen Larry Justin "
    "Scott Brandon Benjamin Samuel Gregory Frank Alexander Raymond Patrick Jack Dennis Jerry "
    "Mary Patricia Jennifer Linda Elizabeth Barbara Susan Jessica Sarah Karen Nancy Lisa Betty "
    "Margaret Sandra Ashley Emily Donna Michelle Carol Amanda Dorothy Melissa Deborah Rebecca "
    "Laura Helen Anna Emma Joe Kamala Barack Boris Vladimir Elon Bill Hillary Martin Peter Henry "
    "Simon Tom Tim Mike Steve Chris Ben Sam Ian Alan Adam Arthur Louis Albert Victoria Jane"
).split()
ROLES = (
    "president|prime minister|vice president|senator|governor|mayor|secretary|minister|director|"
    "chairman|chairwoman|king|queen|prince|princess|general|colonel|captain|judge|justice|"
    "professor|doctor|coach|actor|actress|singer|author|architect|spokesman|spokeswoman|"
    "spokesperson|chief executive|ceo|attorney general|sheriff|ambassador|pope|bishop|commander"
)
PERSON = r"[A-Z][a-z’']+(?:\s(?:[A-Z]\.\s)?[A-Z][a-zA-Z’']+)?"
NAME = re.compile(
    r"\b[A-Z][\w’'-]*[a-z][\w’'-]*(?:\s(?:[A-Z]\.|[A-Z][\w’'-]*[a-z][\w’'-]*))*|\b[A-Z]{2,5}\b"
)
_COMMON = frozenset(
    "The A An In On At By For From He She It They We I You His Her Its Their But And Or If As When "
    "While After Before Since This That These Those There Here What Who Which How Why Where Then "
    "However Although Though Because During With Without Both Some Many Most All Each Every No Not "
    "Yes One Two Three Four Five Six Seven Eight Nine Ten Also Despite Under Over Our My Your So "
    "To Of First Second Third Other Another Such Today Yesterday Following According More Mr Mrs "
    "Ms Dr Other Several Only Even Now Still Instead Once Until About Between".split()
) | {*MONTHS, *DAYS}
_NUMBER = r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?"
_AFTER = rf"(?=[$€£]?(?:\d|(?:{'|'.join([*SMALL, *TENS, 'a', 'half'])})\b))"


def names_of(text: str) -> list[str]:
    """Return the runs of capitalised words that are names, without the common openers."""
    found = []
    for match in NAME.finditer(text):
        parts = match[0].split()
        while parts and parts[0] in _COMMON:
            parts.pop(0)
        while parts and parts[-1] in _COMMON:
            parts.pop()
        whole = " ".join(parts)
        if len(whole) > 2 and parts[0].lower() not in ROLES.split("|"):
            found.append(re.sub(r"['’]s?$", "", whole))
    return found


def _pick(pattern: str, claim: str, random: Random, flags: int = 0) -> re.Match[str] | None:
    found = list(re.finditer(pattern, claim, flags))
    return random.choice(found) if found else None


def _put(claim: str, span: tuple[int, int], new: str) -> str:
    old = claim[span[0] : span[1]]
    if old[:1].isupper() and new[:1].islower():
        new = new[0].upper() + new[1:]
    return claim[: span[0]] + new + claim[span[1] :]


def _swap_words(table: Mapping[str, str | Sequence[str]], after: str = "") -> Perturbation:
    """Return the kind that writes one of the words in the table as another."""
    keys = sorted(table, key=len, reverse=True)
    pattern = r"\b(?:" + "|".join(map(re.escape, keys)) + r")\b" + after

    def change(claim: str, _: Item, random: Random) -> str | None:
        if not (match := _pick(pattern, claim, random, re.IGNORECASE)):
            return None
        new = table[match[0].lower()]
        return _put(claim, match.span(), new if isinstance(new, str) else random.choice(new))

    return change


def _others(words: Sequence[str]) -> dict[str, list[str]]:
    return {word.lower(): [other for other in words if other != word] for word in words}


# Numbers.


def digits(claim: str, _: Item, random: Random) -> str | None:
    months = "|".join(MONTHS)
    pattern = rf"(?<![\w.,/-])(?:{_NUMBER})(?![\d/]|(?:st|nd|rd|th)\b|,\d|\.\d| (?:{months}))"
    found = [
        m for m in re.finditer(pattern, claim)
        if not re.fullmatch(r"1\d{3}|20\d\d", m[0])
        and not re.search(rf"(?:{months}|[A-Z][a-z]{{2}}\.) $", claim[: m.start()])
    ]  # fmt: skip
    if not found:
        return None
    match = random.choice(found)
    places = [i for i, c in enumerate(match[0]) if c.isdigit()]
    place = random.choice(places)
    lowest = 1 if place == 0 else 0
    new = random.choice([d for d in "0123456789"[lowest:] if d != match[0][place]])
    return _put(claim, match.span(), match[0][:place] + new + match[0][place + 1 :])


number_word = _swap_words(_others([*SMALL, *TENS]))


def range_end(claim: str, _: Item, random: Random) -> str | None:
    number = rf"[$€£]?(?:{_NUMBER})"
    pattern = rf"\b(?:{number})(?:%?\s?[-–]\s?|%? to |%? and )(?P<end>{number})(?![\d,./-])"
    match = _pick(pattern, claim, random)
    if not match or (" and " in match[0] and "between" not in claim[: match.start()].lower()):
        return None
    value = re.search(r"\d+", match["end"])
    if not value:
        return None
    start = match.start("end") + value.start()
    new = str(int(value[0]) + random.choice([1, 2, 3, 5]))
    return _put(claim, (start, start + len(value[0])), new)


reversed_bound = _swap_words(
    {
        "at least": "at most", "at most": "at least", "nearly": "more than", "almost": "more than",
        "more than": "less than", "less than": "more than", "fewer than": "more than",
        "up to": "at least", "over": "under", "under": "over",
    },
    rf"(?=\s{_AFTER})",
)  # fmt: skip


def _qualifier(words: str, new: str) -> Perturbation:
    def change(claim: str, _: Item, random: Random) -> str | None:
        match = _pick(rf"\b(?:{words})\s{_AFTER}", claim, random, re.IGNORECASE)
        return _put(claim, match.span(), new) if match else None

    return change


_ABOUT = "about|around|approximately|roughly|some|an estimated"
_BOUNDS = "nearly|almost|up to|at least|at most|more than|less than|over|fewer than"
exactly = _qualifier(f"{_ABOUT}|{_BOUNDS}", "exactly ")
bound_dropped = _qualifier(_BOUNDS, "")
about_dropped = _qualifier(_ABOUT, "")


def percent_points(claim: str, _: Item, random: Random) -> str | None:
    match = _pick(r"(?:(?<=\d)\s?%| (?:percent|per cent)(?:age points?)?\b)", claim, random)
    if not match:
        return None
    return _put(claim, match.span(), " percent" if "point" in match[0] else " percentage points")


def currency(claim: str, _: Item, random: Random) -> str | None:
    if match := _pick(r"(?:US)?\$(?=\d)|[€£](?=\d)", claim, random):
        return _put(claim, match.span(), "£" if match[0] == "€" else "€")
    words = {"dollars": "euros", "euros": "dollars", "pounds": "dollars", "francs": "dollars"}
    match = _pick(r"(?:(?<=\d )|(?<=on ))(?:dollars|euros|pounds|francs)\b", claim, random)
    return _put(claim, match.span(), words[match[0]]) if match else None


magnitude = _swap_words(
    {
        "million": ["billion", "thousand"], "billion": ["million", "trillion"],
        "trillion": "billion", "thousand": "million", "hundred": "thousand",
        "hundreds": "thousands", "thousands": "millions", "dozens": "hundreds",
        "millions": "thousands",
    }
)  # fmt: skip
unit = _swap_words(
    {
        "km": "miles", "kilometers": "miles", "kilometres": "miles", "miles": "kilometers",
        "meters": "feet", "metres": "feet", "feet": "metres", "inches": "feet", "mph": "km/h",
        "kg": "pounds", "pounds": "kg", "tons": "pounds", "years": "months", "months": "weeks",
        "weeks": "days", "days": "weeks", "hours": "minutes", "minutes": "hours", "acres": "miles",
        "year": "month", "hour": "minute", "mile": "kilometer", "foot": "metre", "week": "month",
    },
)  # fmt: skip


def _after_number(kind: Perturbation) -> Perturbation:
    """Only where a number stands before the unit."""
    number = rf"(?:\d|\b(?:{'|'.join([*SMALL, *TENS])}))"

    def change(claim: str, item: Item, random: Random) -> str | None:
        units = [m.span() for m in re.finditer(rf"{number}[\s-][a-z/]+", claim)]
        random.shuffle(units)
        for start, end in units:
            word = re.search(r"[a-z/]+$", claim[start:end])
            if word and (new := kind(word[0], item, random)):
                return _put(claim, (start + word.start(), end), new)
        return None

    return change


def ordinal(claim: str, _: Item, random: Random) -> str | None:
    pattern = rf"\b(?:(?P<n>\d+)(?:st|nd|rd|th)|{'|'.join(_ORDINALS)})\b"
    match = _pick(pattern, claim, random, re.IGNORECASE)
    if not match:
        return None
    if not match["n"]:
        return _put(claim, match.span(), random.choice(_others(_ORDINALS)[match[0].lower()]))
    n = int(match["n"]) + random.choice([1, 2])
    end = "th" if 10 < n % 100 < 14 else {1: "st", 2: "nd", 3: "rd"}.get(n % 10, "th")
    return _put(claim, match.span(), f"{n}{end}")


# Dates.


def day(claim: str, _: Item, random: Random) -> str | None:
    months = "|".join([*MONTHS, *(rf"{m[:3]}\." for m in MONTHS)])
    match = _pick(
        rf"(?P<d>\b\d\d?) (?:{months})\b|(?:{months}) (?P<e>\d\d?)(?!\d|,\d)", claim, random
    )
    if not match:
        return None
    group = "d" if match["d"] else "e"
    new = (int(match[group]) + random.choice([1, 2, 9])) % 28 + 1
    return _put(claim, match.span(group), str(new)) if new != int(match[group]) else None


month = _swap_words(_others([m for m in MONTHS if m not in {"March", "May"}]))
weekday = _swap_words(_others(DAYS))


def year(claim: str, _: Item, random: Random) -> str | None:
    match = _pick(r"(?<![\d,.$€£-])(?:1[5-9]\d\d|20[0-3]\d)(?![\d,%]*\d|s)", claim, random)
    return match and _put(
        claim, match.span(), str(int(match[0]) + random.choice([-10, -2, -1, 1, 2, 10]))
    )


_TIMES = "week month year".split()
relative = _swap_words(
    {"yesterday": "today", "today": "yesterday", "tomorrow": "yesterday"}
    | {
        f"{one} {time}": [f"{other} {time}" for other in ("last", "next") if other != one]
        + [f"{one} {other}" for other in _TIMES if other != time]
        for one in ("last", "next")
        for time in _TIMES
    }
)


def resolved(item: Item, days: int = 0) -> str | None:
    """Return the claim with its weekday or "yesterday" as the date that it is, or is not."""
    if not item.published:
        return None
    match = re.search(rf"\bon ({'|'.join(DAYS)})\b(?!,? (?:{'|'.join(MONTHS)}|[A-Z][a-z]+\.))"
                      r"|\b[Yy]esterday\b", item.claim)  # fmt: skip
    if not match or "next" in item.claim[: match.start()][-8:]:
        return None
    date = dt.date.fromisoformat(item.published)
    back = 1 if not match[1] else (date.weekday() - DAYS.index(match[1])) % 7
    date -= dt.timedelta(days=back - days)
    return _put(item.claim, match.span(), f"on {date.day} {MONTHS[date.month - 1]} {date.year}")


def published(_: str, item: Item, random: Random) -> str | None:
    return resolved(item, random.choice([-9, -8, -1, 1, 8, 30]))


# Names.


def _other_names(item: Item, claim: str, old: str) -> list[str]:
    """Return names of the article that are not in the claim, nor forms of one that is: "Greek"
    is not another name than "Greece".
    """
    mine = {word[:4] for word in re.findall(r"\w+", f"{old} {claim}".lower())}
    return [n for n in item.names if not mine & {w[:4] for w in re.findall(r"\w+", n.lower())}]


def _named(claim: str) -> list[tuple[int, int]]:
    found = []
    for name in dict.fromkeys(names_of(claim)):
        if (start := claim.find(name)) >= 0:
            found.append((start, start + len(name)))
    return found


def other_name(claim: str, item: Item, random: Random) -> str | None:
    spans = [span for span in _named(claim) if claim[: span[0]].strip(" \"“")]
    if not spans:
        return None
    span = random.choice(spans)
    others = _other_names(item, claim, claim[slice(*span)])
    return _put(claim, span, random.choice(others)) if others else None


def first_name(claim: str, _: Item, random: Random) -> str | None:
    pattern = rf"\b(?:{'|'.join(FIRST_NAMES)})(?=\s(?:[A-Z]\.\s)?[A-Z][a-z]+)"
    match = _pick(pattern, claim, random)
    if not match:
        return None
    return _put(claim, match.span(), random.choice([n for n in FIRST_NAMES if n not in claim]))


def initial(claim: str, _: Item, random: Random) -> str | None:
    pattern = rf"\b(?:{'|'.join(FIRST_NAMES)})(?=\s[A-Z][a-z]+)"
    if not (match := _pick(pattern, claim, random)):
        return None
    letters = [c for c in "BDFGHKLMNPRSTVW" if c not in {w[0] for w in claim.split()}]
    return _put(claim, match.span(), f"{random.choice(letters)}.")


def title_changed(claim: str, _: Item, random: Random) -> str | None:
    match = _pick(rf"\b(?:{ROLES})\b(?=,?\s[A-Z])|\b(?:{ROLES})\b(?= of )", claim, random, re.I)
    if not match:
        return None
    said = claim.lower()
    other = random.choice([role for role in ROLES.split("|") if role not in said])
    return _put(claim, match.span(), other.title() if match[0][0].isupper() else other)


def title_moved(claim: str, item: Item, random: Random) -> str | None:
    """Give the title of one person to another of the sentence, or of the article."""
    match = _pick(rf"\b(?i:{ROLES}) (?P<who>{PERSON})", claim, random)
    if not match:
        return None
    who = match["who"]
    here = [
        claim[slice(*s)] for s in _named(claim)
        if re.fullmatch(PERSON, claim[slice(*s)]) and claim[slice(*s)].split()[0] in FIRST_NAMES
        and claim[slice(*s)] not in match[0]
    ]  # fmt: skip
    elsewhere = [n for n in _other_names(item, claim, who) if n.split()[0] in FIRST_NAMES]
    if here:
        other = random.choice(here)
        swapped = claim.replace(who, "\0").replace(other, who).replace("\0", other)
        return swapped if swapped != claim else None
    return _put(claim, match.span("who"), random.choice(elsewhere)) if elsewhere else None


# Negation, modality, attribution.

_AUX = r"is|are|was|were|has|have|had|will|can|could|would|should|did|does|do|must"


def negated(claim: str, _: Item, random: Random) -> str | None:
    found = list(
        re.finditer(rf"\b(?:{_AUX})\b(?! not|n[’']t|[,.?]| (?:no|never|nothing|only|also)\b)", claim)
    )
    if not found:
        return None
    match = random.choice(found)
    return _put(claim, (match.end(), match.end()), " not")


def affirmed(claim: str, _: Item, random: Random) -> str | None:
    pattern = (
        rf"(?<=[a-z])(?: not| never)\b(?! (?:only|just|until|least|yet|all))|(?<=[a-z])n[’']t\b|"
        r"\b(?:without)\b|\bno (?=[a-z]+\b(?! (?:than|doubt|matter)))|\bcannot\b"
    )
    match = _pick(pattern, claim, random)
    if not match or re.search(r"\b(?:not|no)\b.*\b(?:but|until)\b", claim):
        return None
    word = match[0].strip().lower()
    new = {"without": "with", "cannot": "can", "no": "a "}.get(word, "")
    stems = {"ca": "can", "wo": "will", "sha": "shall"}  # can't, won't
    changed = _put(claim, match.span(), new)
    if word[-1:] == "t" and word[:1] == "n" and word != "not":
        before = re.search(r"\w+$", claim[: match.start()])
        if before and before[0].lower() in stems:
            changed = _put(changed, before.span(), stems[before[0].lower()])
    return changed


_MODAL = r"may|might|could"


def unmodal(claim: str, _: Item, random: Random) -> str | None:
    """Say plainly what may be."""
    rules = [
        (rf"\b(?:{_MODAL})(?: also| not)? have been\b", "was"), (rf"\b(?:{_MODAL}) have\b", "has"),
        (rf"\b(?:{_MODAL}) be\b", "is"), (rf"\b(?:{_MODAL})(?= [a-z]+\b)", "will"),
        (r"\b(?:is|are|was|were) (?:expected|likely|believed|thought|suspected) to be\b", "is"),
        (r"\b(?:is|are) (?:expected|likely|set|planning|hoping) to\b", "will"),
        (r"\b(?:possibly|probably|perhaps|likely|reportedly|allegedly) (?=[a-z]+)", ""),
        (r"\b(?:suspected|alleged|possible|potential|proposed|planned) (?=[a-z]+)", ""),
    ]  # fmt: skip
    random.shuffle(rules)
    for pattern, new in rules:
        match = _pick(pattern, claim, random)
        if match and claim[match.start() - 1 : match.start()] != "(":
            return _put(claim, match.span(), new)
    return None


def certain(claim: str, _: Item, random: Random) -> str | None:
    """Say for certain what may be, or what is only said."""
    if match := _pick(rf"\b(?:{_MODAL})\b(?= [a-z])", claim, random):
        return _put(claim, match.span(), random.choice(["will certainly", "will definitely"]))
    if match := _pick(r"\b(?:possibly|probably|perhaps|likely|reportedly)\b", claim, random):
        return _put(claim, match.span(), random.choice(["certainly", "definitely", "undoubtedly"]))
    return None


_STRONG = (
    "warned|denied|claimed|alleged|argued|feared|predicted|suspected|proposed|threatened|"
    "suggested|believed|believes|claims|suggests|argues|fears|warns|predicts|denies|alleges|"
    "speculated|hoped|hopes|expects|expected"
)


def plain(claim: str, _: Item, random: Random) -> str | None:
    """Say as a fact what somebody only claims, fears, denies …"""
    match = _pick(rf"^(?:[^,;:\"“]{{3,80}}) (?:{_STRONG}) that (?=\w+ \w+ \w+)", claim, random)
    if match and not re.search(r"\b(?:who|which)\b", match[0]):
        rest = claim[match.end() :]
        return rest[0].upper() + rest[1:]
    match = _pick(rf", (?:he|she|they|{PERSON}) (?:{_STRONG})\.$", claim, random)
    return claim[: match.start()] + "." if match else None


def other_verb(claim: str, item: Item, random: Random) -> str | None:
    """Say that somebody said or confirmed what they denied, claimed, feared …"""
    match = _pick(rf"\b(?:{_STRONG}) that\b", claim, random)
    if not match:
        return None
    denied = match[0].startswith("den")
    return _put(claim, match.span(), "said that" if denied else "confirmed that")


_SAID = "said|says|told|announced|added|wrote|explained|noted|tweeted|stated"


def other_speaker(claim: str, item: Item, random: Random) -> str | None:
    """Say that somebody else said it, if possible somebody else of the sentence."""
    name = rf"(?P<who>{PERSON}(?:\s[A-Z][\w’']+)*|[A-Z]{{2,5}})"
    pattern = rf"(?:according to (?:the )?{name}|(?:^|[,”\"] ){name.replace('who', 'too')} (?:{_SAID})\b)"
    match = _pick(pattern.replace("too", "you"), claim, random, 0)
    if not match:
        return None
    group = "who" if match["who"] else "you"
    who = match[group]
    if who.split()[0] in _COMMON:
        return None
    here = [claim[slice(*s)] for s in _named(claim) if s[0] > 0]
    here = [n for n in here if not {w[:4] for w in n.split()} & {w[:4] for w in claim.split()
            if w in who.split()} and re.search(rf"{re.escape(n)}(?!-|\w)", claim)]  # fmt: skip
    here = [name for name in here if not any(part in name for part in who.split())]
    others = here or _other_names(item, claim, who)
    return _put(claim, match.span(group), random.choice(others)) if others else None


# Who did what to whom.

_MUTUAL = frozenset(
    "met married divorced played faced fought joined replaced discussed agreed shared included "
    "tied merged contacted talked based located".split()
)
_DONE = (
    "beat|won|made|took|bought|sold|gave|led|built|wrote|sent|shot|told|held|sued|hit|struck|drove|"
    "defeated|wrote|saw|found|kept|taught|brought|caught|sought"
)
_THE = r"(?:[Tt]he|[Aa]n?|[Hh]is|[Hh]er|[Tt]heir|[Ii]ts)(?: [a-z]+)? [a-z]+"


def swapped_names(claim: str, item: Item, random: Random) -> str | None:
    """Exchange the names on both sides of a verb."""
    spans = sorted(_named(claim))
    pairs = []
    for one, two in zip(spans, spans[1:], strict=False):
        between = claim[one[1] : two[0]].strip()
        words = between.split()
        verb = re.fullmatch(
            rf"(?:(?:had|has|have|was|were|is|later|then|also) )*(?P<v>[a-z]+ed|{_DONE})"
            r"(?: (?:the|a|by|to|against|from|with))*",
            between,
        )
        if verb and len(words) <= 6 and verb["v"] not in _MUTUAL and "with" not in words:
            pairs.append((one, two))
    if not pairs:
        return None
    one, two = random.choice(pairs)
    first, second = claim[slice(*one)], claim[slice(*two)]
    return claim[: one[0]] + second + claim[one[1] : two[0]] + first + claim[two[1] :]


def swapped_nouns(claim: str, _: Item, random: Random) -> str | None:
    """Exchange "the union" and "the company" on both sides of a verb."""
    pattern = (
        rf"(?:^|(?<=, ))(?P<a>{_THE}) (?:(?:has|had|have|was|were|also) )*(?P<v>[a-z]+ed|{_DONE}) "
        rf"(?:by |to )?(?P<b>{_THE})(?=[,.]| (?:in|on|at|after|by|for|with|during|to|and|from) )"
    )
    match = _pick(pattern, claim, random)
    if not match or match["v"] in _MUTUAL or match["a"].lower() == match["b"].lower():
        return None
    if match["v"] in {"was", "were", "used", "need", "seed", "indeed"}:
        return None
    one, two = match.span("a"), match.span("b")
    subject = match["b"][0].upper() + match["b"][1:] if match["a"][0].isupper() else match["b"]
    return (
        claim[: one[0]] + subject + claim[one[1] : two[0]]
        + match["a"][0].lower() + match["a"][1:] + claim[two[1] :]
    )  # fmt: skip


KINDS: dict[str, Perturbation] = {
    "number in digits": digits, "number in words": number_word, "end of a range": range_end,
    "bound reversed (at least → at most)": reversed_bound, "approximate → exactly": exactly,
    "bound dropped (up to 50 → 50)": bound_dropped, "about dropped (about 50 → 50)": about_dropped,
    "percent ↔ percentage points": percent_points, "currency": currency, "magnitude": magnitude,
    "unit": _after_number(unit), "ordinal": ordinal, "day of a date": day, "month": month,
    "year": year, "weekday": weekday, "relative date": relative,
    "date against publication date": published, "another name": other_name,
    "first name": first_name, "initial": initial, "title changed": title_changed,
    "title moved": title_moved, "negation inserted": negated, "negation removed": affirmed,
    "modality removed": unmodal, "certainty added": certain, "attribution removed": plain,
    "attribution verb (denied → said)": other_verb, "attributed to another": other_speaker,
    "subject ↔ object, names": swapped_names, "subject ↔ object, nouns": swapped_nouns,
}  # fmt: skip
