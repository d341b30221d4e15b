"""Wrong claims of the same words: order, amount, direction, cause, and who won, sold or lent."""

from __future__ import annotations

import re
from itertools import combinations
from random import Random

from benchmarks.verification.perturb_base import (
    COMMON,
    DAYS,
    MONTHS,
    NUMBER,
    Item,
    Perturbation,
    pick,
    put,
)

QUOTED = re.compile(r"[“”\"]")  # another word in a quotation is a wrong quotation, too
_CLAUSE_END = (
    r"(?=\.?$|[.;] |,(?! [A-Z])| (?:in|on|by|after|for|as|during|and|with|since|before|when|while"
    r"|at)\b)"
)
_NAMED = r"(?:the )?[A-Z][\w’'-]+(?: (?:of )?(?:the )?[A-Z][\w’'-]+){0,2}"


def exchanged(claim: str, one: tuple[int, int], two: tuple[int, int]) -> str:
    """Return the claim with two of its parts in each other's place."""
    first, second = claim[slice(*one)], claim[slice(*two)]
    return claim[: one[0]] + second + claim[one[1] : two[0]] + first + claim[two[1] :]


def rewritten(*rules: tuple[str, str]) -> Perturbation:
    """Return the kind that applies one of these substitutions, drawn by chance, at one place."""

    def change(claim: str, _: Item, random: Random) -> str | None:
        if QUOTED.search(claim):
            return None
        for pattern, new in random.sample(rules, len(rules)):
            if match := pick(pattern, claim, random):
                return put(claim, match.span(), match.expand(new))
        return None

    return change


# Order in time.

_TIMELESS = (
    r"(?!(?: (?:an? |the |his |her |its |their )?(?:\w+ )?(?:court|judges?|committee|panel|jury|"
    r"parliament|congress|house|senate|council|tribunal|board|public|crowd|audience|cameras?|"
    r"commission|all|which|that|this|then|long|nightfall|sell-out)\b| \d+ (?:years|months|"
    r"weeks|days|hours|minutes)| (?:years|months|weeks|days|decades|\w+ years)\b))"
)
before_after = rewritten(
    (rf"(?<=[a-z\d,] )before\b{_TIMELESS}", "after"),
    (
        rf"(?<!named )(?<!look )(?<!looked )(?<!looking )(?<!sought )(?<!called )(?<!take )"
        rf"(?<!takes )(?<!took )(?<!and )(?<!until )(?<!go )(?<!goes )(?<!went )(?<!modelled )"
        rf"(?<!modeled )(?<!styled )(?<!patterned )(?<!day )(?<!year )(?<!run )(?<!come )"
        rf"(?<=[a-z\d,] )after\b{_TIMELESS}",
        "before",
    ),
    (rf"^Before\b{_TIMELESS}", "After"),
    (rf"^After\b{_TIMELESS}", "Before"),
)

# Amount.

_PLURAL = r"(?= (?:[a-z]+ )?(?:people|men|women|children|players|officials|[a-z]{3,}[^s\W]s)\b)"
quantifier = rewritten(
    (rf"(?:(?<=^)|(?<=, ))(?:Some|some|Many|many|Most|most|Few|A few){_PLURAL}", "all"),
    (
        r"\b(?:[Ss]ome|[Mm]any|[Mm]ost|[Ss]everal|[Ff]ew|[Hh]alf|[Mm]uch) of "
        r"(?=the|its|his|her|their)",
        "all of ",
    ),
    (r"\b[Nn]one of (?=the|its|his|her|their)", "all of "),
    (r"(?:(?<=^)|(?<=, ))(?:All|all|Every|every) of (?=the|its|his|her|their)", "only some of "),
    (
        rf"(?:(?<=^)|(?<=, )|(?<=by )|(?<=with )|(?<=for )|(?<=in ))(?<!not )[Aa]ll{_PLURAL}",
        "only some",
    ),
    (
        r"(?:(?<=^)|(?<=, )|(?<=by )|(?<=with )|(?<=for ))(?<!not )[Aa]ll (?=the [a-z]+s\b)",
        "only some of ",
    ),
)

