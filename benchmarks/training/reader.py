"""The reader, trained on two cores in some two hours:

    python -m benchmarks.training.reader_data TRAIN_SETS FOLDER
    python -m benchmarks.training.reader FOLDER
    python -m benchmarks.training.reader FOLDER --export rag/models/weights/reader

FOLDER holds train.jsonl and held.jsonl of reader_data. Starts from all-MiniLM-L6-v2, whose
embeddings stay as they are; the loss is SQuAD 2.0's: start and end of the span, or [CLS] where the
window does not answer (Devlin et al. 2019, section 4.3). Goes on where it stopped (checkpoint.pt),
in the same order of batches.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "passive")

import numpy as np
import torch
from transformers import AutoModelForQuestionAnswering, AutoTokenizer

from rag.config import Config
from rag.models.files import locate

SEED = 20261201
TOKENS = 192
BATCH = 32
RATE = 1e-4
WARM = 0.05
SAVED = 300  # seconds


def encoded(rows: list[dict[str, Any]], tokenizer: Any) -> list[tuple[list[int], int, int, int]]:
    """Return ids, length of the question's part, start and end token of each window."""
    out = []
    for at in range(0, len(rows), 1000):
        part = rows[at : at + 1000]
        tokens = tokenizer(
            [r["question"] for r in part], [r["text"] for r in part],
            truncation="only_second", max_length=TOKENS, return_offsets_mapping=True,
            return_token_type_ids=True,
        )  # fmt: skip
        for n, row in enumerate(part):
            offsets, kinds = tokens["offset_mapping"][n], tokens["token_type_ids"][n]
            first = kinds.index(1) if 1 in kinds else len(kinds)
            start = end = 0
            if row["spans"]:
                s, e = row["spans"][0]
                inside = [
                    k
                    for k in range(first, len(offsets) - 1)
                    if offsets[k][0] < e and s < offsets[k][1]
                ]
                if not inside:
                    continue
                start, end = inside[0], inside[-1]
            out.append((tokens["input_ids"][n], first, start, end))
    return out


def batches(sizes: list[int], epoch: int) -> list[list[int]]:
    """Return the places of the windows by batch: of like length, in an order of the seed's."""
    dice = random.Random(SEED + epoch)
    order = list(range(len(sizes)))
    dice.shuffle(order)
    out = []
    for at in range(0, len(order), BATCH * 50):
        chunk = sorted(order[at : at + BATCH * 50], key=lambda n: sizes[n])
        out += [chunk[k : k + BATCH] for k in range(0, len(chunk), BATCH)]
    dice.shuffle(out)
    return out


def tensors(examples: list[tuple[list[int], int, int, int]], pad: int) -> dict[str, torch.Tensor]:
    width = max(len(e[0]) for e in examples)
    ids = torch.full((len(examples), width), pad)
    kinds, mask = torch.zeros_like(ids), torch.zeros_like(ids)
    for n, (tokens, first, _, _) in enumerate(examples):
        ids[n, : len(tokens)] = torch.tensor(tokens)
        mask[n, : len(tokens)] = 1
        kinds[n, first : len(tokens)] = 1
    return {"input_ids": ids, "attention_mask": mask, "token_type_ids": kinds}


def model_of(path: Path) -> Any:
    model = AutoModelForQuestionAnswering.from_pretrained(
        path, attn_implementation="eager", attention_probs_dropout_prob=0.0, hidden_dropout_prob=0.0
    )
    for parameter in model.bert.embeddings.parameters():
        parameter.requires_grad = False
    return model


