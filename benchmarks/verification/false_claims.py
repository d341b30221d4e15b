"""Claims made by hand that are false, or true in other words: which of them a verifier lets pass.

    python -m benchmarks.verification.false_claims > benchmarks/results/false-claims.md

Six invented articles and what is claimed of them, each claim with the sentences that it cites, are
in tests/data/false_claims. Another file of rows {"claim", "sources", "title", "label", "kind"?} can
be named instead; "supported" is the label of the true ones. A claim passes if it does with one of
its sentences, the others being those before it.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rag.evaluation.metrics import share_interval
from rag.evaluation.run import commit_here
from rag.verification.verifiers import load_verifier

CLAIMS = Path(__file__).parents[2] / "tests" / "data" / "false_claims" / "claims.jsonl"


@dataclass(frozen=True, slots=True)
class Judged:
    """A claim and whether it passes."""

    kind: str
    claim: str
    supported: bool
    passed: bool


def judged(path: Path, verifier_name: str) -> list[Judged]:
    """Return the claims of a file, each checked against the sentences that it cites."""
    check = load_verifier(verifier_name).check
    claims = []
    for row in map(json.loads, path.read_text(encoding="utf-8").splitlines()):
        claim, sources = row["claim"], row["sources"]
        passed = any(
            check(claim, source, [s for s in sources if s != source]).passed for source in sources
        )
        supported = row["label"] == "supported"
        claims.append(Judged(row.get("kind", "of no kind"), claim, supported, passed))
    return claims


def cells(hits: Sequence[bool]) -> str:
    """Return "3 of 4 | .750 (.300–.954)", as two cells of a table."""
    if not hits:
        return "0 of 0 | –"
    low, high = share_interval([float(hit) for hit in hits])
    return f"{sum(hits)} of {len(hits)} | {sum(hits) / len(hits):.2f} ({low:.2f}–{high:.2f})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("claims", nargs="?", type=Path, default=CLAIMS, help="(default: ours)")
    parser.add_argument("--verifier", default="rules")
    arguments = parser.parse_args()
    claims = judged(arguments.claims, arguments.verifier)
    print(f"# False claims, made by hand: what the verifier `{arguments.verifier}` lets pass\n")
    name = "" if arguments.claims == CLAIMS else f" {arguments.claims.name}"
    print(
        f"`python -m benchmarks.verification.false_claims{name}`, on commit {commit_here()}. 95 % "
        f"intervals: bootstrap,\nor Wilson's where all are alike."
    )
    if not name:
        print(
            "Looked at: the check of literal words was written after an older one had failed here."
        )
    print("\n| false claims | pass | share |\n|---|---|---|")
    false = [one for one in claims if not one.supported]
    for kind in dict.fromkeys(one.kind for one in false):
        print(f"| {kind} | {cells([one.passed for one in false if one.kind == kind])} |")
    print(f"| all | {cells([one.passed for one in false])} |")
    true = [one for one in claims if one.supported]
    print("\n| true claims, in other words | pass | share |\n|---|---|---|")
    print(f"| all | {cells([one.passed for one in true])} |")
    for title, group in (("False and passed", false), ("True and passed", true)):
        print(f"\n{title}:\n")
        print("\n".join(f"- {one.kind}: {one.claim}" for one in group if one.passed) or "None.")


if __name__ == "__main__":
    main()
