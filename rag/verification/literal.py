"""Whether a claim says what one sentence says, and no more: word for word, but for a few changes that
cannot turn it.

A claim passes if its words follow one another in the sentence, in its order, with the same
prepositions, conjunctions, negations, modals and quantifiers between them. It may leave out what stands
before and after (unless that governs it: "if …", "officials said …"), an insertion between commas, and
a place or day; write numbers in another notation; and put a name in the place of a pronoun. Whatever
else it changes, it does not pass: then the sentence itself is quoted.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from rag.text.terms import BASE_FORM, fold, stem

_SPACE = "\u0020\u00a0\u2009\u202f"
_TOKEN = re.compile(
    rf"(?P<currency>US\$|[$€£¥₹₽₩])?(?<![\w.,])(?P<number>\d{{1,3}}(?:[,{_SPACE}]\d{{3}})+(?![\d,.]*\d)(?:\.\d+)?|\d+(?:\.\d+)?)"
    r"(?P<rank>(?:st|nd|rd|th)\b)?(?:(?P<glued>k|m|mn|bn|tn)\b)?(?P<percent>\s?%)?"
    r"|(?P<word>(?:[^\W\d_]\.){2,}|[^\W_]+(?:['’][^\W_]+)*)"
    r"|(?P<mark>[,;:()\[\]\"“”„«»!?]|\s[–—-]{1,2}\s|—|\.(?=\s|$))"
)
_SMALL = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
    "sixteen seventeen eighteen nineteen"
).split()
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
_VALUES = {w: n for n, w in enumerate(_SMALL)} | {w: 10 * n for n, w in enumerate(_TENS, 2)}
_VALUES |= {"dozen": 12}
_TIMES = {"hundred": 1e2, "thousand": 1e3, "million": 1e6, "billion": 1e9, "trillion": 1e12}
_GLUED = {"k": 1e3, "m": 1e6, "mn": 1e6, "bn": 1e9, "tn": 1e12}
_CURRENCIES = {"$": "dollar", "us$": "dollar", "€": "euro", "£": "pound", "¥": "yen", "₹": "rupee", "₽": "rouble", "₩": "won"}

# Words without a meaning of their own here.
_FREE = frozenset("a an the did does do s".split())
# Words that bind others: a claim has the same ones in the same places.
_BINDING = frozenset(
    "and but or nor either neither both who whom whose which that as while when where after before "
    "because if unless whether although though than to by from of for with without about against "
    "into onto over under above below between among during until till since in on at near around "
    "through across off out up down back towards toward upon within behind beyond per via except "
    "not no never none nobody nothing cannot nor all every each some any most many few fewer less "
    "more much several only just even almost nearly about least half other others another again "
    "may might could would should will shall can must so too also still yet already instead rather "
    "then".split()
)
_FORMS = {
    "is": "be+", "are": "be+", "am": "be+", "was": "be-", "were": "be-", "been": "be-", "be": "be",
    "being": "be", "n't": "not", "could": "could", "an": "a", "almost": "almost", "nearly": "almost",
}  # fmt: skip
_PRONOUNS = frozenset("he she it they".split())
_PLACES = frozenset("in on at near around".split())  # before a name or a day: left out freely
# What governs a clause from outside: as a fact the claim would say more.
_GOVERNS = frozenset(
    "if unless whether would-be said say says saying told tells according claim claims claimed "
    "claiming deny denied denies denying warn warned warns warning allege alleged alleges allegedly "
    "reportedly accuse accused accuses accusing argue argued argues fear feared fears predict "
    "predicted predicts suspect suspected suspects propose proposed proposes proposal threaten "
    "threatened threatens suggest suggested suggests believe believed believes hope hoped hopes "
    "expect expected expects think thinks thought doubt doubted doubts contend contended assume "
    "assumed estimate estimated estimates forecast rumour rumours rumor rumors rumoured rumored "
    "allegation allegations perhaps possibly maybe probably presumably potentially apparently likely "
    "unlikely supposedly may might could would should plan plans planned planning want wants wanted "
    "wish wished wishes intend intended intends aim aims aimed seek seeks sought try tries tried "
    "trying attempt attempted attempts fail failed fails refuse refused refuses reject rejected "
    "rejects consider considered considering promise promised promises vow vowed vows urge urged "
    "urges ask asked asks demand demanded demands call called calls cancel cancelled canceled "
    "postpone postponed scrap scrapped abandon abandoned not never no nobody none neither nor "
    "nothing without cannot false untrue hoax denial insist insisted insists appear appears appeared "
    "seem seems seemed due set scheduled supposed otherwise except once used film novel fictional "
    "imagine imagined dream".split()
)
_STOPS_SHORT = frozenset("until till unless if before than but except without or nor not only when while per".split())
_DAYS = frozenset(
    "monday tuesday wednesday thursday friday saturday sunday january february march april may june "
    "july august september october november december".split()
)


@dataclass(frozen=True, slots=True)
class Token:
    key: str  # what is compared
    kind: str  # word, number, binding, mark
    name: bool = False
    text: str = ""


def _number(value: float) -> str:
    return f"#{value:.9g}"


@lru_cache(maxsize=1024)
def tokens(text: str) -> tuple[Token, ...]:
    """Return the tokens of a text without words that mean nothing here."""
    out: list[Token] = []
    for match in _TOKEN.finditer(text):
        if match["number"]:
            value = float(re.sub(rf"[,{_SPACE}]", "", match["number"]))
            glued = match["glued"]
            unit = _CURRENCIES.get((match["currency"] or "").lower())
            if glued == "m" and not unit:
                following = re.match(r"\s+([a-z]+)", text[match.end():])
                plural = following and (following[1].endswith("s") or following[1] == "people")
                glued = "m" if plural else ""
                if not plural:
                    unit = "metre"
            value *= _GLUED.get(glued or "", 1)
            key = _number(value) + ("th" if match["rank"] else "")
            out.append(Token(key, "number", text=match[0]))
            if unit:
                out.append(Token(unit, "unit", text=unit))
            if match["percent"]:
                out.append(Token("percent", "word", text="%"))
        elif match["word"]:
            out += _words(match["word"], first=not out)
        else:
            mark = match["mark"].strip()
            out.append(Token({"–": "-", "—": "-", "--": "-"}.get(mark, mark), "mark", text=mark))
    return tuple(_elided(_joined(out)))


def _words(written: str, *, first: bool) -> Iterator[Token]:
    low = fold(written).replace("’", "'")
    if low.endswith("n't"):
        yield from _words(low[:-3] or "do", first=False)
        yield Token("not", "binding", text=written)
        return
    low = low.removesuffix("'s").replace(".", "") if low != "'s" else low
    if low in ("has", "have", "had"):
        yield Token("has", "binding", text=written)
        return
    if low in _FREE:
        return
    if low in _VALUES:
        yield Token(_number(_VALUES[low]), "number", text=written)
    elif low in _TIMES:
        yield Token(low, "times", text=written)
    elif low in _FORMS:
        yield Token(_FORMS[low], "binding", text=written)
    elif low in _BINDING:
        yield Token(low, "binding", text=written)
    else:
        yield Token(stem(low), "word", name=written[:1].isupper() and not first, text=low)


def _joined(found: Sequence[Token]) -> list[Token]:
    """Join numbers of several words, and units written out."""
    out: list[Token] = []
    for token in found:
        last = out[-1] if out else None
        if token.kind == "times":
            if last and last.kind == "number":
                out[-1] = Token(_number(float(last.key[1:].removesuffix("th")) * _TIMES[token.text.lower()]), "number", text=last.text)
            elif last and last.kind == "unit" and len(out) > 1 and out[-2].kind == "number":  # "$3 billion"
                out[-2] = Token(_number(float(out[-2].key[1:]) * _TIMES[token.text.lower()]), "number", text=out[-2].text)
            else:
                out.append(Token(stem(token.text.lower()), "word", text=token.text))
        elif (
            token.kind == "number" and last and last.kind == "number" and last.key[1:].isdigit()
            and last.text.lower() in _TENS and token.text.lower() in _SMALL[1:10]
        ):
            out[-1] = Token(_number(float(last.key[1:]) + float(token.key[1:])), "number", text=token.text)
        elif token.key == "cent" and last and last.key == "per":
            out[-1] = Token("percent", "word", text="per cent")
        else:
            out.append(token)
    out = [Token("percent", "word", text=t.text) if t.text == "percent" else t for t in out]
    # "has 420 pupils" = "with 420 pupils"
    return [
        Token("with", "binding", text=t.text) if t.key == "has" and n + 1 < len(out) and out[n + 1].kind == "number" else t
        for n, t in enumerate(out)
        if t.key != "has" or (n + 1 < len(out) and out[n + 1].kind == "number")
    ]


def _elided(found: Sequence[Token]) -> Iterator[Token]:
    """Yield the tokens with the noun that a further number leaves out: "310 cars; the other 120"."""
    noun: Token | None = None
    for n, token in enumerate(found):
        yield token
        if token.kind != "number":
            continue
        following = found[n + 1] if n + 1 < len(found) else None
        if following and following.kind in ("word", "unit") and not following.name:
            noun = following
        elif noun and (following is None or following.kind == "mark" or following.key in ("and", "but", "while")):
            yield noun


def says(claim: str, sentence: str, before: Sequence[str] = ()) -> bool:
    """Return whether a sentence says a claim; ``before``: the sentences before it, the nearest first,
    for what its pronoun refers to.
    """
    claim = re.sub(r"^(?:yes|no)\b[,.:;]?\s*", "", claim, flags=re.IGNORECASE)
    wanted = [t for t in tokens(claim) if t.key not in ".!"]
    held = list(tokens(sentence))
    while held and held[-1].key in (".", "!", "?"):
        if held.pop().key == "?":
            return False
    if not any(t.kind == "word" for t in wanted) or len([t for t in wanted if t.kind != "mark"]) < 2:
        return False
    starts = [n for n, token in enumerate(held) if _same(token, wanted[0])]
    if any(_follows(wanted, held, n) for n in starts):
        return True
    if any(_shares_subject(wanted, held, n) for n in starts):
        return True
    return _with_name(wanted, held, before)


def _same(one: Token, other: Token) -> bool:
    return one.key == other.key and (one.kind == other.kind or "word" in (one.kind, other.kind))


def _follows(wanted: Sequence[Token], held: Sequence[Token], start: int) -> bool:
    """Return whether the claim stands in the sentence from this token on."""
    at = start
    for n, token in enumerate(wanted):
        if n == 0:
            at += 1
            continue
        if token.kind == "mark":
            if at < len(held) and held[at].key == token.key:
                at += 1
            continue
        step = _next(token, held, at, start)
        if step is None:
            return False
        at = step + 1
    possession = len(wanted) > 2 and wanted[1].key == "with" and wanted[2].kind == "number"
    return (possession or _free_before(held, start)) and _free_after(held, at) and not _governed(wanted, held, start, at)


_SUBORDINATES = frozenset("who whom whose which that while when where as because if whether than or".split())


def _shares_subject(wanted: Sequence[Token], held: Sequence[Token], start: int) -> bool:
    """Return whether the claim is a subject that stands here and the second of two predicates:
    "Risk was convicted of forgery and jailed for four years".
    """
    if not _free_before(held, start):
        return False
    for count in range(1, min(6, len(wanted) - 1)):
        if start + count > len(held) or not all(map(_same, wanted[:count], held[start : start + count])):
            return False
        rest = list(wanted[count:])
        for n in range(start + count, len(held) - 1):
            if held[n].key in _SUBORDINATES or held[n].key in ";:\"“”":
                break
            if held[n].key not in ("and", "but"):
                continue
            predicate = rest
            if rest[0].key.startswith("be") and held[n + 1].key != rest[0].key:
                if held[start + count].key != rest[0].key:
                    continue
                predicate = rest[1:]
            verb = predicate[0] if predicate else None
            is_verb = verb and (verb.key.startswith("be") or re.search(r"ed$", verb.text) or verb.text in BASE_FORM)
            if is_verb and _same(held[n + 1], predicate[0]) and _runs(predicate, held, n + 1, start):
                return True
    return False


def _runs(wanted: Sequence[Token], held: Sequence[Token], start: int, subject: int) -> bool:
    at = start + 1
    for token in wanted[1:]:
        if token.kind == "mark":
            continue
        step = _next(token, held, at, start)
        if step is None:
            return False
        at = step + 1
    return _free_after(held, at) and not _governed(wanted, held, subject, at)


def _next(token: Token, held: Sequence[Token], at: int, start: int) -> int | None:
    """Return where the token stands that follows, with nothing left out but what may be."""
    for _ in range(4):
        if at >= len(held):
            return None
        if _same(held[at], token):
            return at
        if held[at].key in (",", "(", "-"):
            closing = {",": ",", "(": ")", "-": "-"}[held[at].key]
            inside = _apposition(held, start, at)
            if inside and held[at].key == closing and at + 1 < len(held) and _same(held[at + 1], token):
                # "Her driver, Jo Bell, died": the name is the whole of the insertion.
                return at + 1 if token.key not in ("and", "but", "or") else None
            end = next((k for k in range(at + 1, min(len(held), at + 14)) if held[k].key == closing), None)
            if end is None or any(held[k].key in (";", ":") for k in range(at, end)):
                return None
            if end + 1 < len(held) and held[end + 1].key in ("and", "but", "or") and token.key not in ("and", "but", "or"):
                return None
            at = end + 1
        elif held[at].key in _PLACES:
            end = at + 1
            while end < len(held) and end - at <= 3 and (held[end].name or held[end].text.lower() in _DAYS or (held[end].kind == "number" and held[end - 1].text.lower() in _DAYS)):
                end += 1
            if end == at + 1:
                return None
            at = end
        else:
            return None
    return None


def _apposition(held: Sequence[Token], start: int, end: int) -> bool:
    """Return whether an insertion begins with the claim and ends here, and is a name."""
    return start > 0 and held[start - 1].key == "," and all(t.kind == "word" for t in held[start:end])


def _free_before(held: Sequence[Token], start: int) -> bool:
    """Return whether the claim's first word may begin it: nothing before it takes it as its object."""
    for n in range(start - 1, max(-1, start - 4), -1):
        token = held[n]
        if token.kind == "mark" or (token.key in ("and", "but") and n < start):
            return token.kind == "mark" or start - n == 1
        if token.kind != "word" or not held[start].name or re.search(r"(?:ing|ed)$", token.text) or token.name:
            return False
    return start <= 3


