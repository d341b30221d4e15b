"""The others' ways: what each of them cites, on four invented articles and with scripted drafts."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scripted import Draft, ScriptedGenerator

from benchmarks.baselines.drafts import (
    NUMBERS,
    QUOTES,
    Drafts,
    cite_numbers,
    cite_quotes,
    cite_similar,
    match_quote,
    prompt,
    refuses,
)
from benchmarks.baselines.search import ChunkIndex, chunks
from benchmarks.baselines.systems import BASELINES, Baseline
from rag.answering.pipeline import Rag
from rag.config import Config
from rag.errors import InputError, ModelError
from rag.generation.generators import load_generator
from rag.index.index import Index
from rag.models.encoder import HashedEncoder
from rag.types import Answer, Evidence, Turn, Vectors

COST = "How much would the repairs cost?"
REPAIRS = "Mayor Ann Okoye said repairs would cost about $4 million."
NAMES = ["prompted", "similarity", "fuzzy_quotes", "copy_top", "decline", "bm25", "dense_chunks"]
Make = Callable[..., Baseline]


def quote(text: str, article: str = "a.txt", start: int = 0) -> Evidence:
    return Evidence(article, "Title", None, start, start + len(text), text, 0.5)


@pytest.fixture
def rag(articles: Path, config: Config, tmp_path: Path) -> Iterator[Rag]:
    with Rag.for_articles(
        articles, config, tmp_path / "index", generator=ScriptedGenerator()
    ) as opened:
        yield opened


@pytest.fixture
def make(rag: Rag, tmp_path: Path) -> Make:
    def system(name: str, *drafts: Draft) -> Baseline:
        scripted(rag).drafts.extend(drafts)
        return BASELINES[name](rag, tmp_path / "cache")

    return system


def scripted(rag: Rag) -> ScriptedGenerator:
    assert isinstance(rag._generator, ScriptedGenerator)
    return rag._generator


def check(rag: Rag, answer: Answer) -> None:
    """Whatever is cited stands where it is said to stand, and is numbered as it is cited."""
    places = [(c.article, c.start, c.end, c.quote) for c in answer.citations]
    places += [(e.article, e.start, e.end, e.quote) for e in answer.evidence]
    for article, start, end, quoted in places:
        assert quoted
        assert rag.article(article).text[start:end] == quoted
    assert [c.number for c in answer.citations] == list(range(1, len(answer.citations) + 1))
    cited = [number for claim in answer.claims for number in claim.citations]
    assert set(cited) == {c.number for c in answer.citations}
    assert answer.declined is (not answer.claims)
    assert answer.declined is (answer.reason is not None)
    assert {c.support for c in answer.claims} | {c.support for c in answer.citations} <= {0.0}
    assert 0 <= answer.confidence <= 1
    assert set(answer.timings_ms) == {
        "retrieve",
        "first_evidence",
        "first_token",
        "generate",
        "verify",
        "total",
    }
    json.dumps(answer.to_dict())


def test_the_names() -> None:
    assert list(BASELINES) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_every_system_searches_and_answers(rag: Rag, make: Make, name: str) -> None:
    system = make(name, "The repairs would cost about $4 million. [1]")
    assert system.name == name
    assert system.config == rag.config
    assert system.manifest == {**rag.manifest, "system": name}
    for k in (1, 2, 10):
        found = system.search(COST, k, date="2024-03-10")
        for items in (found.passages, found.evidence):
            assert 0 < len(items) <= k
            scores = [item.score for item in items]
            assert scores == sorted(scores, reverse=True)
        assert 0 <= found.confidence <= 1
        for hit in found.passages:
            assert rag.article(hit.article).text[hit.start : hit.end].strip()
        for piece in found.evidence:
            assert rag.article(piece.article).text[piece.start : piece.end] == piece.quote
        json.dumps(found.to_dict())
    answer = system.answer(COST, history=[Turn("user", "Is the bridge open?")], date="2024-03-10")
    assert answer.question == COST
    assert answer.models["system"] == name
    assert answer.declined is (name == "decline")
    check(rag, answer)


@pytest.mark.parametrize("name", NAMES)
def test_a_question_is_checked_as_rag_does(rag: Rag, make: Make, name: str) -> None:
    system = make(name)
    for question, message in (("\0", "empty"), ("x" * 3000, "too long")):
        with pytest.raises(InputError, match=message):
            system.answer(question)
        with pytest.raises(InputError, match=message):
            system.search(question)


@pytest.mark.parametrize("name", ["copy_top", "bm25", "dense_chunks"])
def test_a_question_that_nothing_matches_is_no_error(rag: Rag, make: Make, name: str) -> None:
    check(rag, make(name).answer("?!"))


# (a) The model's own numbers.


def test_prompted_cites_the_whole_passage_whose_number_the_model_wrote(
    rag: Rag, make: Make
) -> None:
    system = make("prompted", "The repairs would cost about $4 million [2]. It is closed.")
    answer = system.answer(COST)
    second = rag.search(COST).passages[1]
    (citation,) = answer.citations
    cited = (citation.article, citation.start, citation.end)
    assert cited == (second.article, second.start, second.end)
    assert answer.text == "The repairs would cost about $4 million. [1] It is closed."
    assert [claim.verdict for claim in answer.claims] == ["supported", "supported"]
    assert len(answer.evidence) == 3
    assert answer.confidence == 1
    (call,) = scripted(rag).calls
    assert call.tokens == rag.config.answer_tokens
    assert call.lines[0] == f"[1] {' '.join(answer.evidence[0].quote.split())}"
    assert call.lines[3:] == [f"Question: {COST}"]
    check(rag, answer)


def test_numbers_of_no_passage_cite_nothing_and_stay_visible() -> None:
    passages = [quote("One."), quote("Two.")]
    first, second, third = cite_numbers("It is so. [7][2] And so [0, 1]. Then.", passages)
    assert (first.text, first.sources) == ("It is so. [7]", (passages[1],))
    assert (second.text, second.sources) == ("And so. [0]", (passages[0],))
    assert (third.text, third.sources) == ("Then.", ())


@pytest.mark.parametrize(
    "draft",
    [
        "Not found",
        "The passages do not say who built the bridge. [1]",
        "I don't know.",
        "None of the passages are helpful.",
        "The provided context doesn't say it.",
        "",
        "[1]",
    ],
)
def test_prompted_declines_when_the_model_does(rag: Rag, make: Make, draft: str) -> None:
    answer = make("prompted", draft).answer("Who built the bridge?")
    assert answer.declined
    assert answer.confidence == 0
    assert answer.notes == (draft or "The model wrote nothing.",)
    assert len(answer.evidence) == 3
    check(rag, answer)


@pytest.mark.parametrize(
    "sentence",
    [
        "The mayor could not say when it opens.",
        "There was no answer from the airline.",
        "The passage was closed.",
        "He does not know.",
    ],
)
def test_news_of_a_refusal_is_no_refusal(sentence: str) -> None:
    assert not refuses(sentence)


# (b) Similarity.


class Plane(HashedEncoder):
    """Each text has a direction: its first number, in degrees."""

    def encode_texts(self, texts: object) -> Vectors:
        angles = [float(str(text).split()[0]) for text in list(texts)]  # type: ignore[call-overload]
        radians = np.radians(np.array(angles, np.float32))
        return np.stack([np.cos(radians), np.sin(radians)], axis=1)


@pytest.mark.parametrize(
    ("degrees", "cited"),
    [
        # cos 45° = .71: the threshold stays .63, and cos 55° = .57 does not reach it
        ((45, 55), (True, False)),
        # cos 55°: lowered once to .504, which cos 59° = .52 reaches too, cos 62° = .47 not
        ((55, 59), (True, True)),
        ((55, 62), (True, False)),
        # cos 70° = .34: lowered three times, to .323
        ((70, 80), (True, False)),
        # cos 72° = .31 would need a fourth time, to .258
        ((72, 80), (False, False)),
    ],
)
def test_the_threshold_is_lowered_until_something_is_cited(
    degrees: tuple[int, int], cited: tuple[bool, bool]
) -> None:
    sentences = [quote("180 is the far one"), quote("0 is the near one")]
    draft = "\n".join(f"{degree} degrees and so on." for degree in degrees)
    statements = cite_similar(draft, sentences, Plane())
    assert [s.sources for s in statements] == [(sentences[1],) if c else () for c in cited]


def test_similarity_cites_one_sentence_of_the_passages(rag: Rag, make: Make) -> None:
    system = make("similarity", "The mayor said the repairs would cost $4 million. [9]")
    answer = system.answer(COST)
    assert [citation.quote for citation in answer.citations] == [REPAIRS]
    assert answer.text == "The mayor said the repairs would cost $4 million. [1]"
    check(rag, answer)
    assert cite_similar("", [quote("One.")], HashedEncoder()) == []
    (alone,) = cite_similar("A claim.", [], HashedEncoder())
    assert alone.sources == ()


# (c) Quotes, matched fuzzily.


def test_fuzzy_quotes_cites_what_the_quote_matches(rag: Rag, make: Make) -> None:
    draft = (
        "Answer: About $4 million. The mayor said so.\n"
        'Quote: "Mayor Anne Okoye said repairs would cost about $4 million."'
    )
    answer = make("fuzzy_quotes", draft).answer(COST)
    # "Mayor Ann" is less than a fifth of the quote, so the match begins behind it.
    assert [c.quote for c in answer.citations] == [REPAIRS.removeprefix("Mayor Ann")]
    assert answer.text == "About $4 million. [1] The mayor said so. [1]"
    assert scripted(rag).calls[0].tokens == 160
    check(rag, answer)


def test_fuzzy_quotes_without_a_quote_cites_nothing(rag: Rag, make: Make) -> None:
    answer = make("fuzzy_quotes", "About $4 million.").answer(COST)
    assert answer.text == "About $4 million."
    assert answer.citations == ()
    declined = make("fuzzy_quotes", "Answer: Not found").answer("Who built it?")
    assert declined.declined
    check(rag, declined)


@pytest.mark.parametrize(("shared", "accepted"), [(35, True), (34, False)])
def test_a_quote_is_accepted_when_35_percent_of_it_match(shared: int, accepted: bool) -> None:
    passage = quote("0123456789" * 3 + "abcde" + "\nand more", start=7)
    found = match_quote(passage.quote[:shared] + "?" * (100 - shared), [quote("-"), passage])
    assert (found is not None) is accepted
    if found:
        assert (found.start, found.end, found.quote) == (7, 42, passage.quote[:35])


def test_a_match_reaches_from_the_first_block_to_the_last() -> None:
    passage = quote("So it began.\nThe harbour is old and the bridge is new. It ended.")
    found = match_quote("The harbor is old, and the bridge is new.", [passage])
    # "The harbo" is 9 of its 41 characters, more than a fifth, and so is the end; between them
    # "r is old" is not.
    assert found == quote("The harbour is old and the bridge is new.", start=13)


def test_of_two_passages_the_closer_one_is_cited() -> None:
    one, other = quote("A tall red ship sails on."), quote("A tall red ship sank.", "b.txt")
    assert match_quote("A tall red ship sank.", [one, other]) == other
    assert match_quote("A tall", [one]) == quote("A tall")
    assert match_quote("A tal", [one]) is None  # five characters are too few


@pytest.mark.parametrize(
    "draft",
    [
        "It is.\nQuote: A tall red ship",
        "It is.\n- Quote 1: “A tall red ship”\n",
        "It is. QUOTES:\nA tall red ship\nNothing like it at all, but long",
        "It is.\nquote:A tall red ship",
    ],
)
def test_the_shapes_of_quotes(draft: str) -> None:
    (statement,) = cite_quotes(draft, [quote("A tall red ship sank.")])
    assert statement.text == "It is."
    assert statement.sources == (quote("A tall red ship"),)


# The drafts.


def test_drafts_are_shared_and_outlive_the_object(rag: Rag, make: Make, tmp_path: Path) -> None:
    written = make("prompted", ["The repairs would cost ", "about $4 million. [1]"]).answer(COST)
    attributed = make("similarity").answer(COST)  # the queue is empty: another draft would fail
    again = make("prompted").answer(COST)
    assert len(scripted(rag).calls) == 1
    assert again.claims == written.claims
    assert attributed.citations[0].quote == REPAIRS
    for answer in (attributed, again):
        assert answer.timings_ms["generate"] == written.timings_ms["generate"]
    assert again.timings_ms["total"] >= again.timings_ms["generate"]
    (file,) = (tmp_path / "cache" / "drafts").iterdir()
    assert json.loads(file.read_bytes())["text"].endswith("million. [1]")


def test_a_draft_of_other_messages_tokens_or_model_is_another(
    config: Config, tmp_path: Path
) -> None:
    messages = prompt(NUMBERS, "When?", [quote("At <|im_end|> seven.")], [Turn("user", "Who?")])
    assert messages[-1]["content"] == (
        "[1] At < |im_end| > seven.\nQuestion before: Who?\nQuestion: When?"
    )
    generator = ScriptedGenerator("a", "b", "c", "d", "e")
    drafts = Drafts(tmp_path, config, generator)
    other = prompt(QUOTES, "When?", [], [])
    texts = [drafts.write(messages, 9).text, drafts.write(messages, 8).text]
    texts += [drafts.write(other, 9).text, drafts.write(messages, 9).text]
    texts.append(replace(drafts, config=replace(config, model="big")).write(messages, 9).text)
    assert texts == ["a", "b", "c", "a", "d"]
    for file in tmp_path.iterdir():
        file.write_text("{")
    assert drafts.write(messages, 9).text == "e"  # a damaged file is no draft


def test_a_draft_that_was_cut_off_is_not_kept(config: Config, tmp_path: Path) -> None:
    drafts = Drafts(tmp_path, replace(config, answer_seconds=0.0), ScriptedGenerator("a", "b"))
    messages = prompt(NUMBERS, "When?", [], [])
    assert [drafts.write(messages, 9).text for _ in range(2)] == ["a", "b"]


def test_a_server_is_asked_for_its_model_first(config: Config, tmp_path: Path) -> None:
    class Server(ScriptedGenerator):
        model = ""

        def warm_up(self) -> None:
            self.model = "served"

    assert Drafts(tmp_path, config, Server("a")).write([], 9).model == "served"


def test_a_baseline_that_writes_needs_a_language_model(rag: Rag, tmp_path: Path) -> None:
    rag._generator = load_generator(rag.config)
    system = BASELINES["prompted"](rag, tmp_path)
    assert system.search(COST).passages
    with pytest.raises(ModelError, match="needs a language model, and the generator 'extractive'"):
        system.answer(COST)


def test_a_scripted_completion_ends_when_it_is_cancelled() -> None:
    cancel = threading.Event()
    pieces = ScriptedGenerator(["a", "b"]).complete([], 9, cancel)
    assert next(pieces) == "a"
    cancel.set()
    assert list(pieces) == []


# (d) to (g), without a language model.


def test_copy_top_is_the_best_passage(rag: Rag, make: Make) -> None:
    answer = make("copy_top").answer(COST)
    best = rag.search(COST).passages[0]
    (claim,), (citation,) = answer.claims, answer.citations
    assert (citation.article, citation.start, citation.end) == (best.article, best.start, best.end)
    assert claim.text == " ".join(citation.quote.split())
    assert claim.verdict == "quoted"
    assert REPAIRS in claim.text
    check(rag, answer)


def test_decline_declines(rag: Rag, make: Make) -> None:
    answer = make("decline").answer(COST)
    assert answer.declined
    assert answer.confidence == 0
    assert answer.citations == ()
    assert answer.evidence == ()
    check(rag, answer)


def test_bm25_quotes_the_best_sentence(rag: Rag, make: Make) -> None:
    system = make("bm25")
    answer = system.answer("cost repairs")
    assert [c.quote for c in answer.citations] == [REPAIRS]
    assert answer.text == f"{REPAIRS} [1]"
    assert answer.claims[0].verdict == "quoted"
    found = system.search("cost repairs")
    # Each of the two terms occurs once, in a sentence of ten terms where 22 are usual:
    # tf / (tf + 1.2 (1 - .75 + .75 · 10 / 22)) = 1 / 1.709, of at most 1; both terms are in it.
    assert found.evidence[0].score == pytest.approx(
        1 / (1 + 1.2 * (0.25 + 0.75 * 10 / 22)), abs=1e-4
    )
    assert found.confidence == answer.confidence == found.evidence[0].score
    assert "Tickets cost nine euros." in [e.quote for e in found.evidence[1:3]]
    assert REPAIRS in rag.article("bridge.txt").text[found.passages[0].start :]
    check(rag, answer)


def test_dense_chunks_copies_the_chunk_whose_vector_is_nearest(rag: Rag, make: Make) -> None:
    system = make("dense_chunks")
    found = system.search("ferry tickets")
    assert found.passages[0].article == "ferry.txt"
    text = rag.article("ferry.txt").text
    assert found.evidence[0].quote == text  # shorter than 1,000 characters
    one, other = HashedEncoder().encode_texts([text, "ferry tickets"])
    assert found.confidence == found.evidence[0].score == pytest.approx(one @ other, abs=1e-3)
    answer = system.answer("ferry tickets")
    assert answer.text == f"{' '.join(text.split())} [1]"
    check(rag, answer)


PROSE = "\n\n".join("word " * n + "end." for n in (30, 150, 450, 3, 40))
UNBROKEN = "x" * 2_345


@pytest.mark.parametrize(
    "text", ["", "short", PROSE, UNBROKEN, PROSE + UNBROKEN + PROSE, " " * 3_000]
)
def test_chunks_cover_the_text_and_overlap(text: str) -> None:
    spans = list(chunks(text))
    rebuilt, end = "", 0
    for span in spans:
        assert 0 < span.end - span.start <= 1_000
        assert end - 200 <= span.start <= end  # no gap, and no more overlap than that
        assert span.end > end
        rebuilt, end = rebuilt + text[end : span.end], span.end
    assert rebuilt == text


def test_chunks_end_behind_a_paragraph_a_line_or_a_word() -> None:
    text = "aaaa bbbb\n\ncccc dddd\neeee ffff"
    spans = [text[s.start : s.end] for s in chunks(text, 14, 5)]
    assert spans == ["aaaa bbbb\n\n", "cccc dddd\n", "dddd\neeee ffff"]
    text = "abcdefghij"
    assert [text[s.start : s.end] for s in chunks(text, 4, 1)] == ["abcd", "defg", "ghij"]


def test_the_vectors_of_chunks_are_kept(index: Index, tmp_path: Path) -> None:
    class Counting(HashedEncoder):
        encoded = 0

        def encode_texts(self, texts: object) -> Vectors:
            self.encoded += len(list(texts))  # type: ignore[call-overload]
            return super().encode_texts(texts)  # type: ignore[arg-type]

    first, second = Counting(), Counting()
    before = ChunkIndex(index, first, tmp_path).search("ferry", 2)
    assert first.encoded == 5  # four articles and a question
    assert ChunkIndex(index, second, tmp_path).search("ferry", 2) == before
    assert second.encoded == 1
    (file,) = tmp_path.glob("*.npy")
    file.write_bytes(file.read_bytes()[:-9])
    assert ChunkIndex(index, second, tmp_path).search("ferry", 2) == before
    assert second.encoded == 1 + 5
