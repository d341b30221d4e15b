"""Whether a sentence says a claim, word for word, but for a few changes that cannot turn it.

A claim passes if its words follow one another in the sentence, in its order and in the same forms,
with the same prepositions, conjunctions, negations, modals and quantifiers between them. It may
leave out what stands before and after (unless that governs or limits it: "if …", "officials said
…", "nobody … in Paris"), an insertion between commas, and a place or a day; write numbers in
another notation; and put a name in the place of a pronoun. Whatever else it changes, it does not
pass, and the sentence itself is quoted.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise

from rag.text.dates import DAYS, MONTHS
from rag.verification.wording import Token, is_past, tokens

_DAYS = frozenset(name.lower() for name in (*DAYS, *MONTHS))
_BE = frozenset(("be+", "be-", "be", "been"))
_NO_PAST = frozenset("reed need seed speed deed breed feed weed greed steed creed".split())
_JOINS = frozenset(("and", "but", "or"))
_CLOSING = {",": ",", "(": ")", "-": "-"}  # of an insertion
_LONGEST_INSERTION, _LONGEST_SUBJECT, _LONGEST_ROLE = 14, 5, 3  # tokens
_LONGEST = 300  # tokens; in a longer sentence nothing is looked for, which would take long
_YES_OR_NO = re.compile(r"^(?:yes|no)\s*[,.:;]\s*", re.IGNORECASE)
_AUXILIARY = re.compile(
    r"^(?:(?P<do>do|does|did)|(?P<kept>is|are|was|were|can|could|will|would|shall|should|may|might"
    r"|must|has|have|had))(?P<denied>n['’]t)?\s+",
    re.IGNORECASE,
)


def says(claim: str, sentence: str, before: Sequence[str] = ()) -> bool:
    """Return whether a sentence says a claim.

    ``before``: the sentences before it, the nearest first, for what its pronoun refers to.
    """
    wanted = [t for t in tokens(_YES_OR_NO.sub("", claim)) if t.key not in {".", "!"}]
    return _is_claim(wanted) and _holds(wanted, sentence, before)


def affirms(question: str, sentence: str, before: Sequence[str] = ()) -> bool | None:
    """Return whether a sentence says what a yes-or-no question asks (True) or its denial (False);
    None where it says neither.
    """
    match = _AUXILIARY.match(question.strip())
    if not match or match["denied"]:
        return None
    asked = (match["do"] or "").lower()
    found = tokens(question.strip()[match.end() :])
    rest = [replace(t, asked=asked) for t in found if t.kind != "mark"]
    if not _is_claim(rest):
        return None
    auxiliary = [t for t in tokens(f"It {match['kept'] or ''}") if t.kind == "binding"]
    negated = [*auxiliary, Token("not", "binding", "not")]
    for said, verb in ((True, auxiliary), (False, negated)):
        for at in range(1, len(rest)):
            if _holds([*rest[:at], *verb, *rest[at:]], sentence, before):
                return said
    return None


def _is_claim(wanted: Sequence[Token]) -> bool:
    return any(t.kind == "word" for t in wanted) and sum(t.kind != "mark" for t in wanted) > 1


def _holds(wanted: Sequence[Token], sentence: str, before: Sequence[str]) -> bool:
    held = list(tokens(sentence))
    while held and held[-1].key in {".", "!", "?"}:
        if held.pop().key == "?":
            return False
    if not held or _AUXILIARY.match(sentence.strip()):  # "Had he won, …"
        return False
    if [t.key for t in wanted] == [t.key for t in held if t.key not in {".", "!"}]:
        return True
    if max(len(wanted), len(held)) > _LONGEST:
        return False
    for clause in (*_clauses(held), *_turned(held)):
        starts = [n for n, token in enumerate(clause) if wanted[0].same(token)]
        if any(_stands(wanted, clause, n) or _shares_subject(wanted, clause, n) for n in starts):
            return True
    return _with_name(wanted, held, before)


def _clauses(held: Sequence[Token]) -> Iterator[Sequence[Token]]:
    ends = [n for n, token in enumerate(held) if token.key == ";"]
    for first, last in zip([0, *(n + 1 for n in ends)], [*ends, len(held)], strict=True):
        yield held[first:last]


def _turned(held: Sequence[Token]) -> Iterator[Sequence[Token]]:
    """Yield “Reed said that it fell” for “It fell, Reed said” and ““It fell,” said Reed”."""
    said = [token for token in held if token.key != '"']
    comma = max((n for n, token in enumerate(said) if token.key == ","), default=0)
    words = said[comma + 1 :]
    speaks = [n for n, token in enumerate(words) if token.among("said")]
    if comma and len(words) > 1 and speaks in ([0], [len(words) - 1]):
        who = [token for n, token in enumerate(words) if n not in speaks]
        if all(token.kind == "word" for token in who):
            yield [*who, words[speaks[0]], *said[:comma]]


def _stands(wanted: Sequence[Token], held: Sequence[Token], start: int) -> bool:
    """Return whether the claim stands in the clause from this token on, and by itself."""
    end = _end(wanted, held, start)
    ranked = [t.text for t in held[max(0, start - 2) : start]] == ["followed", "by"]
    has = [t.kind for t in wanted[1:3]] == ["binding", "number"] and wanted[1].key == "with"
    return (
        end is not None
        and (_free_before(held, start) or (ranked and has))
        and _free_after(held, start, end)
        and not _governed(wanted, held, start, end)
    )


def _shares_subject(wanted: Sequence[Token], held: Sequence[Token], start: int) -> bool:
    """Return whether the claim is a subject that stands here and the second of two predicates:
    "Risk was convicted of forgery and jailed for four years".
    """
    if not _free_before(held, start):
        return False
    for count in range(1, min(_LONGEST_SUBJECT + 1, len(wanted))):
        at = start + count
        is_subject = at < len(held) and all(map(Token.same, wanted[:count], held[start:at]))
        if not is_subject or any(map(_is_verb, held[start + 1 : at])):
            return False
        if held[at].key == "," and _apposition(held, start, at):
            at += 1
        elif held[at].key in _CLOSING:
            at = _after_insertion(held, at) or len(held)
        if at < len(held) and _has_second(wanted, count, held, start, at):
            return True
    return False


def _has_second(
    wanted: Sequence[Token], count: int, held: Sequence[Token], start: int, verb: int
) -> bool:
    """Return whether a verb stands at this token, and joined to it what the claim says of its
    subject: in the claim it has the "was" of the first, unless it might go with another participle.
    """
    if not (_is_verb(held[verb]) or held[verb].text.endswith("s")):
        return False
    for n in range(verb + 2, len(held)):
        if held[n].among("subordinates") or held[n].key in {":", '"'}:
            return False
        if held[n - 1].key not in {"and", "but"}:
            continue
        own = wanted[count:]
        if own[0].key in _BE and own[0].same(held[verb]) and is_past(held[n]):
            own = own[1:] if not any(map(is_past, held[verb + 2 : n])) else ()
        is_verb = _is_verb(held[n]) or (
            held[n].text.endswith("s") and (held[verb].text.endswith("s") or held[verb].key in _BE)
        )
        end = _end(own, held, n) if own and is_verb else None
        if end and _free_after(held, n, end) and not _governed(wanted, held, start, end):
            return True
    return False


def _is_verb(token: Token) -> bool:
    """Return whether a token looks like the verb of a clause: a past, or "is" or "was"."""
    if token.name or token.text in _NO_PAST:
        return False
    return token.key in _BE or is_past(token) or token.among("takes")


def _end(wanted: Sequence[Token], held: Sequence[Token], start: int) -> int | None:
    """Return where a claim that starts here ends, with nothing left out but what may be."""
    if not wanted[0].same(held[start]):
        return None
    at = start + 1
    for token in wanted[1:]:
        if token.kind == "mark":
            at += at < len(held) and held[at].key == token.key
            continue
        found = _next(token, held, at, start)
        if found is None:
            return None
        at = found + 1
    return at


def _next(token: Token, held: Sequence[Token], at: int, start: int) -> int | None:
    """Return where the token stands that follows."""
    while at < len(held) and not token.same(held[at]):
        after = None
        is_next = token.same(held[min(at + 1, len(held) - 1)])
        # "Her driver, Jo Bell, died": the claim began with the whole of the insertion.
        if held[at].key == "," and _apposition(held, start, at):
            after = at + 1 if is_next else None
        elif held[at].key == "," and is_next and re.fullmatch(r"[12]\d{3}", held[at - 1].text):
            after = at + 1  # "on May 3, 1990, …"
        elif held[at].key in _CLOSING:
            after = _after_insertion(held, at)
        elif not _limited(held[start:at]) and not _is_plural(held[at - 1]):
            after = _after_place(held, at)
        joins = after is not None and after < len(held) and held[after].key in _JOINS
        if after is None or (joins and token.key not in _JOINS):
            return None
        at = after
    return at if at < len(held) else None


def _after_insertion(held: Sequence[Token], at: int) -> int | None:
    """Return what follows an insertion that may be left out; None for others, and for lists."""
    for n in range(at + 1, min(len(held), at + _LONGEST_INSERTION)):
        if held[n].key == _CLOSING[held[at].key]:
            inner = held[at + 1 : n]
            names = [t for t in inner if t.name or t.key == "and"]
            is_list = len(names) == len(inner) and any(t.key == "and" for t in inner)
            if is_list or not inner or any(t.among("reports") for t in inner):
                return None
            return n + 1 if inner[0].kind != "binding" or inner[0].among("inserts") else None
        if held[n].key == ":":
            return None
    return None


def _after_place(held: Sequence[Token], at: int) -> int | None:
    """Return what follows "in Paris", "on 3 May"; None where no such phrase stands."""
    if not held[at].among("places"):
        return None
    end = at + 1
    while end < len(held) and end - at <= 4:
        beside = (*held[max(at + 1, end - 2) : end], *held[end + 1 : end + 2])
        is_date = held[end].kind == "number" and any(map(_is_day, beside))
        is_year = re.fullmatch(r"[12]\d{3}", held[end].text) and held[end - 1].key == "in"
        is_name = held[end].name and not held[end].text.endswith("'s")
        if not (is_name or _is_day(held[end]) or is_date or is_year):
            break
        end += 1
    return end if end > at + 1 else None


def _is_day(token: Token) -> bool:
    return token.text in _DAYS or token.key == "May"


def _apposition(held: Sequence[Token], start: int, end: int) -> bool:
    """Return whether an insertion ends here that is the name with which the claim begins, perhaps
    after what somebody is: "her rival, the singer Mo Park, …"; not "Reed and his wife, Mo, …".
    """
    comma = _before_role(held, start) - 1
    if comma < 1 or [held[comma].key, held[end].key] != [",", ","]:
        return False
    joints = (n for n in range(comma - 1, 0, -1) if held[n].kind == "mark" or _is_verb(held[n]))
    at = next(joints, 0)
    if held[at + 1].key in {"and", "but"} and any(map(_is_verb, held[1:at])):
        at += 1  # a clause begins here
    is_plain = all(token.kind == "word" for token in held[start:end])
    return is_plain and not any(token.key in _JOINS for token in held[at + 1 : comma])


def _before_role(held: Sequence[Token], start: int) -> int:
    """Return where what is said of a name begins: "the singer Mo Park"; else the start itself."""
    if not held[start].name or held[start].among("titles"):
        return start
    at = start
    while at and start - at < _LONGEST_ROLE:
        token = held[at - 1]
        says_who = token.kind == "word" and not token.name and not token.first
        says_who |= at < start and held[at].among("titles")  # "Defense Secretary Lloyd Austin"
        says_who |= token.among("titles") or token.among("persons") or token.text.endswith("'s")
        takes_clause = token.among("takes") or token.text.endswith(("ing", "ed", "ly"))
        if not says_who or takes_clause or is_past(token) or _is_plural(token):
            break
        at -= 1
    return at


def _is_plural(token: Token) -> bool:
    ends = token.text.endswith("s") and not token.text.endswith(("ss", "'s"))
    return token.among("plurals") or (ends and not token.name)


def _free_before(held: Sequence[Token], start: int) -> bool:
    """Return whether the claim's first word may begin it: it is the whole subject, and nothing
    before it takes it as its object.
    """
    at = _before_role(held, start)
    if at == 0 or _after_place(held, 0) == at:
        return True
    if held[at - 1].key in {"and", "but"}:
        return _clause_ends(held[: at - 1])
    end = next((n for n in range(start, len(held)) if not held[n].name), start)
    opens = held[0].kind == "binding" or is_past(held[0]) or held[0].text.endswith(("ing", "ly"))
    opens &= all(token.key != "," for token in held[: at - 1])
    return held[at - 1].key == "," and (opens or _apposition(held, start, end))


def _clause_ends(earlier: Sequence[Token]) -> bool:
    """Return whether a clause ends before an "and", and not a name or noun of a list: "Spain beat
    Italy and …", not "Reed and …" or "the deal of Chad and …".
    """
    if any(t.among("subordinates") for t in earlier):
        return False
    commas = [n for n, token in enumerate(earlier) if token.key == ","]
    if commas == [len(earlier) - 1]:
        return any(map(_is_verb, earlier[1:]))
    for token in reversed(earlier[1:]):
        if _is_verb(token):
            return True
        if token.kind in {"binding", "mark"}:
            return False
    return False


def _free_after(held: Sequence[Token], start: int, end: int) -> bool:
    """Return whether the claim may end before this token."""
    if any(token.among("unreal") for token in held[end : end + _LONGEST_ROLE + 1]):
        return False
    if end >= len(held) or held[end].key in {",", "-", "(", ")", "."}:
        return end + 1 >= len(held) or held[end + 1].key != "or"
    following, rest = held[end].key, held[end + 1 :]
    if held[end].kind != "binding" or held[end].among("stops_short") or following in _BE:
        return False
    marks = (n for n, token in enumerate(rest) if token.kind == "mark")
    clause = rest[: next(marks, len(rest))]
    if following == "to" and not (clause and (clause[0].name or clause[0].kind == "number")):
        return False  # "was ready to …"
    if held[end].among("particles") and not held[end - 1].name:
        return False
    verbs = [token for token in held[start:end] if _is_verb(token)]
    is_so = verbs != [] and verbs[-1].key == "be+" and following not in _JOINS
    compared = any(token.key in {"than", "as"} for token in clause)
    # "The drug is safe for adults", "earns twice as much as Holt", "nobody died in Paris".
    return not is_so and not compared and not _limited(held[start:end])


def _limited(own: Sequence[Token]) -> bool:
    """Return whether a word says more when less follows it: "nobody", "all", "largest"."""
    ranked = any(t.kind == "number" and t.key.endswith("th") for t in own)
    superlatives = (t for t in own if t.text.endswith("est") and not t.name)
    return (
        ranked
        or any(t.among("limits") for t in own)
        or any(not t.among("no_superlatives") for t in superlatives)
    )


def _governed(wanted: Sequence[Token], held: Sequence[Token], start: int, end: int) -> bool:
    """Return whether something outside the claim's words makes it less than a fact."""
    framed = start > 0 and held[0].among("frames") and not _after_place(held, 0)
    limited = start > 0 and held[0].among("places") and _limited(wanted)
    return (
        framed
        or limited
        or sum(t.among("governs") for t in held) > sum(t.among("governs") for t in wanted)
        or sum(token.key == '"' for token in held[:start]) % 2 == 1
        or _reported(held[end:])
    )