def _free_after(held: Sequence[Token], at: int) -> bool:
    """Return whether the claim may end before this token."""
    if at >= len(held):
        return True
    following = held[at]
    if following.kind == "mark":
        return True
    return following.kind == "binding" and following.key not in _STOPS_SHORT and not following.key.startswith("be")


def _governed(wanted: Sequence[Token], held: Sequence[Token], start: int, end: int) -> bool:
    """Return whether something outside the claim's words makes it less than a fact."""
    own = {t.text.lower() for t in wanted}
    first = max((n + 1 for n in range(start) if held[n].key == ";"), default=0)
    last = next((n for n in range(end, len(held)) if held[n].key == ";"), len(held))
    outside = [*held[first:start], *held[end:last]]
    return any(t.text.lower() in _GOVERNS and t.text.lower() not in own for t in outside) or any(
        t.key == "not" for t in held[first:start]
    ) or sum(t.key in "\"“”„«»" for t in held[:start]) % 2 == 1


def _with_name(wanted: Sequence[Token], held: Sequence[Token], before: Sequence[str]) -> bool:
    """Return whether the sentence says the claim of a pronoun, and the name is what it stands for."""
    first = next((n for n, t in enumerate(held) if t.kind != "mark"), None)
    if first is None or held[first].text.lower() not in _PRONOUNS:
        return False
    count = next((n for n, t in enumerate(wanted) if not (t.name or n == 0) or t.kind != "word"), len(wanted))
    if not 0 < count < len(wanted):
        return False
    name, rest = [t.key for t in wanted[:count]], [held[first], *wanted[count:]]
    if not _follows(rest, held, first):
        return False
    for text in before[:1]:
        earlier = [t for t in tokens(text)]
        runs: list[list[str]] = []
        for n, token in enumerate(earlier):
            is_name = token.name or (n == 0 and token.kind == "word" and token.text[:1].isalpha() and len(earlier) > 1 and earlier[1].name)
            if is_name and runs and n and (earlier[n - 1].key in runs[-1][-1:]):
                runs[-1].append(token.key)
            elif is_name and not (n and earlier[n - 1].key in (*_PLACES, "of")):
                runs.append([token.key])
        distinct = {tuple(run) for run in runs if run[-1] not in _DAYS}
        return len(distinct) == 1 and set(name) <= set(next(iter(distinct)))
    return False
