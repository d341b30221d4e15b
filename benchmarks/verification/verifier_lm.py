"""The language model as verifier: its own yes or no to "do these sentences say all of the claim?"

    python -m benchmarks.verification.verifier_lm > benchmarks/results/verifier-lm.md

Takes the probability of "yes" against "no" as the first word, for a sample of the claims that
verifier.py judges, with the same sentences. Seconds a claim: each answer is kept in --cache, and an
interrupted run goes on.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import os
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "passive")

import httpx
import numpy as np

from benchmarks.verification.verifier import (
    Claim,
    Scores,
    Truth,
    area,
    as_they_are,
    balanced,
    cross_validated,
    load,
    regression,
    signals_of,
    threshold,
)
from rag.config import Config
from rag.generation.llama_process import LlamaProcess
from rag.generation.openai_chat import ChatServer
from rag.models import files
from rag.models.encoder import load_encoder
from rag.verification.meaning import Reader

SYSTEM = (
    "You check claims against sentences from an article. Answer Yes if the sentences say "
    "everything that the claim says. Answer No if any part of the claim is missing from them or "
    "differs from them."
)
NOTHING = 1e-6  # a word that is not among the likeliest


def messages(claim: Claim) -> list[dict[str, str]]:
    lines = "\n".join(f"[{n}] {' '.join(text.split())}" for n, text in enumerate(claim.sources, 1))
    asked = f"Article: {claim.title}\n{lines}\nClaim: {claim.text}\nYes or No?"
    return [{"role": "system", "content": SYSTEM}, {"role": "user", "content": asked}]


def probability(server: ChatServer, claim: Claim, cache: Path) -> tuple[float, float]:
    """Return the probability of yes against no, and the seconds that it took when it was asked."""
    asked = messages(claim)
    file = cache / f"{hashlib.sha256(json.dumps(asked).encode()).hexdigest()}.json"
    if not file.is_file():
        begun = time.perf_counter()
        request = {
            "messages": asked, "max_tokens": 1, "temperature": 0, "logprobs": True,
            "top_logprobs": 20, "cache_prompt": True,
        }  # fmt: skip
        transport = httpx.HTTPTransport(uds=str(server.socket) if server.socket else None)
        headers = {"Authorization": f"Bearer {server.api_key}"}
        with httpx.Client(transport=transport, headers=headers, timeout=300) as client:
            answer: Any = client.post(f"{server.url}/chat/completions", json=request)
        answer.raise_for_status()
        words = answer.json()["choices"][0]["logprobs"]["content"][0]["top_logprobs"]
        row = {"words": words, "seconds": time.perf_counter() - begun}
        file.write_text(json.dumps(row), encoding="utf-8")
    row = json.loads(file.read_text(encoding="utf-8"))
    share = {"yes": NOTHING, "no": NOTHING}
    for word in row["words"]:
        said = word["token"].strip().lower()
        if said in share:
            share[said] += math.exp(word["logprob"])
    return share["yes"] / (share["yes"] + share["no"]), row["seconds"]


def logits(p: Sequence[float]) -> Scores:
    clipped = np.clip(np.array(p, np.float64), NOTHING, 1 - NOTHING)
    found: Scores = np.log(clipped / (1 - clipped))[:, None]
    return found


def row(name: str, of: dict[str, tuple[Scores, Truth]]) -> str:
    x, y = of["wice"]
    new, truth = of["qags"]
    make = regression if x.shape[1] > 1 else as_they_are
    scores, passed = cross_validated(x, y, make)
    scores_new = make(x, y)(new)
    passed_new = (scores_new >= threshold(np.median(scores, axis=0), y)).astype(np.float64)
    every, all_new = np.ones(len(y), bool), np.ones(len(truth), bool)
    cells = (
        balanced(passed, y, every), area(scores, y, every),
        balanced(passed_new, truth, all_new), area(scores_new, truth, all_new),
    )  # fmt: skip
    return f"| {name} | {' | '.join(cells)} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    default = Path.home() / ".cache/footnote/benchmarks"
    parser.add_argument("--cache", type=Path, default=default)
    parser.add_argument("--claims", type=int, default=100, help="of each set")
    parser.add_argument("--model", default="qwen2.5-coder-1.5b-instruct")
    arguments = parser.parse_args()
    data = Path(os.environ["RAG_EVAL_DATA"])
    answers = arguments.cache / "verifier-lm" / arguments.model
    answers.mkdir(parents=True, exist_ok=True)
    config = Config()
    process = LlamaProcess(
        files.locate(arguments.model), config.context_tokens, config.threads, answers
    )
    server = process.wait(threading.Event())
    assert server is not None
    reader = Reader(load_encoder(config.encoder))
    said: dict[str, tuple[Scores, Truth]] = {}
    aligned, both = dict(said), dict(said)
    seconds = []
    for name in ("wice", "qags"):
        claims = load(data, name, arguments.cache, 10_000)
        chosen = np.random.default_rng(0).permutation(len(claims))[: arguments.claims]
        claims = [claims[n] for n in sorted(chosen)]
        truth = np.array([claim.supported for claim in claims])
        found = []
        for n, claim in enumerate(claims):
            p, took = probability(server, claim, answers)
            found.append(p)
            seconds.append(took)
            print(f"{name} {n + 1} of {len(claims)}", file=sys.stderr, flush=True)
        signals = signals_of(claims, reader)
        said[name] = logits(found), truth
        aligned[name] = signals, truth
        both[name] = np.column_stack([signals, logits(found)]), truth
    process.close()
    wice, qags = said["wice"][1], said["qags"][1]
    print(
        f"`python -m benchmarks.verification.verifier_lm`: {len(wice)} claims of wice "
        f"({wice.sum()} supported), "
        f"{len(qags)} of qags ({qags.sum()}), drawn at random; {arguments.model}. "
        "wice cross-validated; qags with what wice gives.\n\n"
        "| verifier | wice | AUROC | qags | AUROC |\n|---|---|---|---|---|"
    )
    print(row("the language model's yes", said))
    print(row("`meaning`, fitted on this sample of wice", aligned))
    print(row("both, fitted on it", both))
    print(f"\nThe language model took {np.median(seconds):.1f} s a claim (median).")


if __name__ == "__main__":
    main()
