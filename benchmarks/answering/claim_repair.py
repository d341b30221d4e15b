"""What each step between the language model's draft and the answer is worth.

    python -m benchmarks.answering.claim_repair seeds squad rtqa22 FOLDER

A set is seeds, a folder of $RAG_EVAL_DATA, or the path of another.

The same drafts, made into answers in four ways, each with one step more:

as drafted    the draft's sentences, citing the numbers that the model wrote
checked       a sentence that no sentence it cites says is dropped
cited anew    … first cites the sentence that says it, and is dropped if none does
footnote      … or the best source sentence stands in its place: what the product does

Drafts are cached by their prompt, in the cache of `rag eval`; the first 100 questions of a set.
"""

from __future__ import annotations

import argparse
import os
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "passive")

from benchmarks.baselines.drafts import Drafts
from rag.answering.cite import Citer
from rag.answering.draft import DraftSentence, without_yes_or_no
from rag.answering.pipeline import Rag
from rag.config import Config
from rag.evaluation.cases import EvaluationPart, load_parts
from rag.evaluation.run import commit_here, default_cache, evaluate, index_dir
from rag.evaluation.scores import Row
from rag.generation.llama_cpp import LlamaCppGenerator
from rag.generation.prompts import Messages
from rag.models.encoder import load_encoder
from rag.types import ClaimVerified

ROOT = Path(__file__).parents[2]
COLUMNS = {
    "rejection_rate": "refused rightly",
    "false_refusal_rate": "refused wrongly",
    "answer_recall": "answer recall",
    "citation_precision": "citation precision",
    "citation_gold_or_answer": "gold, or holds the answer",
    "citation_recall": "citation recall, of answered",
    "answer_characters": "characters said",
}


class Cached:
    """A generator whose drafts are kept on disk."""

    def __init__(self, config: Config, cache: Path) -> None:
        self._writer = LlamaCppGenerator(config)
        self._drafts = Drafts(cache / "drafts", config, self._writer)
        self.model = self._writer.model

    def complete(
        self,
        messages: Messages,
        tokens: int,
        cancel: threading.Event,  # noqa: ARG002
    ) -> Iterator[str]:
        yield self._drafts.write(messages, tokens).text

    def warm_up(self) -> None:
        """Nothing: the model is loaded when a draft is missing."""

    def close(self) -> None:
        self._writer.close()


class AsDrafted(Citer):
    def _verified(self, sentence: DraftSentence) -> Iterator[ClaimVerified]:
        if claim := self._publish(sentence.text, self._hinted(sentence), 0.0):
            yield claim

    def _off_topic(self, claim: ClaimVerified) -> bool:  # noqa: ARG002
        return False


class Checked(AsDrafted):
    def _verified(self, sentence: DraftSentence) -> Iterator[ClaimVerified]:
        text = without_yes_or_no(sentence.text)
        said = (self.verifier.check(text, e.quote).passed for e in self._hinted(sentence))
        if sentence.finished and any(said):
            yield from super()._verified(sentence)


class CitedAnew(AsDrafted):
    def _verified(self, sentence: DraftSentence) -> Iterator[ClaimVerified]:
        text = without_yes_or_no(sentence.text)
        ranked = self._ranked(text, sentence.hints)
        if sentence.finished and (claim := self._supported(sentence, text, ranked)):
            yield claim


STEPS: dict[str, type[Citer]] = {
    "as drafted": AsDrafted,
    "checked": Checked,
    "cited anew": CitedAnew,
    "footnote": Citer,
}


def parts_of(name: str) -> tuple[list[EvaluationPart], Path]:
    if name == "seeds":
        questions = ROOT / "tests/data/seed_questions.jsonl"
        parts, articles = load_parts(ROOT / name, "answers", questions, ROOT / "seeds", None)
    else:
        folder = Path(os.environ["RAG_EVAL_DATA"]) / name
        parts, articles = load_parts(folder, "answers", None, None, 100)  # a path is itself
    return list(parts), articles


def rows_of(
    rag: Rag, name: str, step: str, parts: list[EvaluationPart], articles: Path
) -> Iterator[str]:
    done = evaluate(rag, parts, articles, name=name, system_name=f"repair: {step}")
    part, rows = done.result["parts"]["answers"], done.rows["answers"]
    cells = [_cell(part["metrics"].get(column)) for column in COLUMNS]
    verify = part["latency_ms"]["verify"]["p50"] if "verify" in part["latency_ms"] else 0
    yield f"| {step} | {' | '.join(cells)} | {verify:.0f} |"
    if step == "footnote":
        yield f"\n{_counts(rows)}\n\n{_refusals(part)}"


def _cell(metric: Row | None) -> str:
    if metric is None or metric["value"] is None:
        return "–"
    if metric["value"] > 1:  # characters
        return f"{metric['value']:.0f}"
    return f"{metric['value']:.3f} ({metric['low']:.2f}–{metric['high']:.2f}, {metric['n']})"


def _counts(rows: Sequence[Row]) -> str:
    claims = [claim for row in rows for claim in row["claims"]]
    kept = sum(claim["repair"] is None and claim["verdict"] == "supported" for claim in claims)
    anew, quoted = (sum(c["repair"] == r for c in claims) for r in ("cited", "quoted"))
    copied = len(claims) - kept - anew - quoted
    return (
        f"Of {len(claims)} claims shown {kept} are as drafted, {anew} cite other sentences than "
        f"the draft named, {quoted} are a source sentence in the place of the draft's words, and "
        f"{copied} were sentences of the articles already."
    )


def _refusals(part: Row) -> str:
    kinds = {
        kind: metric
        for title in ("rejection_rate by kind", "rejection_rate by kind of question")
        for kind, metric in part["by_kind"].get(title, {}).items()
    }
    said = "; ".join(f"{kind} {_cell(metric)}" for kind, metric in kinds.items())
    auroc, ece = (_cell(part["metrics"].get(name)) for name in ("auroc", "ece"))
    return f"Refused by kind: {said}. Confidence: AUROC {auroc}, ECE {ece}."


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("sets", nargs="+")
    cache, config = default_cache(), Config()
    for name in parser.parse_args().sets:
        parts, articles = parts_of(name)
        print(f"\n## {Path(name).name}, {len(parts[0].cases)} questions, commit {commit_here()}\n")
        print(f"| step | {' | '.join(COLUMNS.values())} | check ms, p50 |")
        print("|---" * (len(COLUMNS) + 2) + "|")
        encoder, drafts = load_encoder(config.encoder, config.models_dir), Cached(config, cache)
        folder = index_dir(articles, config, cache)
        with Rag.for_articles(articles, config, folder, generator=drafts, encoder=encoder) as base:
            for step, citer in STEPS.items():
                print(f"{name}, {step}", file=sys.stderr, flush=True)
                rag = Rag(base.index, config, encoder, drafts, citer=citer)
                print("\n".join(rows_of(rag, name, step, parts, articles)), flush=True)


if __name__ == "__main__":
    main()
