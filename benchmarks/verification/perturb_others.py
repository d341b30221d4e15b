"""Wrong claims of what another did: the deed, number, date or place of somebody else nearby."""

from __future__ import annotations

import re
from collections.abc import Sequence
from random import Random

from benchmarks.verification.perturb_base import (
    COMMON,
    DAYS,
    FIRST_NAMES,
    MONTHS,
    NUMBER,
    Item,
    names_of,
    pick,
    put,
)
from benchmarks.verification.perturb_relations import QUOTED

# A finite verb in the past, or what begins one: enough to see where a subject ends.
_VERB = (
    r"(?:was|were|is|are|has|had|have|will|would|can|could|did|does|became|began|broke|brought|"
    r"built|bought|came|caught|chose|cut|drew|drove|fell|felt|fled|flew|fought|found|gave|got|grew|"
    r"heard|held|hit|kept|knew|laid|led|left|lent|lost|made|met|paid|put|ran|rose|said|sank|sat|saw"
    r"|sent|set|shot|sold|sought|spent|spoke|stood|struck|swept|swore|taught|thought|threw|told|"
    r"took|went|withdrew|won|wore|wrote|beat|(?!(?:need|seed|speed|hundred|indeed|bed|red|based|"
    r"called|named|known|born|aged|dated|titled|located|situated|dubbed|entitled|loved)\b)"
    r"[a-z]{2,}ed)"
)
_ADVERB = r"(?:(?:also|later|then|soon|already|finally|eventually|initially|reportedly|now) )?"
_WORD = r"[A-Z][\w’'.-]*[\w’']"
_NAME = rf"(?:{_WORD}(?: (?:of |de |van |von |al-|the )?{_WORD}){{0,3}})"
_APPOSITION = r"(?:(?:The|An?|His|Her|Its|Their) (?:[\w’'-]+ ){0,4}[a-z]+, )"
_SUBJECT = re.compile(
    rf"^(?:{_APPOSITION})?(?P<name>{_NAME})(?: \([^()]*\))?(?:, [^,]{{3,60}},)? {_ADVERB}"
    rf"(?P<deed>{_VERB}\b.+)\.$"
)
# A deed with one of these may be true of the other, too.
_OF_MORE = re.compile(
    r"\b(?:also|too|as well|both|each other|one another|together|all|same|another|respectively|"
    r"similarly|likewise|others?|neither|either|among|instead|former|latter|not|never|no|none|"
    r"cannot|members?)\b|n[’']t\b"
)
_LINKED = re.compile(r"\b(?:he|she|it|they|him|them|who|we|our|I|my)\b")
_SPEECH = (
    r"said|says|announced|claimed|reported|confirmed|told [\w ]{2,30}|added|wrote|believes|"
    r"believed|argued|admitted|revealed|noted|stated|warned|alleged|denied|thought"
)
_SUBORDINATE = r"after|before|when|because|although|though|until|once"


def _subject(sentence: str, item: Item) -> tuple[str, str] | None:
    """Return the name that a sentence begins with, and what it says that this one did."""
    match = _SUBJECT.match(sentence)
    if not match or QUOTED.search(sentence) or not _known(match["name"], item):
        return None
    if len(match["deed"].split()) < 3:
        return None
    return match["name"], match["deed"]


def _known(name: str, item: Item) -> bool:
    """Return whether the words of a name stand in the midst of sentences of the article, too: the
    first word of a sentence is no name for its capital.
    """
    if name.split(maxsplit=1)[0] in COMMON or re.search(r"[’']s?\b", name):
        return False
    words = {word for known in item.names for word in known.split()}
    return set(name.split()) <= words | {"of", "de", "van", "von", "the"}


def _alike(one: str, two: str) -> bool:
    """Return whether two names may be of the same: they share the beginning of a word, one is in
    the other, or is its initials.
    """
    mine, yours = (
        {word[:4] for word in re.findall(r"\w+", name.lower()) if len(word) > 2}
        for name in (one, two)
    )
    short, long = sorted((one, two), key=len)
    initials = "".join(word[0] for word in re.findall(r"[A-Z]\w*", long))
    bare = short.replace(".", "").removesuffix("s")
    return bool(mine & yours) or bare == initials or bare.lower() in long.lower()


def _apart(who: str, deed: str) -> bool:
    """Return whether a deed is told of one alone, and does not speak of ``who``."""
    return not _OF_MORE.search(deed) and not any(
        _alike(who, name) for name in names_of(f"x {deed}")
    )


def _neighbours(item: Item) -> list[str]:
    return [quote for quote in item.around if quote != item.claim]


def _short(deed: str) -> str:
    """Return a deed up to its first clause of another."""
    return re.split(r", (?:and|but|while|which|who|where|as|after)\b|;", deed)[0].rstrip(" ,")


