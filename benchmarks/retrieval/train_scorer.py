"""Train and judge the evidence scorer: a small cross-encoder that says whether a sentence states
the answer to a question.

    python -m benchmarks.retrieval.train_scorer candidates squad …
        the best sentences of each question
    python -m benchmarks.retrieval.train_scorer train --on squad --without A B …  weights to --model
    python -m benchmarks.retrieval.train_scorer judge --model … squad timeqa …
        against the mix alone

Sets are folders of $RAG_EVAL_DATA. The encoder is fine-tuned on (question, title and sentence)
with a listwise softmax (ListNet; Cao et al. 2007, section 4) over hard negatives from our own
retrieval and one more place for "none of them", which is right for an unanswerable question.
"""

from __future__ import annotations

import argparse
import json
import os
import pickle
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

os.environ.setdefault("OMP_WAIT_POLICY", "passive")

from rag.config import Config
from rag.evaluation.metrics import Span, auroc, overlaps
from rag.index.index import Index
from rag.index.sync import sync
from rag.models.encoder import load_encoder
from rag.retrieval.ranking import find_candidates, make_query, ranked

KEPT = 24  # candidates of a question
NEGATIVES, UNANSWERABLE = 4, 3  # sentences beside the gold one; of an unanswerable question
QUESTIONS = 16  # of a step
MOST_TOKENS = 96
READ = 12  # candidates that the scorer reads


@dataclass
class Example:
    """A question with its best candidates, and whether each overlaps a gold sentence."""

    id: str
    question: str
    group: str  # its article, for splits
    answerable: bool
    kind: str | None
    texts: list[tuple[str, str]]  # (title, sentence)
    scores: list[float]  # of the mix
    gold: list[bool]
    extra: int  # of these at the end, were not found but are gold: for training only


def make(data: Path, name: str, cache: Path) -> list[Example]:
    config = Config()
    encoder = load_encoder(config.encoder)
    folder = cache / name
    folder.parent.mkdir(parents=True, exist_ok=True)
    sync(data / name / "articles", folder, config, encoder)
    index = Index.open(folder, config, encoder)
    found = []
    for line in (data / name / "questions.jsonl").open(encoding="utf-8"):
        row = json.loads(line)
        if row["history"] or (row["answerable"] and not row["evidence"]):
            continue
        gold = [Span(f"{g['article_id']}.txt", g["start"], g["end"]) for g in row["evidence"]]
        if not row["answerable"]:
            gold = []
        query = make_query(row["question"], index, encoder, row["meta"].get("date"))
        best = ranked(find_candidates(query, index, config))
        spans = [Span(c.article.path, c.sentence.start, c.sentence.end) for c in best]
        right = [any(overlaps(span, g) for g in gold) for span in spans]
        kept = list(range(min(KEPT, len(best))))
        extra = [n for n in range(len(kept), len(best)) if right[n]][:1]
        if not any(right[:KEPT]):
            kept += extra
        found.append(
            Example(
                row["id"], row["question"], str(row["article_id"] or ""), row["answerable"],
                row["unanswerable_kind"] or _kind(row),
                [(best[n].article.title, best[n].quote) for n in kept],
                [best[n].score for n in kept], [right[n] for n in kept],
                max(0, len(kept) - KEPT),
            )
        )  # fmt: skip
    index.close()
    return found


def _kind(row: dict[str, Any]) -> str:
    return "entity" if row["meta"].get("has_entity", True) else "vague"


def load(cache: Path, name: str) -> list[Example]:
    with (cache / f"{name}.candidates.pickle").open("rb") as file:
        found: list[Example] = pickle.load(file)
    return found


class Scorer:
    """The encoder's layers, a pooling and a head, trained; its embeddings stay as they are."""

    def __init__(self, folder: Path) -> None:
        import torch
        from transformers import AutoModel, AutoTokenizer

        self.tokenizer: Any = AutoTokenizer.from_pretrained(folder)
        self.body: Any = AutoModel.from_pretrained(folder, attn_implementation="sdpa")
        self.body.embeddings.requires_grad_(requires_grad=False)
        width = self.body.config.hidden_size
        self.head: Any = torch.nn.Sequential(
            torch.nn.Linear(2 * width, width), torch.nn.Tanh(), torch.nn.Linear(width, 1)
        )
        for parameter in self.head[2].parameters():
            torch.nn.init.zeros_(parameter)

    def parameters(self) -> list[Any]:
        return [*self.body.encoder.parameters(), *self.head.parameters()]

    def __call__(self, pairs: Sequence[tuple[str, str]]) -> Any:
        """Return the logits (n,) of (question, "title. sentence") pairs."""
        import torch

        tokens = self.tokenizer(
            [q for q, _ in pairs], [t for _, t in pairs], truncation=True, max_length=MOST_TOKENS,
            padding=True, return_tensors="pt",
        )  # fmt: skip
        hidden = self.body(**tokens).last_hidden_state  # (n, tokens, dim)
        mask = tokens["attention_mask"][:, :, None].float()
        mean = (hidden * mask).sum(1) / mask.sum(1)
        return self.head(torch.cat([hidden[:, 0], mean], 1))[:, 0]

    def score_all(self, pairs: Sequence[tuple[str, str]], batch: int = 32) -> Any:
        """Return the logits (n,), with little padding; differentiable."""
        import torch

        order = sorted(range(len(pairs)), key=lambda n: len(pairs[n][0]) + len(pairs[n][1]))
        out = [self([pairs[n] for n in order[i : i + batch]]) for i in range(0, len(order), batch)]
        back = torch.empty(len(order), dtype=torch.long)
        back[torch.tensor(order)] = torch.arange(len(order))
        return torch.cat(out)[back]

    def save(self, path: Path) -> None:
        import torch

        torch.save({"body": self.body.state_dict(), "head": self.head.state_dict()}, path)

    def load(self, path: Path) -> None:
        import torch

        state = torch.load(path, weights_only=True)
        self.body.load_state_dict(state["body"])
        self.head.load_state_dict(state["head"])


