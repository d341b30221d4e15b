"""What search and reader say of each candidate, kept for fitting (reader_fit):

    python -m benchmarks.training.reader_cases FOLDER SET [--of ARTICLE…] [--against OTHER]

A SET is a folder with articles/ and questions.jsonl; --of: only questions about these articles;
--against: asked of another set's articles, which do not answer them. Writes cases/NAME.jsonl.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "passive")

import torch

from rag.answering.confidence import confidence
from rag.config import Config
from rag.evaluation.metrics import Span, overlaps
from rag.index.index import Index
from rag.index.sync import sync
from rag.models.encoder import load_encoder
from rag.models.reader import Reader, load_reader
from rag.retrieval.ranking import find_candidates, make_query, ranked
from rag.retrieval.reading import read
from rag.text.injection import set_aside

SENTENCES = 30  # best candidates that are kept


def case_of(
    row: dict[str, Any], index: Index, encoder: Any, reader: Reader, config: Config
) -> dict[str, Any]:
    query = make_query(row["question"], index, encoder, (row.get("meta") or {}).get("date"))
    unread = ranked(find_candidates(query, index, config))
    places = {(c.article.path, c.sentence.start): n for n, c in enumerate(unread)}
    best = set_aside(row["question"], read(row["question"], unread, reader, index), SENTENCES)
    before = set_aside(row["question"], unread, 10)
    gold = [Span(f"{g['article_id']}.txt", g["start"], g["end"]) for g in row["evidence"] or ()]
    candidates = [
        {
            "features": [round(float(x), 4) for x in c.features],
            "score": round(replace(c, reading=None).score, 4),
            "read": round(c.reading.score, 3),
            "answer": c.article.text[c.reading.start : c.reading.end],
            "quote": c.quote,
            "path": c.article.path,
            "gold": any(
                overlaps(Span(c.article.path, c.sentence.start, c.sentence.end), g) for g in gold
            ),
            "place": places[c.article.path, c.sentence.start],
        }
        for c in best
        if c.reading
    ]
    return {
        "id": row["id"], "question": row["question"], "answerable": row["answerable"],
        "kind": row["unanswerable_kind"], "article": row["article_id"], "answers": row["answers"],
        "confidence": round(confidence(query, before), 4),
        "candidates": candidates,
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("set", type=Path)
    parser.add_argument("--of", nargs="+", default=())
    parser.add_argument("--against", type=Path)
    parser.add_argument("--most", type=int, default=400)
    parser.add_argument("--name")
    args = parser.parse_args()
    torch.set_num_threads(2)
    config = Config()
    encoder = load_encoder(config.encoder, config.models_dir)
    reader = load_reader(config)
    assert reader
    (args.folder / "cases").mkdir(exist_ok=True)
    rows = [json.loads(line) for line in (args.set / "questions.jsonl").open(encoding="utf-8")]
    rows = [r for r in rows if (r.get("meta") or {}).get("has_entity", True) and not r["history"]]
    rows = [r for r in rows if not args.of or r["article_id"] in args.of]
    if args.against:
        rows = [
            {**r, "answerable": False, "unanswerable_kind": "withheld", "evidence": []}
            for r in rows
            if r["answerable"]
        ]
    random.Random(0).shuffle(rows)
    searched = args.against or args.set
    cache = Path.home() / ".cache/footnote/benchmarks" / searched.name
    sync(searched / "articles", cache, config, encoder)
    index = Index.open(cache, config, encoder)
    name = args.name or args.set.name
    with (args.folder / "cases" / f"{name}.jsonl").open("w", encoding="utf-8") as file:
        for n, row in enumerate(rows[: args.most]):
            file.write(
                json.dumps(case_of(row, index, encoder, reader, config), ensure_ascii=False) + "\n"
            )
            if n % 100 == 0:
                print(name, n, file=sys.stderr, flush=True)
    index.close()


if __name__ == "__main__":
    main()
