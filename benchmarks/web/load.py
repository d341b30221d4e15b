"""Several visitors of the web chat at once: how long they wait, and what the server needs for it.

    python -m benchmarks.web.load [extractive] [model] [soak] [overload] [--set rtqa26] [--articles
    100]

Starts `python -m rag serve` on articles of an evaluation set and asks through the page's own HTTP
interface: eight visitors without a language model ("extractive") and with one ("model"), a
thousand questions ("soak"), forty visitors in the same moment ("overload"). Each visitor has its
own page and questions, and asks the next as soon as the last is answered. Writes the parts that
were run into benchmarks/results/load.md. Linux; run it on a quiet machine.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path

import numpy as np

from benchmarks.web.load_visitor import Asked, visiting

PARTS = ("extractive", "model", "soak", "overload")
TRIES = 8
PER_PAGE = 5  # questions of the soak that one page asks before it is closed
HEAD = """# Several visitors at once

What `load.py` measures, through the page's own HTTP interface, on two CPU cores. Each
visitor asks the next question as soon as the last is answered; that is harder than people are.
"""


@dataclass
class Server:
    url: str
    process: subprocess.Popen[str]

    def megabytes(self) -> float:
        """Resident memory of the server itself."""
        status = Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii")
        return int(re.findall(r"VmRSS:\s+(\d+)", status)[0]) / 1024

    def computed(self) -> float:
        """Seconds of processor time that the server itself has used, its children not counted."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text(encoding="ascii").split(") ")[1]
        return sum(map(int, fields.split()[11:13])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def serving(articles: Path, index: Path, options: Sequence[str]) -> Iterator[Server]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [
        sys.executable,
        "-m",
        "rag",
        "serve",
        str(articles),
        "--index",
        str(index),
        "--port",
        str(port),
        "--no-browser",
        *options,
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            for line in process.stdout:
                if "Footnote is at" in line:
                    break
            yield Server(f"http://127.0.0.1:{port}", process)
        finally:
            process.send_signal(signal.SIGTERM)


async def rounds(url: str, visitors: int, each: int, questions: Iterator[str]) -> list[Asked]:
    """So many visitors ask so many questions each."""
    async with AsyncExitStack() as stack:
        pages = [await stack.enter_async_context(visiting(url)) for _ in range(visitors)]

        async def visit(n: int, own: list[str]) -> None:
            for question in own:
                await pages[n].ask(question)

        own = [list(islice(questions, each)) for _ in pages]
        await asyncio.gather(*(visit(n, mine) for n, mine in enumerate(own)))
        return [asked for page in pages for asked in page.asked]


async def until(holds: Callable[[], bool]) -> None:
    while not holds():  # noqa: ASYNC110 - of something that is only seen
        await asyncio.sleep(0.01)


async def leaving(url: str, questions: Iterator[str]) -> float:
    """Return the seconds from a closed page to the next one's turn."""
    for _ in range(TRIES):  # a question that is refused before a draft waits for nobody
        async with visiting(url) as second:
            async with visiting(url) as first:
                left = asyncio.create_task(first.ask(next(questions)))
                await until(lambda: bool(first.asked and first.asked[0].evidence) or left.done())  # noqa: B023
                waits = asyncio.create_task(second.ask(next(questions)))
                await until(lambda: bool(second.asked and second.asked[0].places) or waits.done())  # noqa: B023
                closed = second.asked[0].since() if second.asked else 0.0
                waiting = not waits.done()
                left.cancel()
            asked = await waits
            if waiting:
                return (asked.turn or closed) - closed
    raise SystemExit("No question had to wait for another one's answer.")


def ms(values: Sequence[float], percent: int) -> str:
    return f"{1000 * np.percentile(values, percent):,.0f}" if values else "–"


def row(label: str, asked: Sequence[Asked], seconds: float) -> str:
    evidence = [one.evidence for one in asked if one.evidence is not None]
    done = [one.done for one in asked if one.done is not None and one.outcome == "answered"]
    counts = Counter(one.outcome for one in asked)
    places = [max(one.places) for one in asked if one.places]
    said = ", ".join(f"{count} {outcome}" for outcome, count in counts.most_common())
    return (
        f"| {label} | {len(asked)} | {ms(evidence, 50)} | {ms(evidence, 95)} | {ms(done, 50)} "
        f"| {ms(done, 95)} | {max(places, default=0)} | {1000 * seconds / len(asked):.0f} "
        f"| {said} |"
    )


TABLE = (
    "| visitors | questions | evidence p50, ms | p95 | answer p50, ms | p95 | most ahead "
    "| server's own computing for each, ms | outcome |\n|---|---|---|---|---|---|---|---|---|"
)


def visitors(server: Server, questions: Iterator[str], each: int, *, leave: bool) -> str:
    asyncio.run(rounds(server.url, 1, 2, questions))  # what is loaded late
    lines = [TABLE]
    for count in (1, 8):
        before = server.computed()
        found = asyncio.run(rounds(server.url, count, each, questions))
        lines.append(row(str(count), found, server.computed() - before))
        print(lines[-1], flush=True)
    if leave:
        times = [asyncio.run(leaving(server.url, questions)) for _ in range(3)]
        told = ", ".join(f"{1000 * seconds:,.0f}" for seconds in times)
        lines.append(
            f"\nA page was closed while its answer was being written: the next one's turn "
            f"came {told} ms later."
        )
    return "\n".join(lines)


def soak(server: Server, questions: Iterator[str], count: int) -> str:
    lines = [
        "| questions | resident, MB | evidence p95, ms | answer p95, ms | outcome |",
        "|---|---|---|---|---|",
    ]
    step = 100
    for done in range(0, count, step):
        found: list[Asked] = []
        while len(found) < step:
            wave = min(8, (step - len(found)) // PER_PAGE)
            found += asyncio.run(rounds(server.url, wave, PER_PAGE, questions))
        counts = Counter(one.outcome for one in found)
        said = ", ".join(f"{number} {outcome}" for outcome, number in counts.most_common())
        evidence = [one.evidence for one in found if one.evidence is not None]
        ends = [one.done for one in found if one.done is not None]
        lines.append(
            f"| {done + step} | {server.megabytes():,.0f} | {ms(evidence, 95)} "
            f"| {ms(ends, 95)} | {said} |"
        )
        print(lines[-1], flush=True)
    return "\n".join(lines)


def overload(server: Server, questions: Iterator[str]) -> str:
    asyncio.run(rounds(server.url, 1, 2, questions))
    before = server.computed()
    found = asyncio.run(rounds(server.url, 40, 1, questions))
    between = server.computed()
    declined = [one.done for one in found if one.outcome == "declined" and one.done is not None]
    after = asyncio.run(rounds(server.url, 8, 1, questions))
    told = f"p50 {ms(declined, 50)} ms, p95 {ms(declined, 95)} ms"
    return "\n".join(
        [
            TABLE,
            row("40 at once", found, between - before),
            row("8, directly afterwards", after, server.computed() - between),
            f"\n{len(declined)} questions were declined with a sentence that says why ({told}).",
        ]
    )


def gather(data: Path, most: int, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for path in sorted((data / "articles").glob("*.txt"))[:most]:
        shutil.copy(path, folder / path.name)


def save(output: Path, part: str, text: str) -> None:
    """Put one part into the file, in place of what it held before."""
    old = output.read_text(encoding="utf-8") if output.exists() else ""
    parts = dict(re.findall(r"^## (\w+)\n(.*?)(?=^## |\Z)", old, re.DOTALL | re.MULTILINE))
    parts[part] = f"\n{text.strip()}\n\n"
    body = "".join(f"## {name}\n{parts[name]}" for name in PARTS if name in parts)
    output.write_text(f"{HEAD}\n{body}".strip() + "\n", encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("parts", nargs="*", default=PARTS, metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--set", default="rtqa26")
    parser.add_argument("--articles", type=int, default=100)
    parser.add_argument("--questions", type=int, help="of each visitor: 20, or 3 with a model")
    parser.add_argument("--soak", type=int, default=1000, help="questions of the soak")
    parser.add_argument("--model", metavar="NAME", help="instead of the default one")
    parser.add_argument("--encoder", metavar="NAME", help="instead of the default one")
    parser.add_argument("--work", type=Path, metavar="DIR", help="keep articles and index there")
    parser.add_argument("--output", type=Path, default=Path("benchmarks/results/load.md"))
    options = parser.parse_args()
    if unknown := set(options.parts) - set(PARTS):
        parser.error(f"no such part: {', '.join(unknown)}")
    data = Path(os.environ["RAG_EVAL_DATA"]) / options.set
    lines = (data / "questions.jsonl").read_text(encoding="utf-8").splitlines()
    questions = cycle([json.loads(line)["question"] for line in lines])
    git = ["git", "describe", "--always", "--dirty", "--abbrev=7"]
    commit = subprocess.run(git, capture_output=True, text=True, check=True).stdout.strip()
    with tempfile.TemporaryDirectory() as temporary:
        work = options.work or Path(temporary)
        gather(data, options.articles, work / "articles")
        encoder = ["--encoder", options.encoder] if options.encoder else []
        index = [sys.executable, "-m", "rag", "index", str(work / "articles")]
        subprocess.run([*index, "--index", str(work / "index"), *encoder], check=True)
        for part in options.parts:
            named = ["--model", options.model] if options.model else []
            with_model = ["--generator", "llamacpp", *named]
            generator = with_model if part == "model" else ["--generator", "extractive"]
            begun = time.perf_counter()
            with serving(work / "articles", work / "index", [*generator, *encoder]) as server:
                print(f"{part}: serving after {time.perf_counter() - begun:.0f} s", flush=True)
                if part == "soak":
                    text = soak(server, questions, options.soak)
                elif part == "overload":
                    text = overload(server, questions)
                else:
                    each = options.questions or (3 if part == "model" else 20)
                    text = visitors(server, questions, each, leave=part == "model")
            model = f", {options.model or 'the default model'}" if part == "model" else ""
            where = f"{options.articles} articles of {options.set}{model}, on commit {commit}."
            save(options.output, part, f"`python -m benchmarks.web.load {part}`: {where}\n\n{text}")
            print(text, flush=True)


if __name__ == "__main__":
    main()