def _reported(following: Sequence[Token]) -> bool:
    """Return whether a clause after the claim says whose words it is: "…, the paper reported"."""
    if not following or following[0].kind != "mark" or len(following) < 2:
        return False
    ends = (n for n in range(1, len(following)) if following[n].kind == "mark")
    clause = following[1 : next(ends, len(following))]
    joined = clause != [] and (clause[0].key in _JOINS or clause[0].among("inserts"))
    return not joined and any(token.among("reports") for token in clause)


def _with_name(wanted: Sequence[Token], held: Sequence[Token], before: Sequence[str]) -> bool:
    """Return whether the sentence says the claim of the "he", the "she" or the surname that begins
    it, where the sentence before begins with the claim's full name and names nobody else.
    """
    count = next((n for n, t in enumerate(wanted) if not (t.name or t.first)), len(wanted))
    if not before or not 0 < count < len(wanted):
        return False
    person, named = _person(tokens(before[0])), [t.key for t in wanted[:count]]
    if held[0].key in {"he", "she"}:
        is_meant = person[-count:] == named
    else:
        alone = len(held) > 1 and not held[1].name
        is_meant = alone and person == named and held[0].key == person[-1]
    return is_meant and _stands([held[0], *wanted[count:]], held, 0)


def _person(earlier: Sequence[Token]) -> list[str]:
    """Return the full name with which a sentence begins, if it names nobody else; else nothing."""
    count = next((n for n, t in enumerate(earlier) if not (t.name or t.first)), 0)
    name, rest = earlier[:count], earlier[count:]
    if count < 2 or len(rest) < 2 or name[-1].text.endswith("'s") or name[0].among("titles"):
        return []
    is_described = rest[0].key == "," or (rest[0].key in _BE and not is_past(rest[1]))
    others = [t for t in rest[4 if is_described else 0 :] if t.among("persons")]
    for one, following in pairwise(rest):
        in_place = one.name or one.among("places") or one.key == "of" or _is_day(following)
        others += [following] if following.name and not in_place else []
    return [] if others else [token.key for token in name]