# In the same sentence.


def deed_in_sentence(claim: str, item: Item, random: Random) -> str | None:
    """Give the one of a sentence what the other of it did."""
    found = [*_coordinated(claim, item), *_spoken(claim, item), *_told_of(claim, item)]
    return random.choice(found) if found else None


def _coordinated(claim: str, item: Item) -> list[str]:
    """Of "A …, and B …": "A" with what B did, and "B" with what A did; of "A … after B …": "A" with
    what B did.
    """
    found = []
    for match in re.finditer(
        rf"(?:(?P<side>, (?:and|but)|,? (?:while|whereas))|,? (?:{_SUBORDINATE})) |; ", claim
    ):
        one = _subject(claim[: match.start()] + ".", item)
        two = _subject(claim[match.end() :], item)
        if not one or not two or _alike(one[0], two[0]):
            continue
        pairs = [(one[0], two[1])]
        if match["side"] or match[0] == "; ":
            pairs.append((two[0], one[1]))
        found += [
            f"{who} {_short(deed)}."
            for who, deed in pairs
            if _apart(who, deed) and not _LINKED.search(_short(deed))
        ]
    return found


def _spoken(claim: str, item: Item) -> list[str]:
    """Of "A said B resigned": "A resigned"."""
    match = re.match(
        rf"^(?P<who>{_NAME}) (?:{_SPEECH})(?: on \w+day)? (?:that )?(?P<rest>[A-Z].*)$", claim
    )
    told = match and _subject(match["rest"], item)
    if not match or not told or not _known(match["who"], item):
        return []
    who, (name, deed) = match["who"], told
    if _alike(who, name) or not _apart(who, deed):
        return []
    return [f"{who} {_short(deed)}."]


def _told_of(claim: str, item: Item) -> list[str]:
    """Of "A praised B, who resigned": "A resigned"."""
    match = re.match(
        rf"^(?P<one>.+ (?P<name>{_NAME})), who (?:had |has )?(?P<deed>{_VERB}\b[^,;]+)[,.]", claim
    )
    mine = match and _subject(match["one"] + ".", item)
    if not match or not mine or _alike(mine[0], match["name"]):
        return []
    who, deed = mine[0], match["deed"]
    if not _known(match["name"], item) or not _apart(who, deed) or _LINKED.search(deed):
        return []
    return [f"{who} {deed}."] if len(deed.split()) > 2 else []


# In the sentence before or after it.


def deed_of_neighbour(claim: str, item: Item, random: Random) -> str | None:
    """Give who the sentence is about what another did in the sentence before or after it."""
    mine = _subject(claim, item)
    if not mine:
        return None
    found = [
        f"{mine[0]} {_short(other[1])}."
        for quote in _neighbours(item)
        if (other := _subject(quote, item))
        and not _alike(mine[0], other[0])
        and _apart(mine[0], quote)
    ]
    return random.choice(found) if found else None


_MONTHS = "|".join(MONTHS)
_YEAR = r"(?<![\d,.$€£–-])(?<!\bat )(?:1[5-9]\d\d|20[0-3]\d)(?![\d,%–-]*\d|s|–|-)"
_DAY = rf"\b(?:{_MONTHS}) \d\d?\b(?!,\d)|\b\d\d? (?:{_MONTHS})\b"
_COUNT = (
    rf"(?<![\w.,/–:-])(?<!\. )(?!(?:1[5-9]\d\d|20[0-3]\d)\b(?![,.]\d))(?P<n>{NUMBER})"
    rf"(?P<unit>%|[  ](?!{_MONTHS}|and\b|to\b|or\b|in\b|on\b|at\b|of\b|p\.?m|a\.?m)[a-z]+)"
)
_ABOUT_BEFORE = re.compile(
    r"^[“\"]?(?:He|She|It|They|His|Her|Its|Their|This|That|These|Those|The|Another|Other|Both|Also"
    r"|But he|But she|But it|But they|And)\b"
)


def _of_neighbour(
    pattern: str, claim: str, item: Item, random: Random, group: str | int = 0
) -> tuple[re.Match[str], list[re.Match[str]]] | None:
    """Return a match in the claim, and those of other texts in neighbours that name somebody else
    and nobody of the claim.
    """
    match = None if QUOTED.search(claim) else pick(pattern, claim, random)
    mine = names_of(f"x {claim}")
    if not match or not mine:
        return None
    found = []
    for quote in _neighbours(item):
        theirs = names_of(f"x {quote}")
        apart = theirs and not any(_alike(one, two) for one in mine for two in theirs)
        if apart and not _ABOUT_BEFORE.match(quote) and not _OF_MORE.search(quote):
            found += [m for m in re.finditer(pattern, quote) if m[group] not in claim]
    return (match, found) if found else None


