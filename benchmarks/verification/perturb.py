"""Correct claims turned into wrong ones of each kind: how many pass, and how many correct ones
keep their own wording.

    python -m benchmarks.verification.perturb > benchmarks/results/perturbations.md

Correct claims are the gold sentences of the sets and the other sentences of their articles, half
of them changed by light paraphrase. A claim is checked against the sentence that it was made from
("own"), and against that, the one before and the one after it, passing if any lets it ("of three").
The supported claims of qags (other machines' summaries) and the answers of clapnq and quotesum are
not made by rule: what keeps its wording there is what answers would. Sets are folders of
$RAG_EVAL_DATA; no text of theirs is printed unless asked for with --show.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

from benchmarks.verification.paraphrases import paraphrase
from benchmarks.verification.perturb_base import Item, names_of
from benchmarks.verification.perturbations import KINDS
from rag.evaluation.metrics import share_interval
from rag.evaluation.run import commit_here
from rag.ingest.loaders.text import parse
from rag.text.sentences import split
from rag.verification.verifiers import Verifier, load_verifier

SETS = ("squad", "rtqa22", "rtqa26", "hotpot100", "quotesum")
MOST_CLAIMS = 100  # claims of a kind and set
PER_ARTICLE = 60  # sentences
ALL = "all of these kinds"


@dataclass(frozen=True, slots=True)
class Tried:
    """One claim of a kind and its wrong form, and which of them pass."""

    kind: str
    item: Item
    right: str
    wrong: str
    own: bool  # the wrong one, by the sentence that it was made from
    of_three: bool  # … or by one of its neighbours
    right_passes: bool  # by its own sentence


def load_items(data: Path, name: str) -> list[Item]:
    """Return the sentences of a set's articles, gold ones first."""
    gold: dict[str, set[tuple[int, int]]] = defaultdict(set)
    for line in (data / name / "questions.jsonl").open(encoding="utf-8"):
        for evidence in json.loads(line)["evidence"]:
            gold[evidence["article_id"]].add((evidence["start"], evidence["end"]))
    first: list[Item] = []
    rest: list[Item] = []
    for article, spans in sorted(gold.items()):
        path = data / name / "articles" / f"{article}.txt"
        found = parse(path.name, path.read_bytes().decode("utf-8"))
        sentences = split(found.text, found.body_start)
        quotes = [" ".join(found.text[s.start : s.end].split()) for s in sentences]
        names = tuple(dict.fromkeys(n for quote in quotes for n in names_of(quote)[1:]))
        others: list[Item] = []
        for n, (sentence, quote) in enumerate(zip(sentences, quotes, strict=True)):
            if not (40 <= len(quote) <= 400 and quote[0].isupper() and quote[-1] in '."”'):
                continue
            around = tuple(quotes[max(0, n - 1) : n + 2])
            item = Item(name, article, quote, around, found.title, names)
            is_gold = any(s < sentence.end and sentence.start < e for s, e in spans)
            (first if is_gold else others).append(item)
        Random(article).shuffle(others)
        rest += others[:PER_ARTICLE]
    Random(name).shuffle(first)
    Random(name).shuffle(rest)
    return first + rest


def passes(verifier: Verifier, claim: str, quotes: Sequence[str], item: Item) -> bool:
    """Return whether one of these sentences lets a claim pass, after the ones before it."""
    return any(
        verifier.check(claim, quote, item.around[: item.around.index(quote)][::-1]).passed
        for quote in quotes
    )


def tried(item: Item, kind: str, number: int, verifier: Verifier) -> Tried | None:
    """Return a claim made wrong and judged, or None where the kind does not apply."""
    random = Random(f"{kind} {number} {item.claim}")
    right = paraphrase(item.claim, random) if number % 2 else item.claim
    wrong = KINDS[kind](right, item, random)
    if wrong is None or wrong == right:
        return None
    own = passes(verifier, wrong, [item.claim], item)
    of_three = own or passes(verifier, wrong, item.around, item)
    return Tried(
        kind, item, right, wrong, own, of_three, passes(verifier, right, [item.claim], item)
    )


def all_tried(items: Sequence[Item], most: int) -> Iterator[Tried]:
    verifier = load_verifier("rules")
    for kind in KINDS:
        count = 0
        for number, item in enumerate(items):
            if found := tried(item, kind, number, verifier):
                yield found
                count += 1
                if count == most:
                    break


WRITTEN = {
    "qags": "machine summaries that people found right; any sentence of the article",
    "clapnq": "sentences of answers by people; any gold sentence",
    "quotesum": "sentences of answers by people; any sentence of the gold passages",
}