_ADJECTIVES = (
    "higher lower; larger smaller; bigger smaller; older younger; faster slower; longer shorter; "
    "better worse; stronger weaker; earlier later; greater smaller; cheaper dearer; richer poorer; "
    "taller shorter; wider narrower; heavier lighter; warmer colder; fewer more; more less"
)
_CONVERSE = {
    one: other
    for pair in _ADJECTIVES.split("; ")
    for one, other in (pair.split(), pair.split()[::-1])
}
_MOVED = (
    r"(?= (?:by|from|to|sharply|slightly|steadily|nearly|almost|about|more than|less than|over|"
    r"another|some|an?) [^.]{0,12}[\d%]| \d)"
)
_THAN = r"(?= [^,.;]{2,60}\bthan\b)(?! than (?:\d|half|an?\b|one|two|three))"


def comparison(claim: str, item: Item, random: Random) -> str | None:
    """Say that what is more is less, that what rose fell, that the older is the younger."""
    if QUOTED.search(claim):
        return None
    words = "|".join(_CONVERSE)
    pattern = (
        rf"\b(?:{words})\b{_THAN}|\b(?:higher|lower|larger|smaller|older|younger|faster|slower"
        r"|longer|shorter|better|worse|stronger|weaker|earlier|later|greater|heavier|taller)"
        r"(?= than\b(?! (?:expected|usual)))|\b(?:older|younger)(?= (?:brother|sister))"
    )
    match = pick(rf"(?<!no )(?<!not )(?:{pattern})", claim, random)
    if match:
        return put(claim, match.span(), _CONVERSE[match[0]])
    return _trend(claim, item, random)


_trend = rewritten(
    (rf"\brose{_MOVED}", "fell"),
    (rf"\bfell{_MOVED}", "rose"),
    (rf"\b(?:increased|climbed|jumped|soared){_MOVED}", "dropped"),
    (rf"\b(?:decreased|dropped|declined|plunged){_MOVED}", "increased"),
    (rf"\b(?:rising|increasing|growing|climbing|jumping){_MOVED}", "falling"),
    (rf"\b(?:falling|decreasing|dropping|declining|shrinking){_MOVED}", "rising"),
    (r"\bup (?=(?:about |nearly |from )?[$€£]?\d)(?!\w)", "down "),
    (
        r"(?<=[a-z] )above (?=(?:the )?(?:average|sea level|normal|par|zero|freezing|[$€£]?\d))",
        "below ",
    ),
    (
        r"(?<=[a-z] )below (?=(?:the )?(?:average|sea level|normal|par|zero|freezing|[$€£]?\d))",
        "above ",
    ),
    (r"\ban? ((?:[\w.%-]+ )?)(?:increase|rise) in\b", r"a \1decrease in"),
    (r"\ban? ((?:[\w.%-]+ )?)(?:decrease|decline|fall|drop) in\b", r"a \1rise in"),
)

# Direction.

_CHANGING = (
    r"(?:mov|travel|fl(?:y|ew|ight|ies)|went|sent|transfer|return|migrat|march|drove|driv|sail|"
    r"shift|relocat|export|ship|chang|convert|switch|promot|rais|rose|ris|increas|gr[eo]w|f[ae]ll|"
    r"drop|declin|cut|reduc|lower|jump|climb|journey|trip|evacuat|deport|emigrat|expand|cross|"
    r"train|bus|road from|renam|upgrad|downgrad|doubl|tripl|import|walk|rode|escap|fled|walked)"
)


def from_to(claim: str, _: Item, random: Random) -> str | None:
    """Exchange where something begins and where it ends: places, and amounts that changed."""
    amount = rf"[$€£]?(?:{NUMBER})(?:%|[  ](?:percent|per cent|million|billion|trillion)\b)?"
    pattern = (
        rf"\b{_CHANGING}\w*\b[^.;]{{0,50}}?\bfrom (?:(?:about |around |nearly )?(?P<a>{amount})"
        rf"(?: [a-z]+)? to (?:about |around |nearly )?(?P<b>{amount})(?![\d-])"
        rf"|(?P<c>{_NAMED}) to (?P<d>{_NAMED}){_CLAUSE_END})"
    )
    match = pick(pattern, claim, random)
    if not match or re.search(r"\b(?:rang|vary|varied|varies|between|anywhere|age[ds]?)", match[0]):
        return None
    one, two = ("a", "b") if match["a"] else ("c", "d")
    first, second = match[one], match[two]
    if first == second or any(w.strip(",.") in {*MONTHS, *DAYS} for w in (first, second)):
        return None
    if all(re.fullmatch(r"1[5-9]\d\d|20[0-3]\d", text) for text in (first, second)):
        return None  # a span of years
    return exchanged(claim, match.span(one), match.span(two))


