"""Wrong claims: names, offices, negation, modality, attribution, who did what to whom."""

from __future__ import annotations

import re
from itertools import pairwise
from random import Random

from benchmarks.verification.perturb_base import (
    COMMON,
    FIRST_NAMES,
    PERSON,
    PERSONS,
    ROLES,
    Item,
    names_of,
    pick,
    put,
)

# Names.


def _other_names(item: Item, claim: str, old: str) -> list[str]:
    """Return names of the article that are not in the claim, nor forms of one that is: "Greek"
    is not another name than "Greece".
    """
    mine = {word[:4] for word in re.findall(r"\w+", f"{old} {claim}".lower())}
    return [n for n in item.names if not mine & {w[:4] for w in re.findall(r"\w+", n.lower())}]


def _named(claim: str) -> list[tuple[int, int]]:
    starts = {name: claim.find(name) for name in names_of(claim)}
    return [(start, start + len(name)) for name, start in starts.items() if start >= 0]


def other_name(claim: str, item: Item, random: Random) -> str | None:
    spans = [span for span in _named(claim) if claim[: span[0]].strip(' "“')]
    if not spans:
        return None
    span = random.choice(spans)
    others = _other_names(item, claim, claim[slice(*span)])
    return put(claim, span, random.choice(others)) if others else None


def first_name(claim: str, _: Item, random: Random) -> str | None:
    pattern = rf"\b(?:{'|'.join(FIRST_NAMES)})(?=\s(?:[A-Z]\.\s)?[A-Z][a-z]+)"
    match = pick(pattern, claim, random)
    if not match:
        return None
    return put(claim, match.span(), random.choice([n for n in FIRST_NAMES if n not in claim]))


def initial(claim: str, _: Item, random: Random) -> str | None:
    pattern = rf"\b(?:{'|'.join(FIRST_NAMES)})(?=\s[A-Z][a-z]+)"
    if not (match := pick(pattern, claim, random)):
        return None
    letters = [c for c in "BDFGHKLMNPRSTVW" if c not in {w[0] for w in claim.split()}]
    return put(claim, match.span(), f"{random.choice(letters)}.")


def title_changed(claim: str, _: Item, random: Random) -> str | None:
    match = pick(
        rf"\b(?:{ROLES})\b(?=,?\s[A-Z])|\b(?:{ROLES})\b(?= of )", claim, random, re.IGNORECASE
    )
    if not match:
        return None
    said = claim.lower()
    other = random.choice([role for role in ROLES.split("|") if role not in said])
    return put(claim, match.span(), other.title() if match[0][0].isupper() else other)


def title_moved(claim: str, item: Item, random: Random) -> str | None:
    """Give the title of one person to another of the sentence, or of the article."""
    match = pick(rf"\b(?i:{ROLES}) (?P<who>{PERSON})", claim, random)
    if not match:
        return None
    who = match["who"]
    here = [
        claim[slice(*s)]
        for s in _named(claim)
        if re.fullmatch(PERSON, claim[slice(*s)])
        and claim[slice(*s)].startswith(PERSONS)
        and claim[slice(*s)] not in match[0]
    ]
    elsewhere = [n for n in _other_names(item, claim, who) if n.split()[0] in FIRST_NAMES]
    if here:
        other = random.choice(here)
        swapped = claim.replace(who, "\0").replace(other, who).replace("\0", other)
        return swapped if swapped != claim else None
    return put(claim, match.span("who"), random.choice(elsewhere)) if elsewhere else None


# Negation, modality, attribution.

_AUX = r"is|are|was|were|has|have|had|will|can|could|would|should|did|does|do|must"


def negated(claim: str, _: Item, random: Random) -> str | None:
    if re.search(r"\b(?:until|no one|none|nobody)\b", claim):
        return None  # a second negation would not make it wrong
    pattern = rf"\b(?:{_AUX})\b(?! not|n[’']t|[’',.?]| (?:no|never|nothing|only|also|just|all)\b)"
    match = pick(pattern, claim, random)
    return put(claim, (match.end(), match.end()), " not") if match else None


def affirmed(claim: str, _: Item, random: Random) -> str | None:
    pattern = (
        r"(?<=[a-z])(?: not| never)\b(?! (?:only|just|until|least|yet|all))|(?<=[a-z])n[’']t\b|"
        r"\bwithout\b(?= \w)|\bno (?=[a-z]+\b(?! (?:than|doubt|matter)))|\bcannot\b"
    )
    match = pick(pattern, claim, random)
    if not match or re.search(r"(?:\b(?:not|no)|n[’']t|cannot)\b.*\b(?:but|until)\b", claim):
        return None
    word = match[0].strip().lower()
    new = {"without": "with", "cannot": "can", "no": "a "}.get(word, "")
    stems = {"ca": "can", "wo": "will", "sha": "shall"}  # can't, won't
    changed = put(claim, match.span(), new)
    if word[-1:] == "t" and word[:1] == "n" and word != "not":
        before = re.search(r"\w+$", claim[: match.start()])
        if before and before[0].lower() in stems:
            changed = put(changed, before.span(), stems[before[0].lower()])
    return changed


