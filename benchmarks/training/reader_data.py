"""Windows for the reader: python -m benchmarks.training.reader_data TRAIN_FOLDER OUTPUT_FOLDER

Reads the reader sets of TRAIN_FOLDER and the evaluation sets of RAG_EVAL_DATA that may be trained
on, and writes train.jsonl and held.jsonl: {"set", "kind", "question", "text", "spans": [[start,
end]]}, without a span where the window does not answer. Articles are held out whole, by a hash of
their name.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import json
import os
import random
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from rag.config import Config
from rag.models.encoder import load_encoder
from rag.text.names import names
from rag.text.sentences import split
from rag.text.terms import words

SEED = 20261201
HELD = 10  # one article in so many is held out
LONGEST = 700  # characters of a window
Row = dict[str, Any]


@dataclass
class Passage:
    """Sentences in a row, of one article."""

    article: str
    text: str
    sentences: list[tuple[int, int]]
    news: bool = False


@dataclass
class Item:
    """A question, and where in its passage the answer stands; no spans: nowhere in it."""

    set: str
    question: str
    passage: Passage
    spans: list[tuple[int, int]] = field(default_factory=list)
    kind: str = "answered"
    weight: int = 1  # how many windows are made of it


def held_out(article: str) -> bool:
    one_in = 5 if article.startswith("squad:") else HELD
    return int(hashlib.sha256(article.encode()).hexdigest()[:8], 16) % one_in == 0


def rows_of(path: Path) -> Iterator[Row]:
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8") as file:
        yield from map(json.loads, file)


READER_SETS = {  # how many windows an answerable and another row are worth
    "qamr": (1, 0),  # its other rows are windows without the words: those are made here
    "qadiscourse": (1, 0),
    "qasrl_gs": (0, 0),  # placeholders ("someone"): questions that nobody asks
    "selqa": (3, 0),
    "squadshifts_new_wiki": (2, 0),
    "squad2_unansq": (3, 3),
}


def from_train(folder: Path) -> Iterator[Item]:
    for name, (worth, worth_unanswered) in READER_SETS.items():
        for row in rows_of(folder / f"{name}_reader.jsonl.gz"):
            weight = worth if row["answerable"] else worth_unanswered
            if not weight:
                continue
            article = row.get("doc") or row.get("title") or row["id"]
            if name == "squad2_unansq":
                article = row["passage"][:60]
            sentences = [tuple(span) for span in row["sentences"]]
            passage = Passage(
                f"{name}:{article}", row["passage"], sentences, row["domain"] == "news"
            )
            spans = [tuple(span) for span in row["answer_spans"]]
            if row["answerable"] and not spans:
                spans = [tuple(row["sentences"][n]) for n in row["gold"]]
            kind = "answered" if row["answerable"] else "near miss"
            yield Item(
                name, row["question"], passage, spans if row["answerable"] else [], kind, weight
            )


def from_eval(folder: Path) -> Iterator[Item]:
    """Yield the questions of the evaluation sets that may be trained on."""
    for name in ("squad", "hotpot100", "quotesum", "clapnq", "mtrag_un", "timeqa"):
        passages: dict[str, Passage] = {}

        def whole(
            article: str, name: str = name, passages: dict[str, Passage] = passages
        ) -> Passage:
            if article not in passages:
                with (folder / name / "articles" / f"{article}.txt").open(
                    encoding="utf-8", newline=""
                ) as file:
                    text = file.read()
                sentences = [(s.start, s.end) for s in split(text)]
                passages[article] = Passage(f"{name}:{article}", text, sentences)
            return passages[article]

        for row in rows_of(folder / name / "questions.jsonl"):
            if row["history"] or row["unanswerable_kind"] in ("withheld", "underspecified"):
                continue
            if row["answerable"]:
                for evidence in row["evidence"][:3]:
                    passage = whole(evidence["article_id"])
                    place = answer_in(passage.text, evidence, row["answers"], row["answer_type"])
                    yield Item(name, row["question"], passage, [place], "answered", 2)
            elif name == "squad":
                passage = whole(row["article_id"])
                start, end = row["meta"]["paragraph"]
                inside = [s for s in passage.sentences if start <= s[0] and s[1] <= end]
                if inside:
                    part = Passage(passage.article, passage.text, inside)
                    yield Item(name, row["question"], part, [], "near miss", 3)


def answer_in(text: str, evidence: Row, answers: Sequence[str], kind: str) -> tuple[int, int]:
    """Return the span of a short answer in its sentence, else the sentence."""
    start, end = evidence["start"], evidence["end"]
    if kind == "short":
        for answer in sorted(answers, key=len):
            at = text.lower().find(answer.lower(), start, end)
            if at >= 0 and len(answer) > 0:
                return at, at + len(answer)
    return start, end


class Windows:
    """Makes windows of items, and of those that do not answer."""

    def __init__(self, items: Sequence[Item], dice: random.Random) -> None:
        self.items, self.dice = items, dice
        self.by_name: dict[str, list[str]] = defaultdict(list)

    def around(self, passage: Passage, n: int) -> tuple[int, int]:
        """Return the place of one to four sentences around the n-th."""
        count = self.dice.choice((1, 2, 2, 3, 3, 4))
        first = max(0, n - self.dice.randrange(count))
        last = min(len(passage.sentences), first + count)
        while (
            last - first > 1
            and passage.sentences[last - 1][1] - passage.sentences[first][0] > LONGEST
        ):
            if last - 1 > n:
                last -= 1
            else:
                first += 1
        return passage.sentences[first][0], passage.sentences[last - 1][1]

    def window(
        self, item: Item, question: str, kind: str, n: int, passage: Passage | None = None
    ) -> Row | None:
        passage = passage or item.passage
        start, end = self.around(passage, n)
        end = min(end, start + 2 * LONGEST)
        spans = []
        if kind == "answered":
            spans = [[s - start, e - start] for s, e in item.spans if start <= s and e <= end]
            if not spans:
                return None
        elif (
            any(s < end and start < e for s, e in item.spans)
            and passage is item.passage
            and kind == "elsewhere"
        ):
            return None
        return {
            "set": item.set,
            "kind": kind,
            "question": question,
            "text": passage.text[start:end],
            "spans": spans,
            "article": item.passage.article,
            "news": item.passage.news,
        }

    def gold(self, item: Item) -> int | None:
        if not item.spans:
            return self.dice.randrange(len(item.passage.sentences))
        s, _ = item.spans[0]
        return next((n for n, (a, b) in enumerate(item.passage.sentences) if a <= s < b), None)


def swapped_name(question: str, others: Sequence[str], dice: random.Random) -> str | None:
    """Return the question about somebody, or something, else."""
    runs = re.findall(r"(?<!^)(?<![.?!] )\b[A-Z][\w’'-]+(?: [A-Z][\w’'-]+)*", question)
    if not runs or not others:
        return None
    old = dice.choice(runs)
    new = dice.choice(others)
    if set(words(old)) & set(words(new)):
        return None
    return question.replace(old, new, 1)


def swapped_number(question: str, dice: random.Random) -> str | None:
    numbers = re.findall(r"\b\d[\d,.]*\d\b|\b\d\b", question)
    if not numbers:
        return None
    old = dice.choice(numbers)
    digits = re.sub(r"\D", "", old)
    if len(digits) == 4 and digits[:2] in ("18", "19", "20"):
        new = str(int(digits) + dice.choice((-9, -7, -3, -2, -1, 1, 2, 4, 6, 11)))
    else:
        new = str(max(1, int(digits[:6]) + dice.choice((-5, -2, 1, 2, 3, 7, 10, 20))))
    return question.replace(old, new, 1) if new != old else None


class Lexicon:
    """Antonyms and sibling words of WordNet."""

    def __init__(self, folder: Path) -> None:
        self.others: dict[str, list[str]] = defaultdict(list)
        with gzip.open(folder / "wordnet_antonyms.tsv.gz", "rt", encoding="utf-8") as file:
            for line in file:
                a, b = line.rstrip("\n").split("\t")[:2]
                a, b = (
                    re.sub(r"[^a-z ].*", "", w.lower().replace("_", " ")).strip() for w in (a, b)
                )
                if a and b and " " not in a + b:
                    self.others[a].append(b)
                    self.others[b].append(a)
        children: dict[str, list[list[str]]] = defaultdict(list)
        with gzip.open(folder / "wordnet_synsets.tsv.gz", "rt", encoding="utf-8") as file:
            for line in file:
                parts = line.rstrip("\n").split("\t")
                if len(parts) < 5 or not parts[4]:
                    continue
                members = [m.replace("_", " ") for m in re.split(r"[|]", parts[3])]
                single = [m for m in members if m.isalpha() and m.islower()]
                if single:
                    children[re.split(r"[| ,]", parts[4])[0]].append(single)
        self.siblings: dict[str, list[str]] = defaultdict(list)
        for group in children.values():
            if 2 <= len(group) <= 12:
                for n, members in enumerate(group):
                    rest = [m[0] for k, m in enumerate(group) if k != n]
                    self.siblings[members[0]].extend(rest)

    def swap(self, question: str, dice: random.Random) -> tuple[str, str] | None:
        found = re.findall(r"(?<!^)\b[a-z]{4,}\b", question)
        dice.shuffle(found)
        for word in found:
            for kind, table in (("antonym", self.others), ("sibling", self.siblings)):
                if options := table.get(word):
                    return kind, re.sub(rf"\b{word}\b", dice.choice(options), question, count=1)
        return None


def answers_too(item: Item, text: str) -> bool:
    """Return whether a text holds an answer of the item, word for word."""
    low = text.lower()
    return any(item.passage.text[s:e].lower() in low for s, e in item.spans)


def hard_windows(items: Sequence[Item], maker: Windows, most: int, encoder: Any) -> Iterator[Row]:
    """Yield windows around what the encoder finds for a question and what does not answer it."""
    pool: list[tuple[Passage, int]] = []
    seen: set[str] = set()
    for item in items:
        for n, (s, e) in enumerate(item.passage.sentences):
            key = item.passage.text[s:e]
            if key not in seen and 30 < e - s < 500:
                seen.add(key)
                pool.append((item.passage, n))
    print("pool of", len(pool), "sentences", flush=True)
    texts = [p.text[slice(*p.sentences[n])] for p, n in pool]
    vectors = encoder.encode_texts(texts).astype(np.float32)
    asked = encoder.encode_texts([item.question for item in items]).astype(np.float32)
    for at in range(0, len(items), 256):
        scores = asked[at : at + 256] @ vectors.T
        best = np.argpartition(-scores, 16, axis=1)[:, :16]
        for row, item in enumerate(items[at : at + 256]):
            order = best[row][np.argsort(-scores[row][best[row]])]
            made = 0
            for place in order:
                passage, n = pool[place]
                s, e = passage.sentences[n]
                if passage.text == item.passage.text and any(
                    a < e and s < b for a, b in item.spans
                ):
                    continue
                if answers_too(item, passage.text[s:e]) or made >= most:
                    continue
                row_made = maker.window(item, item.question, "found", n, passage)
                if row_made and not answers_too(item, row_made["text"]):
                    made += 1
                    yield row_made


def made_of(
    items: Sequence[Item], lexicon: Lexicon, encoder: Any, dice: random.Random
) -> Iterator[Row]:
    maker = Windows(items, dice)
    local: dict[str, set[str]] = defaultdict(set)
    for item in items:
        for run in re.findall(
            r"(?<![.?!] )(?<!^)\b[A-Z][\w’'-]+(?: [A-Z][\w’'-]+)*", item.passage.text[:6000]
        ):
            local[item.passage.article].add(run)
    everything = [name for group in local.values() for name in group]
    foreign = [i.question for i in items if i.spans and len(names(i.question)) == 1]
    for item in items:
        n = maker.gold(item)
        if n is None or not item.passage.sentences:
            continue
        for _ in range(item.weight):
            if row := maker.window(item, item.question, item.kind, n):
                yield row
        if not item.spans or item.set == "hotpot100":
            continue
        # The same question on another part of the same article.
        others = [k for k in range(len(item.passage.sentences)) if abs(k - n) > 1]
        row = (
            maker.window(item, item.question, "elsewhere", dice.choice(others)) if others else None
        )
        if row and not answers_too(item, row["text"]):
            yield row
        changed, kind = changed_question(item, n, local, (everything, foreign), maker, lexicon)
        if changed and (row := maker.window(item, changed, kind, n)):
            yield row
    yield from hard_windows(
        [i for i in items if i.spans and i.set != "hotpot100"], maker, 1, encoder
    )


def changed_question(
    item: Item,
    n: int,
    local: dict[str, set[str]],
    elsewhere: tuple[Sequence[str], Sequence[str]],
    maker: Windows,
    lexicon: Lexicon,
) -> tuple[str | None, str]:
    """Return a question that the window does not answer, made of the one that it does, and how."""
    everything, foreign = elsewhere
    dice = maker.dice
    chance = dice.random()
    near = [x for x in local[item.passage.article] if x not in item.question]
    if chance < 0.30:
        at_hand = near if near and dice.random() < 0.6 else [dice.choice(everything)]
        return swapped_name(item.question, at_hand, dice), "name"
    if chance < 0.45:
        return swapped_number(item.question, dice), "number"
    if chance < 0.65:
        kind, changed = lexicon.swap(item.question, dice) or ("", None)
        return changed, kind
    if chance < 0.85 and near and foreign:
        # A question about something else that is put to a name of this window.
        start, end = maker.around(item.passage, n)
        inside = [x for x in near if x in item.passage.text[start:end]] or near
        return swapped_name(dice.choice(foreign), inside, dice), "transplant"
    return None, ""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("train", type=Path)
    parser.add_argument("output", type=Path)
    args = parser.parse_args()
    dice = random.Random(SEED)
    items = [*from_train(args.train), *from_eval(Path(os.environ["RAG_EVAL_DATA"]))]
    lexicon = Lexicon(args.train)
    encoder = load_encoder("all-MiniLM-L6-v2", Config().models_dir)
    args.output.mkdir(parents=True, exist_ok=True)
    for name, held in (("held", True), ("train", False)):
        part = [item for item in items if held_out(item.passage.article) is held]
        rows = list(made_of(part, lexicon, encoder, dice))
        dice.shuffle(rows)
        with (args.output / f"{name}.jsonl").open("w", encoding="utf-8") as file:
            for row in rows:
                file.write(json.dumps(row, ensure_ascii=False) + "\n")
        kinds: dict[tuple[str, str], int] = defaultdict(int)
        for row in rows:
            kinds[row["set"], row["kind"]] += 1
        print(
            name, len(part), "questions,", len(rows), "windows, news", sum(r["news"] for r in rows)
        )
        for key, count in sorted(kinds.items()):
            print("  ", *key, count)


if __name__ == "__main__":
    main()