def pair(example: Example, n: int) -> tuple[str, str]:
    title, sentence = example.texts[n]
    return example.question, f"{title}. {sentence}"


def sampled(example: Example, dice: random.Random) -> list[int]:
    """Return the candidates of one step: a gold one and hard negatives, the best likeliest."""
    wrong = [n for n, right in enumerate(example.gold) if not right]
    right = [n for n, right in enumerate(example.gold) if right]
    most = NEGATIVES if right else UNANSWERABLE
    chosen: list[int] = []
    while wrong and len(chosen) < most:
        place = min(int(dice.expovariate(1 / 4)), len(wrong) - 1)
        chosen.append(wrong.pop(place))
    return [*dice.sample(right, min(1, len(right))), *chosen]


def train(examples: list[Example], model: Scorer, epochs: int, rate: float, out: Path) -> None:
    import torch

    torch.manual_seed(0)
    dice = random.Random(0)
    usable = [e for e in examples if any(e.gold) or not e.answerable]
    steps = epochs * (len(usable) // QUESTIONS)
    optimizer = torch.optim.AdamW(model.parameters(), lr=rate, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda n: min((n + 1) / (0.06 * steps), (steps - n) / steps)
    )
    model.body.train()
    started, done, losses, seen = time.monotonic(), 0, [], 0
    for _ in range(epochs):
        dice.shuffle(usable)
        for at in range(0, len(usable) - QUESTIONS + 1, QUESTIONS):
            lists = [(e, sampled(e, dice)) for e in usable[at : at + QUESTIONS]]
            logits = model.score_all([pair(e, n) for e, chosen in lists for n in chosen])
            seen += len(logits)
            parts = torch.split(logits, [len(chosen) for _, chosen in lists])
            losses_here = [
                -torch.log_softmax(torch.cat([torch.zeros(1), part]), 0)[int(any(e.gold))]
                for (e, _), part in zip(lists, parts, strict=True)
            ]
            loss = torch.stack(losses_here).mean()
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            done += 1
            losses.append(float(loss.detach()))
            if done % 20 == 0:
                spent = time.monotonic() - started
                print(
                    f"{done}/{steps} loss {np.mean(losses[-20:]):.3f} {seen / spent:.1f} pairs/s, "
                    f"{spent * (steps - done) / done / 60:.0f} min left",
                    flush=True,
                )
        model.save(out)


def judge(examples: Sequence[Example], model: Scorer) -> None:
    """Print Recall@k of the mix with the scorer at several weights, and AUROC of the best score."""
    import torch

    model.body.eval()
    judged: list[tuple[Example, Any]] = []
    with torch.inference_mode():
        for e in examples:
            pairs = [pair(e, n) for n in range(min(READ, len(e.texts) - e.extra))]
            judged.append((e, torch.sigmoid(model.score_all(pairs)).numpy()))
    entity = [(e, p) for e, p in judged if e.answerable and e.kind == "entity"]
    for weight in (0.0, 0.1, 0.2, 0.3, 0.5, 1.0, 100.0):
        ranks = []
        for e, stated in entity:
            mixed = np.array(e.scores[: len(e.scores) - e.extra])
            mixed[: len(stated)] += weight * stated
            hits = np.flatnonzero(np.array(e.gold)[np.argsort(-mixed, kind="stable")])
            ranks.append(hits[0] if len(hits) else 10**6)
        recalls = " ".join(f"@{k} {np.mean(np.array(ranks) < k):.3f}" for k in (1, 3, 5, 10))
        print(f"weight {weight}: {recalls} ({len(ranks)})")
    truth = [e.answerable for e, _ in judged]
    best = auroc([float(p.max()) for _, p in judged], truth)
    print(f"AUROC scorer {best:.3f}, mix {auroc([e.scores[0] for e, _ in judged], truth):.3f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("action", choices=("candidates", "train", "judge"))
    parser.add_argument("sets", nargs="+")
    parser.add_argument("--model", type=Path, default=Path("scorer.pt"))
    parser.add_argument("--held-out", type=int, default=0, help="every n-th article is left out")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--rate", type=float, default=1e-4)
    parser.add_argument("--most", type=int, default=100_000)
    parser.add_argument("--cache", type=Path, default=Path.home() / ".cache/footnote/benchmarks")
    args = parser.parse_args()
    data = Path(os.environ["RAG_EVAL_DATA"])
    if args.action == "candidates":
        for name in args.sets:
            started = time.monotonic()
            found = make(data, name, args.cache)
            with (args.cache / f"{name}.candidates.pickle").open("wb") as file:
                pickle.dump(found, file)
            print(name, len(found), f"{time.monotonic() - started:.0f} s", flush=True)
        return
    from rag.models.files import locate

    model = Scorer(locate(Config().encoder, None))
    examples = [(name, e) for name in args.sets for e in load(args.cache, name)]
    if args.held_out:
        groups = sorted({e.group for _, e in examples})
        held = {g for n, g in enumerate(groups) if n % args.held_out == 0}
        print("held out:", sorted(held), flush=True)
        inside = args.action == "judge"
        examples = [(name, e) for name, e in examples if (e.group in held) == inside]
    if args.action == "train":
        train([e for _, e in examples], model, args.epochs, args.rate, args.model)
        return
    model.load(args.model)
    random.Random(0).shuffle(examples)
    judge([e for _, e in examples][: args.most], model)


if __name__ == "__main__":
    main()
