"""Claims with known labels for fitting the verifier: made of Wikipedia sentences and of questions
with their answers, after the transformations of Kryściński et al. 2020, "Evaluating the Factual
Consistency of Abstractive Text Summarization", section 3.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rag.evaluation.cases import read_text
from rag.text.sentences import split
from rag.text.terms import content_terms
from rag.verification.verifiers import recall

WINDOW = 12  # neighbouring sentences that a claim may be made of
LINKS = "in on at for with by from and that which who to after of was is were has had".split()
LINK = re.compile(rf"\s(?=(?:{'|'.join(LINKS)})\s)")
ASIDE = re.compile(r"\s?\([^()]*\)|, (?:which|who|where|including|such as)\b[^,.;]*(?:,|(?=[.]$))")
NAME = re.compile(r"(?<=[a-z,] )[A-Z][\w'’-]+(?: [A-Z][\w'’-]+)*")
NUMBER = re.compile(r"\b\d[\d,.]*\d\b|\b\d\b")
QUESTION = re.compile(
    r"\b(?:(?:in|on|at|for|from|to|by|with|of|during|since) )?(?:what|which|whose|whom|who|when|"
    r"where|how many|how much|how long|how)\b",
    re.IGNORECASE,
)
AUXILIARY = re.compile(
    r"\s*(?:did|do|does|has|have|had|can|could|would|will|is|are|was|were)\b", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Example:
    """A claim with the sentences that it is to be judged by."""

    claim: str
    sources: tuple[str, ...]
    title: str
    supported: bool
    kind: str
    group: str  # the article, for splits
    around: tuple[str, ...] = field(repr=False, default=())  # what its terms are weighed by


def made(data: Path, names: Sequence[str], most: int, seed: int = 0) -> list[Example]:
    """Return claims made of the sentences of these sets' articles, at most so many of a set."""
    dice = random.Random(seed)
    found: list[Example] = []
    for name in names:
        paths = sorted((data / name / "articles").glob("*.txt"))
        windows = [(path.stem, *window) for path in paths for window in _windows(path)]
        dice.shuffle(windows)
        for group, title, sentences in windows[:most]:
            foreign = dice.choice(windows)[2]
            found.extend(_of_window(f"{name}/{group}", title, sentences, foreign, dice))
    return found


