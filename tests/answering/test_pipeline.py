"""The answering flow, with a scripted model: evidence, verified claims, refusals, cancelling."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from scripted import Drafting
from valley import check

from rag.answering.pipeline import Rag
from rag.answering.run import Retrieval, Run
from rag.config import Config
from rag.errors import IndexMissing, InputError, ModelError, UnknownName
from rag.models.encoder import Encoder
from rag.types import Answer, ClaimVerified, EvidenceFound, Turn

DENIALS = (
    "Captain Ivo Brandt said that the crew could not yet say when the harbour would open.",
    "Fresh fish cannot be sold on the quay after noon.",
    "The town council will not pay for the lamps.",
    "The trawler Wren was not insured, its owner said.",
    "Boats may land at any hour, and the ice house sells salt.",
)
REPAIRS = "Mayor Ann Okoye said repairs would cost about $4 million."


def test_evidence_comes_first_then_claims_then_the_answer(opened: Drafting) -> None:
    rag, generator = opened("Ann Okoye said repairs would cost about $4 million. [1]")
    events = list(rag.stream("How much would the repairs cost?"))
    evidence, claim, answer = events
    assert isinstance(evidence, EvidenceFound)
    assert evidence.evidence[0].quote == REPAIRS
    assert isinstance(claim, ClaimVerified)
    assert claim.claim.text == "Ann Okoye said repairs would cost about $4 million."
    assert claim.claim.verdict == "supported"
    assert [citation.quote for citation in claim.citations] == [REPAIRS]
    assert isinstance(answer, Answer)
    assert answer.text == "Ann Okoye said repairs would cost about $4 million. [1]"
    assert not answer.declined
    assert answer.evidence == evidence.evidence
    check(rag, answer)
    assert generator.calls[0].quotes == [e.quote for e in evidence.evidence[:3]]
    assert generator.calls[0].tokens == rag.config.answer_tokens


def test_a_question_in_parts_gets_more_sentences(opened: Drafting) -> None:
    rag, generator = opened("Not found", "Not found")
    rag.answer("How much would the repairs cost?")
    rag.answer("How much would the repairs cost, and who said so?")
    assert [len(call.quotes) for call in generator.calls] == [3, 5]


def test_a_question_in_another_language_is_told_so(opened: Drafting) -> None:
    rag, generator = opened("The repairs would cost about $4 million. [1]")
    answer = rag.answer("¿Cuánto cuesta la reparación y quién es la alcaldesa de los pueblos?")
    assert answer.declined
    assert "seems to be in Spanish" in answer.text
    assert answer.evidence
    assert not generator.calls


def test_claims_are_shown_while_the_draft_grows(opened: Drafting) -> None:
    pieces = [
        "Ann Okoye said repairs would cost about $4 million. [1] The",
        " bridge opened in 1931.",
    ]
    rag, _ = opened(pieces)
    stream = rag.stream("How much would the bridge repairs cost?")
    next(stream)
    first = next(stream)
    assert isinstance(first, ClaimVerified)
    assert first.claim.text == "Ann Okoye said repairs would cost about $4 million."
    *_, answer = stream
    assert isinstance(answer, Answer)
    assert [claim.text for claim in answer.claims][1].startswith("The bridge, opened in 1931")
    check(rag, answer)


def test_a_false_claim_is_never_shown(opened: Drafting) -> None:
    rag, _ = opened("Mayor Ann Okoye said repairs would cost about $5 million. [1]")
    answer = rag.answer("How much would the repairs cost?")
    assert [claim.text for claim in answer.claims] == [REPAIRS]
    assert answer.claims[0].verdict == "quoted"
    check(rag, answer)


def test_a_claim_with_a_wrong_name_is_replaced_by_the_sentence(opened: Drafting) -> None:
    rag, _ = opened("Governor Okoye said repairs would cost about $4 million. [1]")
    answer = rag.answer("How much would the repairs cost?")
    assert "Governor" not in answer.text
    assert answer.claims[0].verdict == "quoted"
    assert answer.claims[0].text == REPAIRS
    check(rag, answer)


@pytest.mark.parametrize("draft", ["Not found.", "Not found", "The sentences do not mention it."])
def test_the_model_may_refuse(opened: Drafting, draft: str) -> None:
    rag, _ = opened(draft)
    answer = rag.answer("Who built the bridge?")
    assert answer.declined
    assert answer.claims == ()
    assert answer.citations == ()
    assert answer.evidence
    assert answer.reason
    assert answer.reason in answer.text
    check(rag, answer)


@pytest.mark.parametrize("draft", ["Not found", "Not found."])
def test_a_refusal_stands_for_a_yes_or_no_question_too_and_lowers_the_confidence(
    opened: Drafting, draft: str
) -> None:
    rag, _ = opened(draft)
    question = "Was the Harbour Bridge in Maldon closed on Sunday?"  # nothing could be nearer
    evidence, answer = rag.stream(question)
    assert isinstance(evidence, EvidenceFound)
    assert isinstance(answer, Answer)
    assert answer.declined
    assert answer.claims == ()
    assert answer.confidence < evidence.confidence


def test_a_verified_claim_raises_the_confidence(opened: Drafting) -> None:
    rag, _ = opened("The repairs would cost about $4 million. [1]")
    evidence, _, answer = rag.stream("How much would the repairs cost?")
    assert isinstance(evidence, EvidenceFound)
    assert isinstance(answer, Answer)
    assert evidence.confidence < answer.confidence < 1


def test_a_draft_that_refuses_and_answers_leaves_the_confidence(opened: Drafting) -> None:
    rag, _ = opened("The repairs would cost about $4 million. [1] Not found.")
    evidence, _, answer = rag.stream("How much would the repairs cost?")
    assert isinstance(evidence, EvidenceFound)
    assert isinstance(answer, Answer)
    assert answer.confidence == evidence.confidence


def test_an_answer_that_something_was_not_found_is_no_refusal(
    opened: Drafting, articles: Path
) -> None:
    said = "The missing climber was not found on Sunday, the rescuers said."
    (articles / "climber.txt").write_text(f"Search on Mount Tarn\n\n{said}\n", encoding="utf-8")
    rag, _ = opened("The missing climber was not found on Sunday. [1]")
    answer = rag.answer("Was the missing climber found?")
    assert not answer.declined
    assert [claim.text for claim in answer.claims] == [said]


@pytest.mark.parametrize("draft", ["", "Penguins live in Antarctica.", "Yes.", "[7]"])
def test_a_draft_without_support_declines(opened: Drafting, draft: str) -> None:
    rag, _ = opened(draft)
    answer = rag.answer("Who built the bridge?")
    assert answer.declined
    assert answer.claims == ()
    assert answer.reason


def test_a_question_far_from_the_articles_never_reaches_the_model(
    opened: Drafting, config: Config
) -> None:
    rag, generator = opened(settings=config, decline_below=0.5)
    answer = rag.answer("Quantum chromodynamics gluon confinement?")
    assert answer.declined
    assert answer.confidence < 0.5
    assert generator.calls == []


def test_cancel_before_the_draft_ends_the_answer(opened: Drafting) -> None:
    rag, _ = opened(
        ["Ann Okoye said repairs would cost about $4 million. [1] ", "More.", "Never read."]
    )
    cancel = threading.Event()
    events = []
    for event in rag.stream("How much would the repairs cost?", cancel=cancel):
        events.append(event)
        if isinstance(event, ClaimVerified):
            cancel.set()
    answer = events[-1]
    assert isinstance(answer, Answer)
    assert [claim.text for claim in answer.claims] == [
        "Ann Okoye said repairs would cost about $4 million."
    ]
    assert not answer.declined


def test_a_failing_model_is_an_error_not_an_answer(opened: Drafting) -> None:
    rag, _ = opened(ModelError("The model is gone."))
    with pytest.raises(ModelError, match="gone"):
        rag.answer("How much would the repairs cost?")


def test_a_follow_up_is_searched_together_with_its_question(opened: Drafting) -> None:
    rag, generator = opened("Tickets cost nine euros.")
    history = [Turn("user", "Is there a ferry to Lisk?"), Turn("assistant", "Yes. [1]")]
    answer = rag.answer("And how much is it?", history=history)
    assert answer.evidence[0].article == "ferry.txt"
    assert generator.calls[0].before == [history[0].text]


def test_extractive_quotes_the_best_sentence(
    articles: Path, config: Config, tmp_path: Path
) -> None:
    settings = replace(config, generator="extractive", decline_below=0.0)
    with Rag.for_articles(articles, settings, tmp_path / "index") as rag:
        answer = rag.answer("How much would the repairs cost?")
        assert answer.claims[0].text == REPAIRS
        assert {claim.verdict for claim in answer.claims} == {"quoted"}
        assert answer.models["generator"] == "extractive"
        check(rag, answer)


@pytest.mark.parametrize("question", ["", "   \n", "\0"])
def test_an_empty_question(opened: Drafting, question: str) -> None:
    rag, _ = opened()
    with pytest.raises(InputError, match="empty"):
        rag.answer(question)
    with pytest.raises(InputError, match="empty"):
        rag.search(question)


def test_a_question_of_20000_characters(opened: Drafting) -> None:
    rag, _ = opened()
    with pytest.raises(InputError, match=r"20,000.*2,000"):
        rag.answer("x" * 20_000)


@pytest.mark.parametrize(
    "question",
    [
        "\ud800 repairs?",
        "修理费用是多少？",
        "Сколько стоит ремонт?",
        "؟كم تكلفة الإصلاح",
        "🚢?",
        "?!",
    ],
)
def test_strange_questions_get_an_answer(opened: Drafting, question: str) -> None:
    rag, _ = opened("Not found.")
    answer = rag.answer(question)
    json.dumps(answer.to_dict()).encode("utf-8")
    assert answer.declined


def test_search_gives_passages_and_evidence_in_final_order(opened: Drafting) -> None:
    rag, _ = opened()
    found = rag.search("How much would the repairs cost?", k=3)
    assert found.evidence[0].quote == REPAIRS
    assert len(found.evidence) == 3
    assert len(found.passages) == 3
    for scored in (found.evidence, found.passages):
        scores = [item.score for item in scored]
        assert scores == sorted(scores, reverse=True)
    first = found.passages[0]
    assert rag.article(first.article).text[first.start : first.end].count(REPAIRS) == 1
    assert set(found.to_dict()) == {"question", "confidence", "passages", "evidence"}


def test_the_row_of_an_answer(opened: Drafting) -> None:
    rag, _ = opened("The repairs would cost about $4 million. [1]")
    row = json.loads(json.dumps(rag.answer("How much would the repairs cost?").to_dict()))
    assert set(row) == set(
        (
            "question answer declined reason confidence claims citations evidence notes timings_ms "
            "models"
        ).split()
    )
    assert set(row["claims"][0]) == {"text", "citations", "verdict", "support", "repair"}
    assert set(row["citations"][0]) == set(
        "number article title published start end quote support also_in page url answer".split()
    )
    assert set(row["evidence"][0]) == set(
        "article title published start end quote score also_in page url answer".split()
    )
    assert set(row["timings_ms"]) == set(
        "retrieve first_evidence first_token generate verify total".split()
    )


def test_opening_what_is_not_there(config: Config, tmp_path: Path) -> None:
    with pytest.raises(IndexMissing, match="python -m rag index"):
        Rag.open(tmp_path / "nothing", config)


def test_unknown_names(articles: Path, config: Config, tmp_path: Path) -> None:
    with pytest.raises(UnknownName, match=r"gpt.*extractive, llamacpp"):
        Rag.for_articles(articles, replace(config, generator="gpt"), tmp_path / "index")
    with pytest.raises(UnknownName, match=r"oracle.*none, rules"):
        Rag.for_articles(
            articles, replace(config, verifier="oracle", generator="extractive"), tmp_path / "index"
        )


def test_several_threads_get_their_own_answers(opened: Drafting) -> None:
    rag, _ = opened(*["Not found."] * 16)
    asked = ["How much would the repairs cost?", "When does the ferry to Lisk leave?"]
    best: list[tuple[str, str]] = []

    def ask(question: str) -> None:
        best.append((question, rag.answer(question).evidence[0].article))

    threads = [threading.Thread(target=ask, args=(asked[n % 2],)) for n in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(best) == {(asked[0], "bridge.txt"), (asked[1], "ferry.txt")}
    assert len(best) == 16


def test_a_follow_up_is_searched_with_what_it_follows_on(opened: Drafting) -> None:
    rag, generator = opened("Mayor Ann Okoye said so. [1]")
    history = [
        Turn("user", "How much would the repairs cost?"),
        Turn("assistant", "Repairs would cost about $4 million."),
    ]
    answer = rag.answer("Who said that?", history=history)
    assert answer.evidence[0].quote == REPAIRS
    assert [citation.quote for citation in answer.citations] == [REPAIRS]
    assert generator.calls[0].question == "Who said that?"
    found = rag.search("Who said that?", history=history)
    assert found.question == "Who said that?"
    assert found.evidence == answer.evidence
    assert rag.search("Who said that?").evidence != found.evidence


def test_what_the_question_before_said_already_is_no_answer_to_the_next(opened: Drafting) -> None:
    closed = "The Harbour Bridge in Maldon was closed on Friday. [1]"
    rag, _ = opened(closed, closed)
    before = [Turn("user", "Was the Harbour Bridge in Maldon closed on Friday?")]
    assert rag.answer("Why?").claims
    assert not rag.answer("Why?", history=before).claims


def test_a_question_that_says_not_which_is_answered_and_asked_back(
    opened: Drafting, articles: Path
) -> None:
    for place in ("Tarn", "Rilla"):
        text = f"The bridge of {place}\n\nThe bridge of {place} carries 900 cars a day.\n"
        (articles / f"{place}.txt").write_text(text, encoding="utf-8")
    rag, _ = opened("The bridge carries 900 cars a day. [1]", "Not found", "Not found")
    answer = rag.answer("How many cars does this bridge carry a day?")
    assert answer.claims
    assert "Which one do you mean?" in answer.notes[-1]
    assert all(f"“The bridge of {place}”" in answer.notes[-1] for place in ("Tarn", "Rilla"))
    assert answer.text.endswith(answer.notes[-1])
    check(rag, answer)
    declined = rag.answer("How was this bridge painted?")
    assert declined.declined
    assert [note[-23:] for note in declined.notes[1:]] == [" Which one do you mean?"]
    assert len(rag.answer("How was the bridge of Tarn painted?").notes) == 1


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("Who couldn't say when the harbour would open?", DENIALS[0]),
        ("What can't be sold after noon?", DENIALS[1]),
        ("What won't the town council pay for?", DENIALS[2]),
        ("Which boat wasn't insured?", DENIALS[3]),
    ],
)
def test_a_negation_in_the_question_is_no_reason_to_refuse(
    articles: Path, config: Config, tmp_path: Path, minilm: Encoder, question: str, answer: str
) -> None:
    text = "The harbour of Lisk\nPublished: 2024-04-02\n\n" + " ".join(DENIALS)
    (articles / "harbour.txt").write_text(text, encoding="utf-8")
    real = replace(config, encoder="all-MiniLM-L6-v2")
    with Rag.for_articles(articles, real, tmp_path / "index", encoder=minilm) as rag:
        told = rag.answer(question)
    assert not told.declined, told.confidence
    assert answer in told.text


def test_a_stage_is_timed_from_its_start_or_from_that_of_the_question(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = iter([10.5, 12.0, 13.0])
    counter = SimpleNamespace(perf_counter=lambda: next(clock))
    monkeypatch.setattr("rag.answering.run.time", counter)
    run = Run("Why?", {}, started=10.0)
    begun = run.mark("retrieve")
    assert begun == 10.5
    assert run.mark("generate", begun) == 12.0
    answer = run.answer()
    assert answer.timings_ms == {"retrieve": 500.0, "generate": 1500.0, "total": 3000.0}


def test_a_refusal_gives_its_reason_and_an_answer_has_none() -> None:
    run = Run("Why?", {"model": "m"}, retrieval=Retrieval(confidence=0.4), remarks=("Which one?",))
    declined = run.decline("They do not say.")
    assert declined.declined
    assert declined.reason == "They do not say."
    assert declined.reason in declined.notes[0]
    assert declined.notes[1:] == ("Which one?",)
    assert (declined.confidence, declined.models) == (0.4, {"model": "m"})
    answered = run.answer(notes=("The articles disagree.",))
    assert not answered.declined
    assert answered.reason is None
    assert answered.notes == ("The articles disagree.", "Which one?")
