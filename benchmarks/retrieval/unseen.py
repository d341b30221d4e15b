"""A set of questions that nothing was tuned on, as a folder that ``rag eval`` reads.

    python -m benchmarks.retrieval.unseen qed_reader.jsonl.gz FOLDER
    python -m rag eval FOLDER

Each row of the file: "question", "title", "passage", "sentences" [[start, end]], "gold" (indices of
the sentences that answer), "answer_spans" [[start, end]], "answerable". The passages of one title
are one article. Of every fifth article nothing is written: its questions are those whose article is
withheld. A sample is 60 answerable questions, 20 that their passage does not answer, and 20 whose
article is withheld, drawn with a fixed seed; --sample 2 writes the next so many.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
from pathlib import Path
from typing import Any

WITHHELD = 5  # of so many articles one is not written
SAMPLE = {"answerable": 60, "near": 20, "withheld": 20}
Row = dict[str, Any]


def rows_of(source: Path) -> list[Row]:
    with gzip.open(source, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def write_articles(rows: list[Row], folder: Path) -> dict[str, tuple[str, int]]:
    """Write the articles; return of each passage its article's id, "" where that is withheld, and
    where in the article it begins.
    """
    passages: dict[str, list[str]] = {}
    for row in rows:
        of_title = passages.setdefault(row["title"] or f"Report {len(passages) + 1}", [])
        if row["passage"] not in of_title:
            of_title.append(row["passage"])
    places: dict[str, tuple[str, int]] = {}
    folder.mkdir(parents=True)
    for number, (title, texts) in enumerate(passages.items()):
        article = f"{number:04}"
        whole = f"{title}\n"
        for text in texts:
            whole += "\n"
            places.setdefault(text, (article if number % WITHHELD else "", len(whole)))
            whole += f"{text}\n"
        if number % WITHHELD:
            (folder / f"{article}.txt").write_text(whole, encoding="utf-8", newline="")
    return places


def question_of(row: Row, name: str, places: dict[str, tuple[str, int]]) -> Row:
    article, at = places[row["passage"]]
    kind = "answerable" if row["answerable"] and article else "near" if article else "withheld"
    spans = [row["sentences"][n] for n in row["gold"]] if kind == "answerable" else []
    answers = row["answer_spans"] if kind == "answerable" else []
    return {
        "id": f"{name}-{row['id']}",
        "set": name,
        "question": row["question"],
        "answers": [row["passage"][start:end] for start, end in answers],
        "answer_type": "short" if answers else "long",
        "answerable": kind == "answerable",
        "unanswerable_kind": None if kind == "answerable" else kind,
        "article_id": article or None,
        "article_ids": [article] if article else [],
        "evidence": [
            {
                "article_id": article,
                "start": at + start,
                "end": at + end,
                "text": row["passage"][start:end],
            }
            for start, end in spans
        ],
        "evidence_mode": "any",
        "evidence_kind": "gold_sentence",
        "history": None,
        "meta": {},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("source", type=Path, help="rows, one JSON object a line, gzipped")
    parser.add_argument("folder", type=Path, help="where the set is written; must not exist")
    parser.add_argument("--sample", type=int, default=1, help="which one (default: 1)")
    arguments = parser.parse_args()
    rows, name = rows_of(arguments.source), arguments.folder.name
    places = write_articles(rows, arguments.folder / "articles")
    questions = [question_of(row, name, places) for row in rows]
    random.Random(0).shuffle(questions)
    sample: list[Row] = []
    for kind, most in SAMPLE.items():
        of_kind = [q for q in questions if (q["unanswerable_kind"] or "answerable") == kind]
        sample += of_kind[(arguments.sample - 1) * most : arguments.sample * most]
    random.Random(1).shuffle(sample)
    for file, chosen in (("questions.jsonl", questions), ("sample.jsonl", sample)):
        text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in chosen)
        (arguments.folder / file).write_text(text, encoding="utf-8", newline="")
    print(f"{len(questions)} questions, {len(sample)} in the sample")


if __name__ == "__main__":
    main()
