"""Claims of answers, judged by hand: does the cited sentence say it?

    python -m benchmarks.answering.checked_claims seeds squad rtqa22  to judge: what is missing
    python -m benchmarks.answering.checked_claims seeds squad rtqa22 --report    the table

A claim that quotes its sentence says what that says, which is checked here by comparing them. The
others, in the language model's words, are judged once, each beside what it cites, and the judgement
is kept in benchmarks/results/checked-claims.jsonl under the claim's id, the sha256 of its text and
the places that it cites; a claim that has changed since is to be judged again. The random 100 are
drawn from all claims shown.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "passive")

import numpy as np

from benchmarks.answering.claim_repair import Cached, parts_of
from rag.answering.pipeline import Rag
from rag.config import Config
from rag.evaluation.metrics import bootstrap_interval, mean
from rag.evaluation.run import commit_here, default_cache, evaluate, index_dir
from rag.text.untrusted import without_markers

JUDGED = Path(__file__).parents[2] / "benchmarks/results/checked-claims.jsonl"
SAMPLE = 100

Row = dict[str, Any]


def shown(name: str) -> Iterator[Row]:
    """Yield the claims of the answers to a set's questions, with what they cite."""
    parts, articles = parts_of(name)
    cache, config = default_cache(), Config()
    writer = Cached(config, cache)
    index = index_dir(articles, config, cache)
    with Rag.for_articles(articles, config, index, generator=writer) as rag:
        rows = evaluate(rag, parts, articles, name=name).rows["answers"]
    for case, row in zip(parts[0].cases, rows, strict=True):
        cited = {c["number"]: c for c in row["citations"]}
        for n, claim in enumerate(row["claims"]):
            sources = [cited[number] for number in claim["citations"]]
            yield {
                "key": key_of(name, case.id, n, claim["text"], sources),
                "question": case.question,
                "answerable": case.answerable,
                "claim": claim,
                "sources": sources,
            }


def key_of(name: str, case: str, n: int, text: str, sources: Sequence[Row]) -> Row:
    return {
        "set": name,
        "id": case,
        "claim": n,
        "sha256": hashlib.sha256(text.encode()).hexdigest(),
        "cites": [[s["article"], s["start"], s["end"]] for s in sources],
    }


def is_quote(row: Row) -> bool:
    same: bool = row["claim"]["text"] == without_markers(row["sources"][0]["quote"])
    return same and len(row["sources"]) == 1


def judgements() -> dict[str, bool]:
    lines = JUDGED.read_text(encoding="utf-8").splitlines() if JUDGED.exists() else []
    rows = [json.loads(line) for line in lines]
    return {json.dumps(row["key"], sort_keys=True): row["supported"] for row in rows}


def table(rows: Sequence[Row], judged: dict[str, bool]) -> Iterator[str]:
    own = [row for row in rows if not is_quote(row)]
    sample = random.Random(0).sample(list(rows), min(SAMPLE, len(rows)))
    groups = {f"{len(sample)} random claims": sample, "all claims": list(rows)}
    groups |= {
        f"… {name}": [r for r in rows if r["key"]["set"] == name]
        for name in dict.fromkeys(r["key"]["set"] for r in rows)
    }
    groups |= {"all in the model's own words": own}
    groups |= {
        "… to answerable questions": [r for r in own if r["answerable"]],
        "… to others": [r for r in own if not r["answerable"]],
    }
    yield f"{len(rows)} claims, commit {commit_here()}\n"
    yield "| claims | unsupported | n | of them quotes |\n|---|---|---|---|"
    for title, group in groups.items():
        wrong = np.array([[not (is_quote(r) or judged[_text(r)])] for r in group], float)
        low, high = bootstrap_interval(wrong, mean)
        share = f"{wrong.mean():.3f} ({low:.3f}–{high:.3f})"
        yield f"| {title} | {share} | {len(group)} | {sum(map(is_quote, group))} |"


def _text(row: Row) -> str:
    return json.dumps(row["key"], sort_keys=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("sets", nargs="+")
    parser.add_argument("--report", action="store_true")
    arguments = parser.parse_args()
    rows = [row for name in arguments.sets for row in shown(name)]
    judged = judgements()
    missing = [row for row in rows if not is_quote(row) and _text(row) not in judged]
    for row in missing:  # to be judged by a person
        print(json.dumps({"key": row["key"], "supported": None}))
        print(f"    {row['question']}\n    {row['claim']['text']}", file=sys.stderr)
        print(
            *(f"        {s['title']}: {s['quote']}" for s in row["sources"]),
            sep="\n",
            file=sys.stderr,
        )
    if arguments.report and not missing:
        print("\n".join(table(rows, judged)))


if __name__ == "__main__":
    main()