def written_claims(data: Path, name: str) -> Iterator[tuple[str, list[str]]]:
    """Yield correct claims that people or other machines wrote, not this program, with the
    sentences that they may rest on.
    """
    rows = data / name / ("claims.jsonl" if name == "qags" else "questions.jsonl")
    for row in map(json.loads, rows.open(encoding="utf-8")):
        if name == "qags":
            if row["label"] == "supported":
                path = data / name / "articles" / f"{row['article_id']}.txt"
                text = path.read_text(encoding="utf-8")
                # The set's articles are tokenized: "3, 800".
                yield row["claim"], [re.sub(r"(?<=\d), (?=\d{3}\b)", ",", q) for q in _cut(text)]
        elif row["answerable"] and row["answer_type"] == "long" and row["evidence"]:
            quotes = [quote for e in row["evidence"] for quote in _cut(e["text"])]
            for claim in _cut(re.sub(r"\[ \d+ | \](?= |$)", "", row["answers"][0])):
                if len(claim) > 20:
                    yield claim, quotes


def _cut(text: str) -> list[str]:
    return [text[s.start : s.end] for s in split(text)]


def share(hits: Sequence[bool]) -> str:
    """Return a share with its interval, as a cell of a table."""
    if not hits:
        return "–"
    low, high = share_interval([float(hit) for hit in hits])
    return f"{sum(hits) / len(hits):.3f} ({low:.3f}–{high:.3f})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--data", type=Path, default=os.environ.get("RAG_EVAL_DATA"))
    parser.add_argument("--most", type=int, default=MOST_CLAIMS, help="claims of a kind and set")
    parser.add_argument("--sets", nargs="+", default=SETS)
    parser.add_argument("--show", type=int, default=0, help="false ones that pass to print, too")
    arguments = parser.parse_args()
    data: Path = arguments.data
    found = [
        row for name in arguments.sets for row in all_tried(load_items(data, name), arguments.most)
    ]
    for kind in KINDS if arguments.show else ():
        for row in [row for row in found if row.kind == kind and row.of_three][: arguments.show]:
            print(f"--- {kind}\n  {row.item.around}\n  {row.wrong}", file=sys.stderr)
    print(
        "# Wrong claims made from right ones: what passes\n\n"
        f"`python -m benchmarks.verification.perturb --most {arguments.most}`, on commit "
        f"{commit_here()}; sets {', '.join(arguments.sets)}.\n"
        "95 % intervals: bootstrap, or Wilson's where all are alike.\n"
        "Looked at: what may be written otherwise was chosen after reading right claims that were "
        "refused here.\n"
    )
    _report(found)
    _report_right(found, data)
    _report_cost(found)


def _report(found: Sequence[Tried]) -> None:
    print("| what is wrong | n | false passing, own sentence | false passing, any of three |")
    print("|---" * 4 + "|")
    for kind in (*KINDS, ALL):
        rows = [row for row in found if kind in {row.kind, ALL}]
        own, three = share([r.own for r in rows]), share([r.of_three for r in rows])
        print(f"| {kind} | {len(rows)} | {own} | {three} |")


def _report_right(found: Sequence[Tried], data: Path) -> None:
    print("\n## Right claims that keep their wording\n\nThe others are quoted instead.\n")
    print("| claims | n | pass |\n|---|---|---|")
    right = {row.right: row for row in found}.values()
    as_is = [row.right_passes for row in right if row.right == row.item.claim]
    changed = [row.right_passes for row in right if row.right != row.item.claim]
    print(f"| the sentence itself | {len(as_is)} | {share(as_is)} |")
    print(f"| lightly paraphrased by rule | {len(changed)} | {share(changed)} |")
    verifier = load_verifier("rules")
    for name, written in WRITTEN.items():
        rows = [
            any(verifier.check(claim, quote).passed for quote in quotes)
            for claim, quotes in written_claims(data, name)
        ]
        print(f"| {name}: {written} | {len(rows)} | {share(rows)} |")


def _report_cost(found: Sequence[Tried]) -> None:
    verifier = load_verifier("rules")
    costs = []
    for row in found[:: max(1, len(found) // 1000)]:
        begun = time.process_time()
        # Not what was analysed a moment ago: a claim is new, its sentence too.
        verifier.check(row.wrong + " ", f"{row.item.claim} ")
        costs.append(1e6 * (time.process_time() - begun))
    costs.sort()
    print(
        f"\n## Cost\n\nA check of a claim against a sentence that was not seen before, over"
        f" {len(costs)} claims: median {costs[len(costs) // 2]:.0f} µs, 95th percentile"
        f" {costs[int(0.95 * len(costs))]:.0f} µs."
    )


if __name__ == "__main__":
    main()