# Games.

_RESULT = (
    r"(?:beat|beaten|defeat(?:s|ed|ing)?|wins?|won|winning|loss|lost|losing|victory|scored?|lead|led"
    r"|final|match|game|thrashed|edged|record|vote[ds]?)"
)
_SCORE = (
    r"(?<![\d–/.-])(?<!around )(?P<a>\d{1,3})[-–](?P<b>\d{1,3})(?![\d–/.%’'-])"
    r"(?! ?(?:years?|months?|weeks?|days?|hours?|minutes?|percent|per cent|km|miles?|yards?|feet|"
    r"people|points?|million|billion|seasons?|inch|[ap]\.?m|AM|PM|major|total|named)\b)"
)


def score(claim: str, _: Item, random: Random) -> str | None:
    """Exchange the two numbers of a result."""
    match = pick(_SCORE, claim, random)
    if not match or match["a"] == match["b"]:
        return None
    near = claim[max(0, match.start() - 60) : match.end() + 25]
    if QUOTED.search(claim) or not re.search(rf"\b{_RESULT}\b", near):
        return None
    if len(match["a"]) == 2 and int(match["b"]) == int(match["a"]) + 1:
        return None  # the season 10-11
    return exchanged(claim, match.span("a"), match.span("b"))


winner = rewritten(
    (rf"(?<=[a-z] )(?:beat|defeated|edged|thrashed|overcame) (?={_NAMED})", "lost to "),
    (rf"(?<=[a-z] )(?:beating|defeating|edging) (?={_NAMED})", "losing to "),
    (
        rf"(?:lost to|were beaten by|was beaten by|was defeated by|were defeated by) (?={_NAMED})",
        "beat ",
    ),
    (rf"\b(?:win|victory) (?:over|against) (?={_NAMED})", "defeat by "),
    (rf"\b(?:loss to|defeat (?:by|to|against)|loss against) (?={_NAMED})", "win over "),
    (rf"\blosing to (?={_NAMED})", "beating "),
)

# Two sides of one deed.

_THING = r"(?P<thing>(?! )[^,.;:]{2,50}?)"
converse = rewritten(
    (rf"\bsold {_THING} to (?!be\b|\d)", r"bought \g<thing> from "),
    (rf"\b(?:bought|purchased) {_THING} from (?!\d)", r"sold \g<thing> to "),
    (
        r"(?<!was )(?<!were )(?<!been )(?<!be )\bsold (?=(?:the|its|his|her|their|a|an|[\d$€£])\b)",
        "bought ",
    ),
    (
        r"(?<!was )(?<!were )(?<!been )(?<!be )\b(?:bought|purchased) "
        r"(?=(?:the|its|his|her|their|a|an|[\d$€£])\b)",
        "sold ",
    ),
    (rf"\b(?:lent|loaned) {_THING} to ", r"borrowed \g<thing> from "),
    (rf"\bborrowed {_THING} from ", r"lent \g<thing> to "),
    (
        rf"\b(?:gave|donated|paid|handed) {_THING} to (?=(?:the |an? )?[A-Z])",
        r"received \g<thing> from ",
    ),
    (
        rf"\breceived {_THING} from (?=(?:the |an? )?[A-Z])(?!{'|'.join(MONTHS)})",
        r"gave \g<thing> to ",
    ),
    (
        r"\b(?:was|were) (hired|employed|paid|taught|advised|sued|sponsored|acquired|bought|owned)"
        r" by (?=(?:the )?[A-Z])",
        r"\1 ",
    ),
    (r"\b(?:son|daughter) of (?=[A-Z])", "father of "),
    (r"\b(?:father|mother) of (?=[A-Z])", "child of "),
    (rf"\bwas (?:succeeded|replaced) by (?={_NAMED})", "succeeded "),
    (rf"(?<=[a-z] )(?<!be )(?<!was )(?:succeeded|replaced) (?={_NAMED})", "was succeeded by "),
    (r"\b(?:pupil|student|protégé) of (?=[A-Z])", "teacher of "),
    (r"\bteacher of (?=[A-Z])", "pupil of "),
    (r"\bpredecessor(?=s?\b)", "successor"),
    (r"\bsuccessor(?=s?\b)", "predecessor"),
    (r"\blender(?=s?\b)", "borrower"),
    (r"\bborrower(?=s?\b)", "lender"),
    (r"\b(?:buyer)(?=s?\b)", "seller"),
    (r"\b(?:seller)(?=s?\b)", "buyer"),
)

