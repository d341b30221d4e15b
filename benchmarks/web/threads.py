"""Decoding speed beside a busy process, by how OpenMP's threads wait (OMP_WAIT_POLICY).

    python -m benchmarks.web.threads [--model NAME] [--rounds 3] [--tokens 64] [--json OUT]

Prints tokens per second on an idle machine and with one process that never rests, as the median
over the rounds, and their ratio. Policies and loads alternate within each round, so that a machine
that warms up or gets busy touches all of them alike. Run it on a quiet machine.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from rag.generation.llama_process import WAITING
from rag.models import files

POLICIES: dict[str, dict[str, str]] = {
    "default": {},
    "OMP_WAIT_POLICY=passive": {"OMP_WAIT_POLICY": "passive"},
    "passive, GOMP_SPINCOUNT=1000": {"OMP_WAIT_POLICY": "passive", "GOMP_SPINCOUNT": "1000"},
    "passive, GOMP_SPINCOUNT=300 (ours)": WAITING,
}
LOADS = {"idle": 0, "busy": 1}  # competing processes
KEY = "benchmark"


@contextmanager
def server(model: Path, threads: int, policy: dict[str, str]) -> Iterator[httpx.Client]:
    """The same child that the generator runs, here on a loopback port."""
    env = {name: value for name, value in os.environ.items() if "OMP_" not in name} | policy
    settings = {
        "model": str(model),
        "context_tokens": 1024,
        "threads": threads,
        "api_key": KEY,
        "prompts": tempfile.gettempdir(),
        "socket": None,
    }
    command = [sys.executable, "-m", "rag.generation.llama_server"]
    with subprocess.Popen(
        command, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        if child.stdin is None or child.stdout is None:
            raise AssertionError
        print(json.dumps(settings), file=child.stdin, flush=True)
        address = child.stdout.readline().strip()
        headers = {"Authorization": f"Bearer {KEY}"}
        with httpx.Client(base_url=address, headers=headers, timeout=None, trust_env=False) as http:
            try:
                yield http
            finally:
                child.kill()


@contextmanager
def competing(processes: int) -> Iterator[None]:
    loops = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(processes)]
    try:
        yield
    finally:
        for loop in loops:
            loop.kill()
            loop.wait()


def decode(http: httpx.Client, tokens: int) -> float:
    """Tokens per second of the answer alone, as llama.cpp measures it."""
    request = {
        "messages": [{"role": "user", "content": "Tell a long story about a ferry."}],
        "max_tokens": tokens,
        "temperature": 0,
        "top_k": 1,
        "seed": 0,
        "ignore_eos": True,
    }
    response = http.post("/v1/chat/completions", json=request).raise_for_status()
    return float(response.json()["timings"]["predicted_per_second"])


def measure(
    model: Path, threads: int, rounds: int, tokens: int
) -> dict[str, dict[str, list[float]]]:
    """{policy: {load: [tokens per second]}}"""
    speeds: dict[str, dict[str, list[float]]] = {
        policy: {load: [] for load in LOADS} for policy in POLICIES
    }
    for _ in range(rounds):
        for policy, value in POLICIES.items():
            with server(model, threads, value) as http:
                decode(http, 4)  # reads the model into memory
                for load, processes in LOADS.items():
                    with competing(processes):
                        speeds[policy][load].append(decode(http, tokens))
    return speeds


def table(speeds: dict[str, dict[str, list[float]]]) -> str:
    lines = ["| threads that wait | idle, tokens/s | busy, tokens/s | ratio |", "|---|---|---|---|"]
    for policy, loads in speeds.items():
        idle, busy = (statistics.median(loads[load]) for load in LOADS)
        lines.append(f"| {policy} | {idle:.1f} | {busy:.1f} | {busy / idle:.2f} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="qwen2.5-coder-1.5b-instruct")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--tokens", type=int, default=64, help="decoded per measurement")
    parser.add_argument("--json", type=Path, metavar="OUT", help="also write every measurement")
    options = parser.parse_args()
    speeds = measure(files.locate(options.model), options.threads, options.rounds, options.tokens)
    print(f"{options.model}, {options.threads} threads, median of {options.rounds} rounds\n")
    print(table(speeds))
    if options.json:
        facts = {"model": options.model, "threads": options.threads, "tokens": options.tokens}
        options.json.write_text(json.dumps({**facts, "tokens_per_second": speeds}, indent=1) + "\n")


if __name__ == "__main__":
    main()