_MODAL = r"may|might|could"


def unmodal(claim: str, _: Item, random: Random) -> str | None:
    """Say plainly what may be."""
    rules = [
        (rf"\b(?:{_MODAL})(?: also| not)? have been\b", "was"),
        (rf"\b(?:{_MODAL}) have\b", "has"),
        (rf"\b(?:{_MODAL}) be\b", "is"),
        (rf"\b(?:{_MODAL})(?= [a-z]+\b)", "will"),
        (r"\b(?:is|are|was|were) (?:expected|likely|believed|thought|suspected) to be\b", "is"),
        (r"\b(?:is|are) (?:expected|likely|set|planning|hoping) to\b", "will"),
        (r"\b(?:possibly|probably|perhaps|likely|reportedly|allegedly) (?=[a-z]+)", ""),
        (
            r"(?:(?<=[Tt]he )|(?<= an )|(?<= a )|(?<= of )|(?<= any ))"
            r"(?:suspected|alleged|possible|potential|proposed|planned) (?=[a-z]+)",
            "",
        ),
    ]
    random.shuffle(rules)
    for pattern, new in rules:
        match = pick(pattern, claim, random)
        if match and claim[match.start() - 1 : match.start()] != "(":
            return put(claim, match.span(), new)
    return None


def certain(claim: str, _: Item, random: Random) -> str | None:
    """Say for certain what may be, or what is only said."""
    if match := pick(rf"\b(?:{_MODAL})\b(?= [a-z])", claim, random):
        return put(claim, match.span(), random.choice(["will certainly", "will definitely"]))
    if match := pick(r"\b(?:possibly|probably|perhaps|likely|reportedly)\b", claim, random):
        return put(claim, match.span(), random.choice(["certainly", "definitely", "undoubtedly"]))
    return None


_STRONG = (
    "warned|denied|claimed|alleged|argued|feared|predicted|suspected|proposed|threatened|"
    "suggested|believed|believes|claims|suggests|argues|fears|warns|predicts|denies|alleges|"
    "speculated|hoped|hopes|expects|expected"
)


def plain(claim: str, _: Item, random: Random) -> str | None:
    """Say as a fact what somebody only claims, fears, denies …"""
    match = pick(rf"^(?:[^,;:\"“]{{3,80}}) (?:{_STRONG}) that (?=\w+ \w+ \w+)", claim, random)
    if match and not re.search(r"\b(?:who|which)\b", match[0]):
        rest = claim[match.end() :]
        return rest[0].upper() + rest[1:]
    match = pick(rf", (?:he|she|they|{PERSON}) (?:{_STRONG})\.$", claim, random)
    return claim[: match.start()] + "." if match else None


def other_verb(claim: str, _: Item, random: Random) -> str | None:
    """Say that somebody said or confirmed what they denied, claimed, feared …"""
    match = pick(rf"\b(?:{_STRONG}) that\b", claim, random)
    if not match:
        return None
    denied = match[0].startswith("den")
    return put(claim, match.span(), "said that" if denied else "confirmed that")


_SAID = "said|says|told|announced|added|wrote|explained|noted|tweeted|stated"


def other_speaker(claim: str, item: Item, random: Random) -> str | None:
    """Say that somebody else said it, if possible somebody else of the sentence."""
    name = rf"(?P<who>{PERSON}(?:\s[A-Z][\w’']+)*|[A-Z]{{2,5}})"
    pattern = (
        rf"(?:according to (?:the )?{name}|(?:^|[,”\"] ){name.replace('who', 'too')} (?:{_SAID})\b)"
    )
    match = pick(pattern.replace("too", "you"), claim, random, 0)
    if not match:
        return None
    group = "who" if match["who"] else "you"
    who = match[group]
    if who.split()[0] in COMMON:
        return None
    here = [claim[slice(*s)] for s in _named(claim) if s[0] > 0]
    here = [
        n
        for n in here
        if not {w[:4] for w in n.split()} & {w[:4] for w in claim.split() if w in who.split()}
        and re.search(rf"{re.escape(n)}(?!-|\w)", claim)
    ]
    here = [name for name in here if not any(part in name for part in who.split())]
    others = here or _other_names(item, claim, who)
    return put(claim, match.span(group), random.choice(others)) if others else None


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


def swapped_names(claim: str, _: Item, random: Random) -> str | None:
    """Exchange the names on both sides of a verb."""
    spans = sorted(_named(claim))
    pairs = []
    for one, two in pairwise(spans):
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
    match = pick(pattern, claim, random)
    if not match or match["v"] in _MUTUAL or match["a"].lower() == match["b"].lower():
        return None
    if match["v"] in {"was", "were", "used", "need", "seed", "indeed"}:
        return None
    one, two = match.span("a"), match.span("b")
    subject = match["b"][0].upper() + match["b"][1:] if match["a"][0].isupper() else match["b"]
    return (
        claim[: one[0]]
        + subject
        + claim[one[1] : two[0]]
        + match["a"][0].lower()
        + match["a"][1:]
        + claim[two[1] :]
    )