def _windows(path: Path) -> Iterator[tuple[str, list[str]]]:
    text = read_text(path)
    title = text.splitlines()[0] if text else ""
    spans = split(text, min(len(text), len(title) + 1))
    sentences = [" ".join(text[s.start : s.end].split()) for s in spans]
    sentences = [s for s in sentences if 8 <= len(s.split()) <= 60 and s.endswith(".")]
    for at in range(0, len(sentences) - WINDOW // 2, WINDOW):
        yield title, sentences[at : at + WINDOW]


def _of_window(
    group: str, title: str, sentences: list[str], foreign: list[str], dice: random.Random
) -> Iterator[Example]:
    first, second, third = dice.sample(sentences, 3)
    short = shortened(first, dice)
    others = [s for s in sentences if s != first]
    makers: dict[str, Callable[[], str | None]] = {
        "splice": lambda: spliced(first, second, dice),
        "other name or number": lambda: swapped(short, others, dice),
        "changed roles": lambda: exchanged(short, dice),
        "denied": lambda: denied(short, dice),
        "added detail": lambda: spliced(short, dice.choice(foreign), dice, tail_only=True),
    }
    yield _example(short, sentences, title, True, "shortened", group, dice)
    both = f"{short.rstrip('.')}, and {shortened(second, dice)}"
    yield _example(both, sentences, title, True, "two sentences", group, dice)
    yield _example(short, others, title, False, "its sentence absent", group, dice)
    kind = dice.choice(sorted(makers))
    if claim := makers[kind]():
        yield _example(claim, sentences, title, False, kind, group, dice)
    for kind, claim in (
        ("splice", makers["splice"]()),
        ("fused", fused([first, second, third], dice)),
    ):
        if claim:
            yield _example(claim, sentences, title, False, kind, group, dice)


def _example(
    claim: str, around: Sequence[str], title: str, supported: bool, kind: str, group: str,
    dice: random.Random,
) -> Example:  # fmt: skip
    best = sorted(around, key=lambda s: -recall(claim, [s], {}))
    least = 2 if kind in {"splice", "fused", "two sentences"} else 1
    return Example(
        claim, tuple(best[: dice.randint(least, 3)]), title, supported, kind, group, tuple(around)
    )


def shortened(sentence: str, dice: random.Random) -> str:
    """Return the sentence without an aside or its end, where that leaves a sentence."""
    short = ASIDE.sub("", sentence)
    parts = short.rstrip(".").split(", ")
    if len(parts) > 1 and dice.random() < 0.7:
        short = ", ".join(parts[:-1] if dice.random() < 0.7 else parts[1:]) + "."
    cuts = [m.start() for m in LINK.finditer(short)]
    if cuts and dice.random() < 0.5 and cuts[-1] > len(short) / 2:
        short = short[: cuts[-1]] + "."
    if len(content_terms(short)) < 4:
        return sentence
    return short[0].upper() + short[1:]


def spliced(first: str, second: str, dice: random.Random, *, tail_only: bool = False) -> str | None:
    """Return the start of one sentence and the end of the other, joined at the same small word."""
    heads = {first[m.end() :].split(maxsplit=1)[0]: m for m in LINK.finditer(first)}
    tails = {second[m.end() :].split(maxsplit=1)[0]: m for m in LINK.finditer(second)}
    shared = sorted(set(heads) & set(tails))
    if tail_only:
        places = list(tails.values())
        return first.rstrip(".") + second[dice.choice(places).start() :] if places else None
    pairs = [(heads[w].start(), tails[w].start()) for w in shared]
    pairs = [(h, t) for h, t in pairs if h > len(first) / 4 and len(second) - t > 15]
    if not pairs:
        return None
    head, tail = dice.choice(pairs)
    return first[:head] + second[tail:]


def fused(sentences: Sequence[str], dice: random.Random) -> str | None:
    """Return the start, a middle and the end of three sentences, cut before small words."""
    parts = []
    for sentence in sentences:
        cuts = [match.start() for match in LINK.finditer(sentence)]
        if len(cuts) < 3:
            return None
        n = dice.randrange(1, len(cuts) - 1)
        first, last = cuts[n - 1], cuts[n]
        parts.append((sentence[:first], sentence[first:last], sentence[last:]))
    (start, _, _), (_, middle, _), (_, _, end) = parts
    return start + middle + end


def swapped(claim: str, others: Sequence[str], dice: random.Random) -> str | None:
    """Return the claim with a name or number that the other sentences have in its place."""
    for pattern in dice.sample([NAME, NUMBER], 2):
        here = pattern.findall(claim)
        there = [x for s in others for x in pattern.findall(s) if x not in claim]
        if here and there:
            return claim.replace(dice.choice(here), dice.choice(there), 1)
    return None


def exchanged(claim: str, dice: random.Random) -> str | None:
    """Return the claim with two of its names exchanged."""
    found = list(dict.fromkeys(NAME.findall(claim)))
    if len(found) < 2:
        return None
    one, other = dice.sample(found, 2)
    return claim.replace(one, "\0").replace(other, one).replace("\0", other)


def denied(claim: str, _dice: random.Random) -> str | None:
    """Return the claim with a "not"."""
    said = re.sub(r"\b(is|was|were|are|has|had|can|will|could) ", r"\1 not ", claim, count=1)
    return said if said != claim else None


def answered(data: Path, name: str, most: int, seed: int = 1) -> list[Example]:
    """Return claims that are a question with an answer put in: its own, or a wrong one."""
    dice = random.Random(seed)
    rows = [json.loads(line) for line in (data / name / "questions.jsonl").open(encoding="utf-8")]
    rows = [row for row in rows if row["meta"].get("paragraph") and row["article_id"]]
    rows = [row for row in rows if row["unanswerable_kind"] != "withheld"]
    dice.shuffle(rows)
    texts = {
        row["article_id"]: read_text(data / name / "articles" / f"{row['article_id']}.txt")
        for row in rows
    }
    found: list[Example] = []
    for row in rows[:most]:
        found.extend(_of_question(row, texts[row["article_id"]], dice))
    return found


def _of_question(row: dict[str, Any], text: str, dice: random.Random) -> Iterator[Example]:
    start, end = row["meta"]["paragraph"]
    around = [" ".join(text[s.start : s.end].split()) for s in split(text, start, end)]
    title, group, question = text.splitlines()[0], row["article_id"], row["question"]
    wanted = NUMBER if re.search(r"\bhow (?:many|much)\b|\bwhen\b|year", question.lower()) else NAME
    answers = row["answers"]
    wrong = [
        x for s in around for x in wanted.findall(s)
        if x.lower() not in question.lower() and not any(x in a or a in x for a in answers)
    ]  # fmt: skip
    if answers:
        claim = statement(question, answers[0])
        yield _example(claim, around, title, True, "answered", group, dice)
        absent = [s for s in around if answers[0] not in s]
        if len(absent) > 2:
            yield _example(claim, absent, title, False, "its sentence absent", group, dice)
    if wrong:
        claim = statement(question, dice.choice(wrong))
        yield _example(claim, around, title, False, "wrong answer", group, dice)


def statement(question: str, answer: str) -> str:
    """Return a question as a statement, as well as that goes without a parse."""
    text = question.strip().rstrip("? ")
    match = QUESTION.search(text)
    if not match:
        return f"{text}: {answer}."
    before, after = text[: match.start()], text[match.end() :].strip()
    link = next((w for w in (match[0].lower().split()[0],) if w in LINKS), "")
    if not before and (moved := AUXILIARY.match(after)) and match[0].lower() not in {"who", "what"}:
        said = f"{after[moved.end() :].strip()} {link} {answer}"
    else:
        said = f"{before} {link} {answer} {after}"
    said = " ".join(said.split())
    return said[0].upper() + said[1:] + "."
