"""What the language model is told. The fixed part comes first, so that its cache is reused."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, TypeAlias

from rag.text.untrusted import MARKERS, visible, without_markers
from rag.types import Evidence, Turn

Messages: TypeAlias = list[dict[str, str]]  # of a chat: each a role and its content

# What makes an answer always the same: the likeliest token, each time.
SAMPLING: dict[str, Any] = {"temperature": 0, "seed": 0, "stop": ["\n\n"]}
NOT_FOUND = "Not found"  # what the model is asked to say when the sentences do not answer

SYSTEM = (
    "You answer questions from numbered sentences of news articles. Use only what the sentences "
    "say. Answer in one complete sentence that keeps close to their wording and names who or what "
    "it is about; to a yes-or-no question, begin with Yes or No; to a question in two parts, "
    "answer both. End each sentence with the number of the one that says it, like [2]. If the "
    f'sentences do not say it, or say something else, answer exactly "{NOT_FOUND}".'
)

_BRIDGE = (
    "[1] The bridge was closed on Friday after cracks were found in two pillars.\n"
    "[2] Mayor Ann Okoye said repairs would cost about $4 million.\n"
)
_LIBRARY = (
    "[1] The library stays shut until its roof has been replaced in June.\n"
    "[2] Its director, who leads a staff of 30, said they had moved 40,000 books.\n"
)
EXAMPLES = (
    (
        f"{_BRIDGE}Question: How much will it cost to mend the bridge?",
        "The repairs will cost about $4 million, Mayor Ann Okoye said. [2]",
    ),
    (f"{_BRIDGE}Question: Why did Mayor Okoye sell the bridge?", NOT_FOUND),
    (f"{_BRIDGE}Question: What's the name of the town's mayor?", "The mayor is Ann Okoye. [2]"),
    (
        f"{_LIBRARY}Question: Can people borrow books in May?",
        "No, the library stays shut until its roof has been replaced in June. [1]",
    ),
    (f"{_LIBRARY}Question: Who is the architect?", NOT_FOUND),
    (
        f"{_LIBRARY}Question: When will the roof be replaced, and how many books were moved?",
        "The roof will be replaced in June. [1] The director said they had moved 40,000 books. [2]",
    ),
)


def chat(question: str, evidence: Sequence[Evidence], history: Sequence[Turn]) -> Messages:
    """Return the messages that ask for the draft of an answer."""
    lines = [f"[{n}] {plain(without_markers(e.quote))}" for n, e in enumerate(evidence, start=1)]
    before = [turn.text for turn in history if turn.role == "user"][-1:]
    asked = [f"Question before: {plain(text)}" for text in before]
    content = "\n".join([*lines, *asked, f"Question: {plain(question)}"])
    return [*fixed(), {"role": "user", "content": content}]


def fixed() -> Messages:
    """Return the messages that every prompt for a draft starts with."""
    messages = [{"role": "system", "content": SYSTEM}]
    for asked, answered in EXAMPLES:
        messages.append({"role": "user", "content": asked})
        messages.append({"role": "assistant", "content": answered})
    return messages


# Every special token of a chat template that we know of begins with "<", or is upper-case, "g" and
# upper-case, or between bars, in square brackets: "<|im_end|>", "</s>", "[INST]", "[gMASK]".
_OPENS = re.compile(r"([<＜﹤](?=\S)|[\[［](?=[/|｜]|g?[A-Z_]{2}))")
_CLOSES = re.compile(r"(?<=[|｜])(?=[>＞])")


def plain(text: str) -> str:
    """Return untrusted text on one line, without what a chat template would take for its own.

    What looks like a special token is taken apart, not removed, so that an article about them can
    still be asked about; a number in brackets gets other brackets, since ours are the evidence's
    numbers. Characters that are not seen go.
    """
    one_line = " ".join(visible(text).split())
    one_line = MARKERS.sub(lambda match: f" ({match[1]})", one_line)
    return _CLOSES.sub(" ", _OPENS.sub(r"\1 ", one_line))
