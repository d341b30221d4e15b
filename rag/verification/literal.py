"""Whether a sentence says a claim, word for word, but for a few changes that cannot turn it.

A claim passes if its words follow one another in the sentence, in its order, with the same
prepositions, conjunctions, negations, modals and quantifiers between them. It may leave out what
stands before and after (unless that governs it: "if …", "officials said …"), an insertion between
commas, and a place or a day; write numbers in another notation; and put a name in the place of a
pronoun. Whatever else it changes, it does not pass, and the sentence itself is quoted.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from rag.text.dates import DAYS, MONTHS
from rag.text.terms import BASE_FORM
from rag.verification.wording import Token, listed, tokens

_GOVERNS, _SUBORDINATES = listed("governs"), listed("subordinates")
_STOPS_SHORT, _PLACES, _PRONOUNS = listed("stops_short"), listed("places"), listed("pronouns")
_DAYS = frozenset(name.lower() for name in (*DAYS, *MONTHS))
_JOINS = frozenset(("and", "but", "or"))
_QUOTES = '"“”„«»'
_CLOSING = {",": ",", "(": ")", "-": "-"}  # of an insertion
_LONGEST_INSERTION = 14  # tokens
_LONGEST_SUBJECT = 5
_YES_OR_NO = re.compile(r"^(?:yes|no)\b[,.:;]?\s*", re.IGNORECASE)
_AUXILIARY = re.compile(
    r"^(?:(?:do|does|did)|(?P<kept>is|are|was|were|can|could|will|would|shall|should|may|might|must"
    r"|has|have|had))(?P<denied>n['’]t)?\s+",
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
    rest = [t for t in tokens(question.strip()[match.end() :]) if t.kind != "mark"]
    if not _is_claim(rest):
        return None
    auxiliary = [t for t in tokens(f"It {match['kept'] or ''}") if t.kind == "binding"]
    negation = Token("not", "binding", "not")
    places = range(1, len(rest)) if auxiliary else range(1)
    for at in places:
        if _holds([*rest[:at], *auxiliary, *rest[at:]], sentence, before):
            return True
    for at in range(1, len(rest)):
        if _holds([*rest[:at], *auxiliary, negation, *rest[at:]], sentence, before):
            return False
    return None


def _is_claim(wanted: Sequence[Token]) -> bool:
    return any(t.kind == "word" for t in wanted) and sum(t.kind != "mark" for t in wanted) > 1


def _holds(wanted: Sequence[Token], sentence: str, before: Sequence[str]) -> bool:
    held = list(tokens(sentence))
    while held and held[-1].key in {".", "!", "?"}:
        if held.pop().key == "?":
            return False
    starts = [n for n, token in enumerate(held) if token.same(wanted[0])]
    return (
        any(_stands(wanted, held, n) for n in starts)
        or any(_shares_subject(wanted, held, n) for n in starts)
        or _with_name(wanted, held, before)
    )


def _stands(wanted: Sequence[Token], held: Sequence[Token], start: int) -> bool:
    """Return whether the claim stands in the sentence from this token on, and by itself."""
    end = _end(wanted, held, start)
    possession = len(wanted) > 2 and wanted[1].key == "with" and wanted[2].kind == "number"
    return (
        end is not None
        and (possession or _free_before(held, start))
        and _free_after(held, end)
        and not _governed(wanted, held, start, end)
    )


def _shares_subject(wanted: Sequence[Token], held: Sequence[Token], start: int) -> bool:
    """Return whether the claim is a subject that stands here and the second of two predicates:
    "Risk was convicted of forgery and jailed for four years".
    """
    if not _free_before(held, start):
        return False
    for count in range(1, min(_LONGEST_SUBJECT + 1, len(wanted) - 1)):
        subject, predicate = wanted[:count], wanted[count:]
        if not _begin_with(held[start:], subject):
            return False
        for n in range(start + count, len(held) - 1):
            if held[n].key in _SUBORDINATES or held[n].key in {";", ":", *_QUOTES}:
                break
            first = held[start + count + (held[start + count].kind == "mark")]
            if held[n].key in {"and", "but"} and _is_predicate(predicate, held[n + 1], first):
                own = predicate if held[n + 1].same(predicate[0]) else predicate[1:]
                end = _end(own, held, n + 1)
                if end and _free_after(held, end) and not _governed(own, held, start, end):
                    return True
    return False


def _is_predicate(predicate: Sequence[Token], second: Token, first: Token) -> bool:
    """Return whether a verb phrase begins with the second verb, or with the "was" of the first."""
    verb = predicate[0]
    if verb.key.startswith("be") and not second.same(verb):
        if not first.same(verb) or len(predicate) < 2:
            return False
        verb = predicate[1]
    is_verb = verb.key.startswith("be") or verb.text.endswith("ed") or verb.text in BASE_FORM
    return is_verb and second.same(verb)


def _begin_with(held: Sequence[Token], wanted: Sequence[Token]) -> bool:
    return len(held) >= len(wanted) and all(a.same(b) for a, b in zip(wanted, held, strict=False))


def _end(wanted: Sequence[Token], held: Sequence[Token], start: int) -> int | None:
    """Return where a claim that starts here ends, with nothing left out but what may be."""
    if not held[start].same(wanted[0]):
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
    while at < len(held) and not held[at].same(token):
        if held[at].key in _CLOSING:
            closing = _CLOSING[held[at].key]
            # "Her driver, Jo Bell, died": the claim began with the whole of the insertion.
            if held[at].key == closing and _apposition(held, start, at):
                follows = at + 1 < len(held) and held[at + 1].same(token)
                return at + 1 if follows and token.key not in _JOINS else None
            after = _after_insertion(held, at, closing)
        else:
            after = _after_place(held, at)
        joins = after is not None and after < len(held) and held[after].key in _JOINS
        if after is None or (joins and token.key not in _JOINS):
            return None
        at = after
    return at if at < len(held) else None


def _after_insertion(held: Sequence[Token], at: int, closing: str) -> int | None:
    for n in range(at + 1, min(len(held), at + _LONGEST_INSERTION)):
        if held[n].key == closing:
            return n + 1
        if held[n].key in {";", ":"}:
            return None
    return None


def _after_place(held: Sequence[Token], at: int) -> int | None:
    """Return what follows "in Paris", "on 3 May"; None where no such phrase stands."""
    if held[at].key not in _PLACES:
        return None
    end = at + 1
    while end < len(held) and end - at <= 3:
        is_date = held[end].kind == "number" and held[end - 1].text in _DAYS
        if not (held[end].name or held[end].text in _DAYS or is_date):
            break
        end += 1
    return end if end > at + 1 else None


def _apposition(held: Sequence[Token], start: int, end: int) -> bool:
    """Return whether an insertion begins with the claim and ends here, and is a name."""
    after_comma = start > 0 and held[start - 1].key == ","
    return after_comma and all(token.kind == "word" for token in held[start:end])


def _free_before(held: Sequence[Token], start: int) -> bool:
    """Return whether the claim's first word may begin it: nothing before it takes it as object."""
    while held[start].name and start and held[start - 1].name:
        start -= 1  # a surname stands for the whole name
    for n in range(start - 1, max(-1, start - 4), -1):
        token = held[n]
        if token.kind == "mark":
            return True
        if token.key in {"and", "but"}:
            return n == start - 1
        takes_object = token.text.endswith(("ing", "ed")) or token.name
        if token.kind != "word" or not held[start].name or takes_object:
            return False
    return start <= 3


