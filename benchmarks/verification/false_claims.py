"""Claims made by hand that are false, or true in other words: which of them a verifier lets pass.

    python -m benchmarks.verification.false_claims > benchmarks/results/false-claims.md

Six invented articles and what is claimed of them, each claim with the sentences that it cites, are
in tests/data/false_claims. Another file of rows {"claim", "sources", "title", "label", "kind"?} can
be named instead; "supported" is the label of the true ones.
"""

from __future__ import annotations

import argparse
import json
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rag.evaluation.metrics import share_interval
from rag.verification.verifiers import Check, load_verifier

CLAIMS = Path(__file__).parents[2] / "tests" / "data" / "false_claims" / "claims.jsonl"


@dataclass(frozen=True, slots=True)
class Judged:
    """A claim with what the verifier found."""

    kind: str
    claim: str
    supported: bool
    check: Check


def judged(path: Path, verifier_name: str) -> list[Judged]:
    """Return the claims of a file, each checked against the sentences that it cites."""
    verifier = load_verifier(verifier_name)
    rows = map(json.loads, path.read_text(encoding="utf-8").splitlines())
    return [
        Judged(
            row.get("kind", "of no kind"),
            row["claim"],
            row["label"] == "supported",
            verifier.check(row["claim"], row["sources"], row["title"], {}),
        )
        for row in rows
    ]


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
    command = ["git", "rev-parse", "--short", "HEAD"]
    commit = subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
    print(f"# False claims, made by hand: what the verifier `{arguments.verifier}` lets pass\n")
    name = "" if arguments.claims == CLAIMS else f" {arguments.claims.name}"
    print(
        f"`python -m benchmarks.verification.false_claims{name}`, on commit {commit}. 95 % "
        f"intervals: bootstrap,"
    )
    print("or Wilson's where all are alike.")
    if not name:
        print("Unseen: as of that commit nothing was tuned on these claims.")
    print("\n| false claims | pass | share |\n|---|---|---|")
    false = [one for one in claims if not one.supported]
    for kind in dict.fromkeys(one.kind for one in false):
        print(f"| {kind} | {cells([one.check.passed for one in false if one.kind == kind])} |")
    print(f"| all | {cells([one.check.passed for one in false])} |")
    true = [one for one in claims if one.supported]
    print("\n| true claims | refused | share |\n|---|---|---|")
    print(f"| all | {cells([not one.check.passed for one in true])} |")
    print("\nFalse and passed:\n")
    for one in false:
        if one.check.passed:
            print(f"- {one.kind}: {one.claim} (support {one.check.support:.2f})")
    print("\nTrue and refused:\n")
    for one in true:
        if not one.check.passed:
            why = [f"{problem.kind} “{problem.text}”" for problem in one.check.problems]
            why += [f"unsaid “{term}”" for term in one.check.unsaid]
            print(f"- {one.claim} ({'; '.join(why) or f'support {one.check.support:.2f}'})")


if __name__ == "__main__":
    main()
