"""What search and reader say of each candidate, kept for fitting: python -m benchmarks.training.reader_cases
FOLDER SET… [--most 400]. A SET is a folder with articles/ and questions.jsonl. Writes FOLDER/cases/SET.jsonl."""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "passive")

import numpy as np
import torch
from transformers import AutoTokenizer

from benchmarks.training.reader import TOKENS, model_of, tensors
from rag.answering.confidence import signals
from rag.config import Config
from rag.evaluation.metrics import Span, overlaps
from rag.index.index import Index
from rag.index.sync import sync
from rag.models.encoder import load_encoder
from rag.models.files import locate
from rag.retrieval.ranking import Candidate, find_candidates, make_query, ranked
from rag.text.injection import set_aside

WINDOWS = 12
AROUND = 1  # sentences before and after the one that a window is made for
SENTENCES = 30  # best candidates that are kept


def window_of(candidate: Candidate, index: Index) -> list[tuple[int, int]]:
    """Return the sentences of a window around a candidate."""
    path, start, end = candidate.article.path, candidate.sentence.start, candidate.sentence.end
    before, after = [], []
    for s in index.sentences_before(path, start):
        before.append((s.start, s.end))
        if len(before) >= AROUND:
            break
    for s in index.sentences_from(path, end):
        after.append((s.start, s.end))
        if len(after) >= AROUND:
            break
    return [*reversed(before), (start, end), *after]


class Reader:
    def __init__(self, checkpoint: Path) -> None:
        base = locate("all-MiniLM-L6-v2", Config().models_dir)
        self.tokenizer = AutoTokenizer.from_pretrained(base)
        self.model = model_of(base)
        self.model.load_state_dict(torch.load(checkpoint, weights_only=True)["model"])
        self.model.eval()

    @torch.inference_mode()
    def read(
        self, question: str, windows: Sequence[tuple[str, list[tuple[int, int]]]]
    ) -> list[list[tuple[float, int, int]]]:
        """Return of each sentence of each window its best span's score, less the null's, and its place."""
        tokens = self.tokenizer(
            [question] * len(windows), [text for text, _ in windows], truncation="only_second",
            max_length=TOKENS, return_offsets_mapping=True, return_token_type_ids=True,
        )
        examples = []
        for n in range(len(windows)):
            kinds = tokens["token_type_ids"][n]
            first = kinds.index(1) if 1 in kinds else len(kinds)
            examples.append((tokens["input_ids"][n], first, 0, 0))
        with torch.autocast("cpu", dtype=torch.bfloat16):
            out = self.model(**tensors(examples, self.tokenizer.pad_token_id))
        starts, ends = out.start_logits.float().numpy(), out.end_logits.float().numpy()
        found = []
        for n, (_, sentences) in enumerate(windows):
            ids, first, _, _ = examples[n]
            offsets = tokens["offset_mapping"][n]
            null = starts[n, 0] + ends[n, 0]
            row = []
            for s, e in sentences:
                inside = [k for k in range(first, len(ids) - 1) if offsets[k][0] < e and s < offsets[k][1]]
                if not inside:
                    row.append((-20.0, s, s))
                    continue
                a, b = starts[n, inside], ends[n, inside]
                pairs = np.triu(a[:, None] + b[None, :]) + np.tril(np.full((len(a),) * 2, -1e9), -1)
                pairs = pairs + np.triu(np.full((len(a),) * 2, -1e9), 30)
                i, j = np.unravel_index(pairs.argmax(), pairs.shape)
                row.append((float(pairs[i, j] - null), offsets[inside[i]][0], offsets[inside[j]][1]))
            found.append(row)
        return found


def case_of(row: dict[str, Any], index: Index, encoder: Any, reader: Reader, config: Config) -> dict[str, Any]:
    query = make_query(row["question"], index, encoder, (row.get("meta") or {}).get("date"))
    best = set_aside(row["question"], ranked(find_candidates(query, index, config)), SENTENCES)
    gold = [Span(f"{g['article_id']}.txt", g["start"], g["end"]) for g in row["evidence"] or ()]
    read: dict[tuple[str, int, int], tuple[float, str]] = {}
    places, windows = [], []
    for candidate in best[:WINDOWS]:
        sentences = window_of(candidate, index)
        start, end = sentences[0][0], sentences[-1][1]
        places.append((candidate.article.path, sentences))
        windows.append((candidate.article.text[start:end], [(s - start, e - start) for s, e in sentences]))
    if windows:
        for (path, sentences), (text, _), scores in zip(places, windows, reader.read(row["question"], windows), strict=True):
            for (s, e), (score, a, b) in zip(sentences, scores, strict=True):
                if score > read.get((path, s, e), (-99.0, ""))[0]:
                    read[path, s, e] = score, text[a:b]
    candidates = []
    for c in best:
        key = (c.article.path, c.sentence.start, c.sentence.end)
        score, answer = read.get(key, (-20.0, ""))
        candidates.append({
            "features": [round(float(x), 4) for x in c.features], "score": round(c.score, 4),
            "read": round(score, 3), "answer": answer,
            "gold": any(overlaps(Span(*key), g) for g in gold), "length": key[2] - key[1],
        })  # fmt: skip
    return {
        "id": row["id"], "question": row["question"], "answerable": row["answerable"],
        "kind": row["unanswerable_kind"], "article": row["article_id"], "answers": row["answers"],
        "signals": [round(float(x), 4) for x in signals(query, best[:10])] if best else None,
        "candidates": candidates,
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("sets", type=Path, nargs="+")
    parser.add_argument("--most", type=int, default=400)
    args = parser.parse_args()
    torch.set_num_threads(2)
    config = Config()
    encoder = load_encoder(config.encoder, config.models_dir)
    reader = Reader(args.folder / "checkpoint.pt")
    (args.folder / "cases").mkdir(exist_ok=True)
    for folder in args.sets:
        rows = [json.loads(line) for line in (folder / "questions.jsonl").open(encoding="utf-8")]
        rows = [r for r in rows if (r.get("meta") or {}).get("has_entity", True) and not r["history"]]
        random.Random(0).shuffle(rows)
        cache = Path.home() / ".cache/footnote/benchmarks" / folder.name
        sync(folder / "articles", cache, config, encoder)
        index = Index.open(cache, config, encoder)
        with (args.folder / "cases" / f"{folder.name}.jsonl").open("w", encoding="utf-8") as file:
            for n, row in enumerate(rows[: args.most]):
                file.write(json.dumps(case_of(row, index, encoder, reader, config), ensure_ascii=False) + "\n")
                if n % 100 == 0:
                    print(folder.name, n, file=sys.stderr, flush=True)
        index.close()


if __name__ == "__main__":
    main()