def _free_after(held: Sequence[Token], end: int) -> bool:
    """Return whether the claim may end before this token."""
    if end >= len(held) or held[end].kind == "mark":
        return True
    following = held[end].key
    stops = following in _STOPS_SHORT or following.startswith("be")
    return held[end].kind == "binding" and not stops


def _governed(wanted: Sequence[Token], held: Sequence[Token], start: int, end: int) -> bool:
    """Return whether something outside the claim's words makes it less than a fact."""
    own = {token.text for token in wanted}
    first = max((n + 1 for n in range(start) if held[n].key == ";"), default=0)
    last = next((n for n in range(end, len(held)) if held[n].key == ";"), len(held))
    before = held[first:start]
    return (
        any(t.text in _GOVERNS and t.text not in own for t in (*before, *held[end:last]))
        or any(token.key == "not" for token in before)
        or sum(token.key in _QUOTES for token in held[:start]) % 2 == 1
    )


def _with_name(wanted: Sequence[Token], held: Sequence[Token], before: Sequence[str]) -> bool:
    """Return whether the sentence says the claim of a pronoun that begins it, and the sentence
    before has one name, which is the claim's.
    """
    first = next((n for n, token in enumerate(held) if token.kind != "mark"), None)
    if first is None or held[first].text not in _PRONOUNS or not before:
        return False
    is_name = [t.kind == "word" and (t.name or n == 0) for n, t in enumerate(wanted)]
    count = is_name.index(False) if False in is_name else len(wanted)
    if not 0 < count < len(wanted) or not _stands([held[first], *wanted[count:]], held, first):
        return False
    named = set(_names(tokens(before[0])))
    return len(named) == 1 and {t.key for t in wanted[:count]} <= set(named.pop())


def _names(found: Sequence[Token]) -> Iterator[tuple[str, ...]]:
    """Yield the names of a sentence, each as the stems of its words; those of places left out."""
    run: list[str] = []
    is_place = False
    for n, token in enumerate((*found, Token("", "mark", ""))):
        starts = n == 0 and token.kind == "word" and len(found) > 1 and found[1].name
        if token.name or starts:
            is_place = is_place if run else bool(n) and found[n - 1].key in {*_PLACES, "of"}
            run.append(token.key)
            continue
        if run and not is_place and run[-1] not in _DAYS:
            yield tuple(run)
        run = []