def number_of_neighbour(claim: str, item: Item, random: Random) -> str | None:
    """Write the number that a sentence beside it has of another, if possible of the same unit."""
    if not (pair := _of_neighbour(_COUNT, claim, item, random, "n")):
        return None
    match, found = pair
    alike = [m for m in found if m["unit"].strip() == match["unit"].strip()] or found
    return put(claim, match.span("n"), random.choice(alike)["n"])


def date_of_neighbour(claim: str, item: Item, random: Random) -> str | None:
    """Write the day, weekday or year that a sentence beside it has of another."""
    for pattern in random.sample((_DAY, _YEAR, rf"\b(?:{'|'.join(DAYS)})\b"), 3):
        if pair := _of_neighbour(pattern, claim, item, random):
            return put(claim, pair[0].span(), random.choice(pair[1])[0])
    return None


_WIDE = frozenset(
    "Europe Asia Africa America Americas England Britain Scotland Wales Ireland France "
    "Germany Italy Spain Portugal Netherlands Belgium Austria Switzerland Poland Russia "
    "Ukraine China Japan India Australia Canada Mexico Brazil Argentina Israel Iran Iraq "
    "Syria Turkey Egypt Lebanon Palestine California Texas Florida Ohio Michigan Georgia "
    "Virginia Carolina Pennsylvania Illinois Arizona Nevada Oregon Washington Alaska Hawaii "
    "Louisiana Massachusetts Wisconsin Minnesota Colorado States Kingdom Jersey Union Sweden "
    "Norway Denmark Finland Greece Korea Zealand Normandy Gaza".split()
)
_PLACE = (
    rf"(?<!positions )(?<!interest )(?<!stake )(?<!Best )(?<!Profile )\b(?:in|at|near) "
    rf"(?P<at>(?!(?:{_MONTHS}|{'|'.join(DAYS)})\b)[A-Z][a-z]{{2,}}(?: [A-Z][a-z]{{2,}}){{0,2}})"
    rf"(?!, [A-Z]\w+(?:,| and)|,? and [A-Z])(?=[.,;]| (?:on|in|and|to|for|when|where|after|before"
    rf"|by|with|during|from)\b)"
)


def place_of_neighbour(claim: str, item: Item, random: Random) -> str | None:
    """Write the place that a sentence beside it has of another; no country for a town of it."""
    if not (pair := _of_neighbour(_PLACE, claim, item, random, "at")):
        return None
    match, found = pair
    wide = _is_wide(match["at"])
    places = [m["at"] for m in found if _is_wide(m["at"]) == wide]
    return put(claim, match.span("at"), random.choice(places)) if places else None


def _is_wide(place: str) -> bool:
    return bool(_WIDE & set(place.split()))


# Who the title is about.

_NO_AGENTS = frozenset("CNN Opinion USA TODAY House Senate New Fast Day Year Prop Wade".split())


def title_name(claim: str, item: Item, random: Random) -> str | None:
    """Give the deed of another to the one whose name the title has, in place of that one's name
    or of the "he" that stands for it.
    """
    titled = _title_names(item)
    if not titled:
        return None
    who = random.choice(titled)
    mine = _subject(claim, item)
    initials = "".join(word[0] for word in re.findall(r"[A-Z]\w*", item.title))
    if mine and not _alike(who, mine[0]) and _apart(who, claim) and mine[0] != initials:
        return f"{who} {mine[1]}."
    pronoun = re.match(rf"^(?:He|She) {_ADVERB}(?P<deed>{_VERB}\b.+)\.$", claim)
    before = item.around[0]
    if not pronoun or before == claim or QUOTED.search(claim):
        return None
    people = set(names_of(f"x {before}"))
    if len(people) != 1 or not all(_is_person(name) for name in people):
        return None
    return f"{who} {pronoun['deed']}." if _apart(who, f"{before} {claim}") else None


def title_name_after_yes(claim: str, item: Item, random: Random) -> str | None:
    """The same as an answer to whether that one did it."""
    wrong = title_name(claim, item, random)
    return f"Yes, {wrong}" if wrong else None


def _title_names(item: Item) -> Sequence[str]:
    """Return the names in a title that may have done something: those that the article has, no
    adjectives, and of a title that is a topic only a person's.
    """
    headline = len(item.title.split()) > 4
    found = [name for name in names_of(f"x {item.title}") if _known(name, item)]
    return [
        name
        for name in found
        if not _NO_AGENTS & set(name.split())
        and not _is_wide(name)
        and not re.search(r"\d|(?:ian|can|ese|ish|ans|[a-z]ists?)$", name)
        and (headline or _is_person(name))
        and f"of {name}" not in item.title
    ]


def _is_person(name: str) -> bool:
    return name.split(maxsplit=1)[0] in FIRST_NAMES
