"""A sentence says a claim whose words it says, and no claim that it does not say."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from rag.verification.literal import affirms, says
from rag.verification.wording import Token, tokens

# Files of sentences of our own: "#" a kind, "<" the sentence before, "=" a sentence, "+" what it
# says, "-" what it does not say.
PAIRS = Path(__file__).parent / "pairs"


def pairs(sign: str) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """Yield the claims of a sign, each with its sentence and the ones before it."""
    for path in sorted(PAIRS.glob("*.txt")):
        sentence, before, following = "", "", ""
        for line in path.read_text(encoding="utf-8").splitlines():
            start, text = line[0], line[2:]
            assert start in "#<=+-", f"{path.name}: {line}"
            if start == "<":
                following = text
            elif start == "=":
                sentence, before, following = text, following, ""
            elif start == sign:
                yield text, sentence, (before,) if before else ()


RIGHT, WRONG = list(pairs("+")), list(pairs("-"))
SENTENCES = sorted({sentence for _, sentence, _ in RIGHT})


@pytest.mark.parametrize(("claim", "sentence", "before"), RIGHT)
def test_what_a_sentence_says(claim: str, sentence: str, before: tuple[str, ...]) -> None:
    assert says(claim, sentence, before)


@pytest.mark.parametrize(("claim", "sentence", "before"), WRONG)
def test_what_a_sentence_does_not_say(claim: str, sentence: str, before: tuple[str, ...]) -> None:
    assert not says(claim, sentence, before)


def test_there_are_many_pairs_of_each_sign() -> None:
    assert len(WRONG) > 600
    assert len(RIGHT) > 100


@pytest.mark.parametrize("sentence", SENTENCES)
def test_a_sentence_says_itself(sentence: str) -> None:
    assert says(sentence, sentence)
    assert says(f"Yes, {sentence}", sentence)


@given(st.sampled_from(SENTENCES), st.data())
def test_no_sentence_says_a_claim_with_a_word_exchanged(sentence: str, data: st.DataObject) -> None:
    words = sentence.rstrip(".").split()
    start = data.draw(st.integers(0, len(words) - 2))
    claim = words[start : data.draw(st.integers(start + 2, len(words)))]
    at = data.draw(st.integers(0, len(claim) - 1))
    # Words that mean nothing by themselves may be any.
    assume(any(t.kind in {"word", "number", "binding"} for t in tokens(f"x {claim[at]}")[1:]))
    other = data.draw(st.sampled_from("teapot Zanzibar never all 77 may".split()))
    assume(other.lower() not in sentence.lower().split())
    claim[at] = other
    assert not says(" ".join(claim), sentence)


@given(st.sampled_from(RIGHT), st.sampled_from((" ", "  ", "\n", "\u00a0 ", "\t")))
def test_white_space_does_not_matter(pair: tuple[str, str, tuple[str, ...]], space: str) -> None:
    claim, sentence, before = pair
    # One space stands between the thousands of a number.
    spaced = re.sub(r"(?<!\d) | (?!\d)", space, claim)
    assert says(spaced, re.sub(r"(?<!\d) | (?!\d)", space, sentence), before)


@pytest.mark.parametrize("marks", ["“”", '""', "„“", "«»", "‘’", "''"])
def test_the_style_of_quotes_does_not_matter(marks: str) -> None:
    sentence = 'Okafor called it "a hard but honest week" for the crews.'
    for claim in ("Okafor called it {}a hard but honest week{}.", "Okafor called it {}a hard but"):
        written = claim.format(*marks) if claim.count("{}") == 2 else claim.format(marks[0])
        assert says(written, sentence) is (claim.count("{}") == 2)
    spoken = "{}Okafor took bribes,{} the paper wrote.".format(*marks)
    assert not says("Okafor took bribes.", spoken)
    assert says(spoken, spoken)


@pytest.mark.parametrize(
    ("question", "sentence", "said"),
    [
        ("Did Tom Reed die?", "Tom Reed died in Lisk on Monday.", True),
        ("Did Reed win the race?", "Reed won the race.", True),
        ("Did Reed win the race?", "Holt won the race.", None),
        ("Did Reed win the race?", "Reed may win the race.", None),
        ("Does Beck own the farm?", "Beck owns the farm.", True),
        ("Does Beck own the farm?", "Beck owned the farm.", None),
        ("Was Tom Reed jailed?", "Her partner, Tom Reed, was jailed for six years.", True),
        ("Was Hana Voss jailed?", "Her partner, Tom Reed, was jailed for six years.", None),
        ("Was the bridge damaged?", "The bridge was not damaged.", False),
        ("Was the bridge damaged?", "The bridge was not damaged by the flood.", None),
        ("Did the minister resign?", "The minister did not resign.", False),
        ("Did the minister resign?", "The minister didn't resign.", False),
        ("Will prosecutors appeal?", "Prosecutors will not appeal.", False),
        ("Will prosecutors appeal?", "Prosecutors may appeal.", None),
        ("Has Beck left Lisk?", "Beck has left Lisk.", True),
        ("Is the road open?", "The bridge is open.", None),
        ("Isn't the road open?", "The road is open.", None),
        ("Who won the race?", "Reed won the race.", None),
        ("Did he?", "He did.", None),
    ],
)
def test_yes_and_no(question: str, sentence: str, said: bool | None) -> None:
    assert affirms(question, sentence) is said


@pytest.mark.parametrize("claim", ["", "…", "Yes.", "No", "12.", "Reed", "?!", "“”", "the a an"])
def test_what_is_no_claim_is_not_said(claim: str) -> None:
    assert not says(claim, "Reed sold 12 boats.")
    assert not says("Reed sold 12 boats.", claim)


HOSTILE = "not |may |1|1,1|“|'|said that |Ann and |Ann, |A.B.|twenty-|(|; |of |in Paris |was |é|-5 "


@pytest.mark.parametrize("unit", HOSTILE.split("|"))
@pytest.mark.parametrize("length", [300, 1_000, 4_000])
def test_work_does_not_explode_in_hostile_text(
    unit: str, length: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared, same = 0, Token.same

    def counted(one: Token, other: Token) -> bool:
        nonlocal compared
        compared += 1
        return same(one, other)

    monkeypatch.setattr(Token, "same", counted)
    text = (unit * length)[:length]
    says(text[:-1], f"{text} x", (text,))
    says("Ann was jailed and left", f"Ann {text} x", (text,))
    assert compared < 200_000


def test_in_a_sentence_without_end_nothing_is_looked_for() -> None:
    long = "Reed sold 12 boats, " * 100
    assert says(long, long)
    assert not says("Reed sold 12 boats.", long)