@torch.inference_mode()
def scored(model: Any, examples: list[Any], pad: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the best span's score less the null's (n,), and its tokens (n, 2)."""
    model.eval()
    scores, spans = np.zeros(len(examples)), np.zeros((len(examples), 2), int)
    order = sorted(range(len(examples)), key=lambda n: len(examples[n][0]))
    for at in range(0, len(order), 64):
        part = order[at : at + 64]
        with torch.autocast("cpu", dtype=torch.bfloat16):
            out = model(**tensors([examples[n] for n in part], pad))
        starts, ends = out.start_logits.float().numpy(), out.end_logits.float().numpy()
        for k, n in enumerate(part):
            ids, first, _, _ = examples[n]
            s, e = starts[k, first : len(ids) - 1], ends[k, first : len(ids) - 1]
            pairs = s[:, None] + e[None, :]
            pairs = np.where(
                np.triu(np.ones_like(pairs)) - np.triu(np.ones_like(pairs), 30) > 0, pairs, -1e9
            )
            best = np.unravel_index(pairs.argmax(), pairs.shape)
            scores[n] = pairs[best] - starts[k, 0] - ends[k, 0]
            spans[n] = best[0] + first, best[1] + first
    return scores, spans


def report(model: Any, rows: list[dict[str, Any]], tokenizer: Any) -> None:
    from sklearn.metrics import roc_auc_score

    kept = [row for row in rows for _ in [0]][:12_000]
    examples, labels = [], []
    for row in kept:
        if one := encoded([row], tokenizer):
            examples += one
            labels.append(row)
    scores, spans = scored(model, examples, tokenizer.pad_token_id)
    right = np.array([bool(r["spans"]) for r in labels])
    overlaps = [
        s <= e2 and s2 <= e
        for (s, e), (_, _, s2, e2), r in zip(spans, examples, labels, strict=True)
        if r["spans"]
    ]
    print(f"held: {len(labels)}, span overlaps gold {np.mean(overlaps):.3f}")
    print(f"   all {roc_auc_score(right, scores):.3f}")
    groups = defaultdict(list)
    for n, row in enumerate(labels):
        if not row["spans"]:
            groups[row["kind"]].append(n)
            if row["kind"] == "near miss":
                groups[f"near miss {row['set']}"].append(n)
    for kind, places in sorted(groups.items()):
        both = np.array(places + list(np.flatnonzero(right)))
        share = roc_auc_score(right[both], scores[both])
        print(f"   {kind:24s} n {len(places):5d} AUROC {share:.3f}", flush=True)


def export(model: Any, folder: Path) -> None:
    """Write the trained layers in half precision; the word vectors are the encoder's."""
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    own = {
        k: v.half().contiguous() for k, v in model.state_dict().items() if ".embeddings." not in k
    }
    save_file(own, folder / "model.safetensors")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--minutes", type=float, default=1e9)
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--report", action="store_true")
    parser.add_argument("--export", type=Path)
    args = parser.parse_args()
    torch.set_num_threads(2)
    torch.manual_seed(SEED)
    base = locate("all-MiniLM-L6-v2", Config().models_dir)
    tokenizer = AutoTokenizer.from_pretrained(base)
    model = model_of(base)
    checkpoint = args.folder / "checkpoint.pt"
    held = [json.loads(line) for line in (args.folder / "held.jsonl").open(encoding="utf-8")]
    state = torch.load(checkpoint, weights_only=True) if checkpoint.exists() else None
    if state:
        model.load_state_dict(state["model"])
    if args.export:
        export(model, args.export)
        return
    if args.report:
        report(model, held, tokenizer)
        return
    rows = [json.loads(line) for line in (args.folder / "train.jsonl").open(encoding="utf-8")]
    examples = encoded(rows, tokenizer)
    plan = [
        (e, batch)
        for e in range(args.epochs)
        for batch in batches([len(x[0]) for x in examples], e)
    ]
    trained = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=RATE, weight_decay=0.01, fused=True)
    step = 0
    if state:
        optimizer.load_state_dict(state["optimizer"])
        step = state["step"]
    print(len(examples), "windows,", len(plan), "steps, at", step, flush=True)
    begun = saved = told = time.time()
    model.train()
    total, count, windows = 0.0, 0, 0

    def save() -> None:
        part = checkpoint.with_suffix(".part")
        torch.save(
            {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "step": step}, part
        )
        part.replace(checkpoint)

    while step < len(plan) and time.time() - begun < 60 * args.minutes:
        share = step / len(plan)
        rate = RATE * min(share / WARM, (1 - share) / (1 - WARM))
        for group in optimizer.param_groups:
            group["lr"] = max(rate, 1e-7)
        part = [examples[n] for n in plan[step][1]]
        with torch.autocast("cpu", dtype=torch.bfloat16):
            out = model(**tensors(part, tokenizer.pad_token_id))
        starts = torch.tensor([e[2] for e in part])
        ends = torch.tensor([e[3] for e in part])
        loss = torch.nn.functional.cross_entropy(out.start_logits.float(), starts)
        loss = (loss + torch.nn.functional.cross_entropy(out.end_logits.float(), ends)) / 2
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(trained, 1.0)
        optimizer.step()
        optimizer.zero_grad()
        total, count, windows, step = total + loss.item(), count + 1, windows + len(part), step + 1
        if time.time() - told > 60:
            pace = windows / (time.time() - told)
            print(
                f"step {step}/{len(plan)} loss {total / count:.3f} {pace:.1f} windows/s", flush=True
            )
            total, count, windows, told = 0.0, 0, 0, time.time()
        if time.time() - saved > SAVED:
            save()
            saved = time.time()
    save()
    report(model, held, tokenizer)


if __name__ == "__main__":
    main()