# Cause.


def cause(claim: str, item: Item, random: Random) -> str | None:
    """Make the cause the effect."""
    match = re.fullmatch(
        r"(?P<a>[A-Z][^,;:“”\"]{12,120}?),? because (?!of\b)(?P<b>[^,;:“”\"]{12,120})\.", claim
    )
    if match and not re.search(
        r"\b(?:not|n[’']t|part|simply|only|just|largely|mainly)$|\bthat\b|^It[’']s", match["a"]
    ):
        first = match["a"] if _is_name(match["a"].split()[0]) else _small(match["a"])
        return f"{match['b'][0].upper()}{match['b'][1:]} because {first}."
    return _effect(claim, item, random)


_ABOUT_A_CAUSE = r"(?:(?:the|an?|his|her|its|their) |[a-z]+ing\b|[a-z]+s\b)"
_NO_AUXILIARY = "".join(
    rf"(?<!\b{word} )" for word in "was were been be is are being has have had not to ly".split()
).replace(r"\bly", "ly")
_effect = rewritten(
    (
        rf"\b(?:resulted in|led to|gave rise to) (?={_ABOUT_A_CAUSE})(?!the (?:city|town|river))",
        "resulted from ",
    ),
    (r"\bresult(?:s|ed) from ", "led to "),
    (r"\b(?:was|were) (?:caused|triggered|prompted|sparked) by ", "caused "),
    (
        rf"(?<=[a-z] ){_NO_AUXILIARY}(?:caused|triggered|prompted|sparked) "
        r"(?=(?:the|an?|[a-z]+s) )",
        "resulted from ",
    ),
    (rf"(?<=[a-z] ){_NO_AUXILIARY}(?:caused|triggered|prompted|sparked) by ", "that caused "),
    (r"\b(?:is|are) caused by ", "can cause "),
    (r"\bleading to (?=(?:the|an?|[a-z]+s) )", "caused by "),
    (r"\bresulting in (?=(?:the|an?|[a-z]+s) )", "resulting from "),
)


def _is_name(word: str) -> bool:
    return word not in COMMON and word[:1].isupper()


def _small(text: str) -> str:
    return text[0].lower() + text[1:]


# Two of a kind in one sentence.

Span = tuple[int, int]


def _pair(pattern: str, claim: str, random: Random) -> tuple[Span, Span] | None:
    """Return the spans of two different matches with three words between them, so that they are
    no range and no list.
    """
    found = list(re.finditer(pattern, claim))
    pairs = [
        (one.span(), two.span())
        for one, two in combinations(found, 2)
        if one[0] != two[0]
        and len(re.findall(r"[A-Za-z]{2,}", claim[one.end() : two.start()])) >= 3
        and not re.search(r"\b(?:from|between)\b", claim[max(0, one.start() - 30) : one.start()])
    ]
    return random.choice(pairs) if pairs else None


def months_exchanged(claim: str, _: Item, random: Random) -> str | None:
    """Exchange the months of two dates."""
    names = "|".join(month for month in MONTHS if month not in {"May", "March"})
    dated = rf"\b(?:{names})\b|\b(?:May|March)(?= \d)|(?<=\d )(?:May|March)\b"
    pair = _pair(dated, claim, random)
    return exchanged(claim, *pair) if pair else None


def years_exchanged(claim: str, _: Item, random: Random) -> str | None:
    """Exchange the years of two things."""
    pair = _pair(r"(?<![\d,.$€£–-])(?:1[5-9]\d\d|20[0-3]\d)(?![\d,%–-]*\d|s|–|-)", claim, random)
    return exchanged(claim, *pair) if pair else None


def numbers_exchanged(claim: str, _: Item, random: Random) -> str | None:
    """Exchange two numbers that are no dates."""
    months = "|".join(MONTHS)
    pattern = (
        rf"(?<![\w.,/–:-])(?!911)(?!(?:1[5-9]\d\d|20[0-3]\d)\b(?![,.]\d))(?:{NUMBER})"
        rf"(?![\d/–:-]|(?:st|nd|rd|th|s|x)\b|,\d|\.\d|\s(?:{months}|[ap]\.?m))"
    )
    dated = re.sub(rf"(?:{months}|[A-Z][a-z]{{2,3}}\.) \d+", lambda m: "x" * len(m[0]), claim)
    pair = _pair(pattern, dated, random)
    return exchanged(claim, *pair) if pair else None
