"""Evaluation: cases are checked against their articles, rows scored, the result holds no text."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from rag.cli.main import main
from rag.config import Config
from rag.errors import InputError
from rag.evaluation.cases import load_part, load_parts
from rag.evaluation.measures import METRICS_OF, measure
from rag.evaluation.metrics import Span
from rag.evaluation.run import Evaluation, evaluate, file_name, index_dir, save
from rag.index.manifest import default_index_dir
from rag.index.sync import sync
from rag.ingest.formats import FORMATS
from rag.models.encoder import load_encoder
from rag.types import Answer, Citation, Claim, Evidence, Hit, SearchResult, Turn

TEXT = "A title\r\n\r\nOslo has a fjord. It rains in Bergen. The harbour is old.\r\n"
FJORD, RAIN, HARBOUR = "Oslo has a fjord.", "It rains in Bergen.", "The harbour is old."


def gold(*quotes: str, article: str = "norway") -> list[dict[str, Any]]:
    return [
        {"article_id": article, "start": at, "end": at + len(quote), "text": quote}
        for quote in quotes
        if (at := TEXT.index(quote)) >= 0
    ]


def question(identity: str, answers: list[str], evidence: list[Any], **more: Any) -> dict[str, Any]:
    return {
        "id": identity,
        "question": f"{identity}?",
        "answers": answers,
        "evidence": evidence,
        "answerable": bool(answers),
        "unanswerable_kind": None,
        "evidence_mode": "any",
        "history": None,
        "meta": {"kind": "direct"},
        "answer_type": "short",
        "article_ids": ["norway"],
        "evidence_kind": "gold_sentence",
        **more,
    }


ROWS = [
    question("right", ["Oslo"], gold(FJORD)),
    question("half", ["rains"], gold(RAIN, HARBOUR), evidence_mode="all"),
    question("refused", ["old"], gold(HARBOUR), meta={"kind": "why", "date": "2024-01-01"}),
    question("near", [], [], unanswerable_kind="near", meta={"kind": "near_swapped"}),
    question("far", [], [], unanswerable_kind="far", meta={"kind": "far"}),
]


@dataclass
class FakeRag:
    """Cites rightly for "right" and "half", once wrongly for "half"; answers "near" too."""

    config: Config = field(default_factory=Config)
    manifest: dict[str, Any] = field(default_factory=dict)
    asked: list[tuple[str, Any]] = field(default_factory=list)

    def answer(self, question: str, *, history: Any = None, date: str | None = None) -> Answer:
        self.asked.append((question, date))
        texts, quotes, sure = {
            "right?": (["Oslo does."], [FJORD], 0.9),
            "half?": (["It rains", "and more."], [RAIN, FJORD], 0.8),
            "near?": (["It is Oslo."], [FJORD], 0.7),
            "refused?": ([], [], 0.2),
            "far?": ([], [], 0.1),
        }[question]
        claims = tuple(Claim(text, (n,), "supported", 1) for n, text in enumerate(texts, 1))
        citations = tuple(self._citation(n, quote) for n, quote in enumerate(quotes, 1))
        timings = {"total": 100.0 * sure}
        return Answer(question, claims, citations, (), not texts, None, sure, (), timings)

    @staticmethod
    def _citation(number: int, quote: str) -> Citation:
        at = TEXT.index(quote)
        return Citation(number, "norway.txt", "A title", None, at, at + len(quote), quote, 1.0)

    def search(
        self,
        question: str,
        k: int = 10,
        *,
        history: Any = None,
        date: str | None = None,
    ) -> SearchResult:
        self.asked.append((question, date))
        at = TEXT.index(RAIN)
        sure = 0.9 if question in {"right?", "half?", "refused?"} else 0.1
        rain = Evidence("norway.txt", "A title", None, at, at + len(RAIN), RAIN, 0.5)
        hit = Hit(1, "norway.txt", 0, at + len(RAIN), 1.0)
        return SearchResult(question, sure, (hit,), (rain,))


@pytest.fixture
def articles(tmp_path: Path) -> Path:
    folder = tmp_path / "set" / "articles"
    folder.mkdir(parents=True)
    (folder / "norway.txt").write_text(TEXT, encoding="utf-8", newline="")
    return folder


def write(path: Path, *rows: object) -> Path:
    lines = (row if isinstance(row, str) else json.dumps(row) for row in rows)
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


def run(rag: FakeRag, articles: Path, name: Any = "answers", rows: Any = ROWS) -> Evaluation:
    part = load_part(name, write(articles.parent / "rows.jsonl", *rows), articles)
    assert not part.refused
    cache = articles.parent / "cache"
    return evaluate(rag, [part], articles, name="norway", cache=cache)


def scored(*arguments: Any) -> dict[str, Any]:
    done: dict[str, Any] = run(*arguments).result["parts"]
    return dict(next(iter(done.values())))


# What is asked


def test_cases(articles: Path) -> None:
    source = write(articles / "q", *ROWS)
    part = load_part("answers", source, articles)
    cases = part.cases
    assert part.refused == ()
    assert cases[0].gold == (Span("norway.txt", 11, 28),)
    assert cases[0].articles == ("norway.txt",)
    assert (cases[2].date, cases[2].kind) == ("2024-01-01", "why")
    assert (cases[4].kind, cases[4].unanswerable_kind, cases[4].articles) == ("far", "far", ())
    assert len(load_part("answers", source, articles, limit=2).cases) == 2


def test_history_is_read(articles: Path) -> None:
    row = question("right", ["Oslo"], [], history=[{"role": "user", "text": "And before?"}])
    (case,) = load_part("answers", write(articles / "q", row), articles).cases
    assert case.history == (Turn("user", "And before?"),)


def test_rows_that_do_not_fit_their_articles_are_refused_with_the_reason(articles: Path) -> None:
    moved = [{**gold(FJORD)[0], "start": 10}]
    bad = [
        question("moved", ["x"], moved),
        question("nowhere", ["x"], gold(FJORD, article="sweden")),
        question("mode", ["x"], gold(FJORD), evidence_mode="some"),
        {"id": "bare", "question": "?"},
        "",
        "{",
        "[]",
        question("dated", [], [], meta={"date": "tomorrow"}),
        {**question("silent", [], []), "question": 5},
        ROWS[0],
        ROWS[0],
    ]
    part = load_part("answers", write(articles / "q", *bad), articles)
    assert [case.id for case in part.cases] == ["right"]
    assert [(refused.line, refused.id) for refused in part.refused] == [
        (1, "moved"),
        (2, "nowhere"),
        (3, "mode"),
        (4, "bare"),
        (6, None),
        (7, None),
        (8, "dated"),
        (9, "silent"),
        (11, "right"),
    ]
    reasons = [str(refused) for refused in part.refused]
    assert reasons[0] == "line 1 (moved): its evidence does not stand at norway.txt 10–28"
    assert reasons[1].startswith("line 2 (nowhere): its article cannot be read (No such file")
    assert "'some'" in reasons[2]
    assert reasons[3] == "line 4 (bare): it has no 'evidence_mode'"
    assert reasons[4].startswith("line 6: the row is not JSON")
    assert "tomorrow" in reasons[6]
    assert reasons[8].endswith("an earlier row has the same id")
    with pytest.raises(InputError, match=r"No row of .*q can be used \(line 1 \(moved\)"):
        load_part("answers", write(articles / "q", *bad[:9]), articles)


def test_claims(articles: Path) -> None:
    rows = [
        {
            "id": "yes",
            "claim": RAIN,
            "label": "supported",
            "article_id": "norway",
            "supporting_sets": [gold(RAIN)],
        },
        {
            "id": "no",
            "claim": "It snows.",
            "label": "not_supported",
            "article_id": "norway",
            "supporting_sets": None,
        },
        {"id": "lost", "claim": "It snows.", "label": "not_supported", "article_id": "sweden"},
    ]
    part = load_part("claims", write(articles / "q", *rows), articles)
    yes, no = part.cases
    assert (yes.question, yes.answerable, yes.kind) == (RAIN, True, "supported")
    assert (len(yes.gold), yes.articles) == (1, ("norway.txt",))
    assert (no.answerable, no.kind, no.gold) == (False, "not_supported", ())
    assert [refused.id for refused in part.refused] == ["lost"]


def test_the_parts_of_a_set(articles: Path) -> None:
    name = articles.parent

    def parts(*arguments: Any) -> list[str]:
        return [part.name for part in load_parts(name, *arguments)[0]]

    with pytest.raises(InputError, match=r"no claims.jsonl or questions.jsonl or sample.jsonl in"):
        parts()
    own = write(name / "own", *ROWS)
    assert parts("all", own) == ["retrieval", "answers"]
    with pytest.raises(InputError, match=r"There is no \S*none; name one with --questions"):
        parts("all", name / "none")
    write(name / "questions.jsonl", *ROWS)
    assert parts() == ["retrieval", "answers"]  # both over the same file
    write(name / "sample.jsonl", *ROWS[:2])
    loaded, folder = load_parts(name)
    assert folder == articles
    assert [len(part.cases) for part in loaded] == [5, 2]
    assert parts("answers") == ["answers"]
    with pytest.raises(InputError, match=r"no claims\.jsonl"):
        parts("claims")
    with pytest.raises(InputError, match=r"There is no folder of articles .*none; name one with"):
        load_parts(name, articles=name / "none")


def test_questions_that_name_nothing_are_not_asked_of_all_articles(articles: Path) -> None:
    vague = question("vague", ["x"], gold(FJORD), meta={"has_entity": False})
    clear = question("right", ["x"], gold(FJORD), meta={"has_entity": True})
    source = write(articles / "q", vague, clear)
    retrieval = load_part("retrieval", source, articles)
    assert ([case.id for case in retrieval.cases], retrieval.ambiguous) == (["right"], 1)
    answers = load_part("answers", source, articles)
    assert (len(answers.cases), answers.ambiguous) == (2, 0)


# What comes out


def test_answers_are_scored(articles: Path) -> None:
    rag = FakeRag()
    part = scored(rag, articles)
    values = {name: (row["value"], row["n"]) for name, row in part["metrics"].items()}
    assert ("refused?", "2024-01-01") in rag.asked
    third = round(1 / 3, 4)
    assert values["answer_recall"] == (round(2 / 3, 4), 3)  # the refusal is 0
    assert values["exact_match"] == (0, 3)
    # "Oslo does" → 2/3; "It rains and more" → 2/5.
    assert values["token_f1"] == (round((2 / 3 + 2 / 5) / 3, 4), 3)
    assert values["citation_precision"] == (round(2 / 3, 4), 2)  # 1 of 1 and 1 of 2, pooled
    assert values["citation_gold_or_answer"] == (round(2 / 3, 4), 2)
    assert values["citation_recall"] == (0.75, 2)  # 1, and one of two that are both needed
    assert values["citation_f1"] == (round(2 * 2 / 3 * 0.75 / (2 / 3 + 0.75), 4), 2)
    assert values["citation_recall_of_all"] == (0.5, 3)
    assert values["rejection_rate"] == (0.5, 2)
    assert values["false_refusal_rate"] == (third, 3)
    assert values["auroc"] == (round(5 / 6, 4), 5)  # near .7 beats refused .2
    assert values["pointer_validity"] == (1, 3)
    assert values["mean_quote_length"] == ((17 + 19 + 17 + 17) / 4, 3)
    assert values["uncited_claim_rate"] == (0, 3)
    assert values["answer_characters"] == (round((10 + 18 + 11) / 3, 4), 3)
    # By confidence right, right, wrong (near), refused, wrong (far): risks 0, 0, 1/3, 1/2, 3/5.
    assert values["aurc"] == (round((1 / 3 + 1 / 2 + 3 / 5) / 5, 4), 5)
    assert part["curves"]["risk_coverage"] == [
        [0.2, 0],
        [0.4, 0],
        [0.6, third],
        [0.8, 0.5],
        [1, 0.6],
    ]
    # .1 and .7 are not answerable, .2, .8 and .9 are.
    assert part["curves"]["reliability"] == [
        [0.1, 0, 1],
        [0.2, 1, 1],
        [0.7, 0, 1],
        [0.8, 1, 1],
        [0.9, 1, 1],
    ]
    rejected = part["by_kind"]["rejection_rate by kind"]
    assert {kind: row["value"] for kind, row in rejected.items()} == {"near": 0, "far": 1}
    swapped = part["by_kind"]["rejection_rate by kind of question"]["near_swapped"]
    assert (swapped["value"], swapped["low"], swapped["n"]) == (0, 0, 1)
    assert 0.5 < swapped["high"] < 1  # one question tells little
    assert part["by_kind"]["answer_recall by kind"]["direct"]["value"] == 1
    assert part["by_kind"]["declined by kind"]["near_swapped"]["n"] == 1
    assert part["latency_ms"]["total"] == {"p50": 70.0, "p95": 88.0, "n": 5}
    assert {name: column[1] for name, column in part["questions"].items()} == {
        "id": "half",
        "answerable": 1,
        "confidence": 0.8,
        "declined": 0,
        "answer_recall": 1.0,
        "exact_match": 0.0,
        "token_f1": 0.4,
        "correct": 1.0,
        "hits": 1,
        "cited": 2,
        "citation_recall": 0.5,
        "citation_recall_of_all": 0.5,
        "citations": 2,
        "valid": 2,
        "quoted_characters": 36,
        "claims": 2,
        "uncited": 0,
        "characters": 18,
        "rejected": None,
        "falsely_refused": 0,
        "total_ms": 80.0,
        "held": 1,
    }
    low, high = (part["metrics"]["citation_recall"][key] for key in ("low", "high"))
    assert (low, high) == (0.5, 1)


def test_a_long_answer_is_not_looked_for_word_by_word(articles: Path) -> None:
    rows = [question("right", ["Oslo does"], gold(FJORD), answer_type="long")]
    part = scored(FakeRag(), articles, "answers", rows)
    assert part["metrics"]["token_f1"]["value"] == 1
    assert "answer_recall" not in part["metrics"]
    assert part["questions"]["correct"] == [None]


def test_retrieval_is_scored(articles: Path) -> None:
    rag = FakeRag()
    part = scored(rag, articles, "retrieval")
    values = {name: row["value"] for name, row in part["metrics"].items()}
    assert ("refused?", "2024-01-01") in rag.asked
    # The passage holds the sentences of "right" and one of the two of "half", not "refused".
    assert [values[f"passages_recall@{k}"] for k in (1, 3, 5, 10)] == [0.5] * 4
    assert values["passages_mrr@10"] == round(2 / 3, 4)
    assert values["evidence_recall@1"] == round(0.5 / 3, 4)
    assert values["evidence_mrr@10"] == round(1 / 3, 4)
    assert values["articles_recall@1"] == 1
    assert part["metrics"]["articles_recall@1"]["n"] == 3
    assert values["auroc"] == 1
    assert part["latency_ms"]["search"]["n"] == 5


def test_a_set_with_gold_articles_alone_reports_them(articles: Path) -> None:
    rows = [question("right", ["Oslo"], [], evidence_kind="gold_article_only")]
    values = scored(FakeRag(), articles, "retrieval", rows)["metrics"]
    assert values["articles_recall@1"]["value"] == 1
    assert "evidence_recall@1" not in values


def test_claims_are_judged_against_their_article(articles: Path) -> None:
    def claim(identity: str, text: str, label: str) -> dict[str, Any]:
        return {"id": identity, "claim": text, "label": label, "article_id": "norway"}

    rows = [
        claim("same", RAIN, "supported"),
        claim("else", "The king of Sweden abdicated.", "not_supported"),
        claim("more", "It rains in Bergen, said Astrid Lind.", "partially_supported"),
    ]
    part = scored(FakeRag(), articles, "claims", rows)
    table = part["questions"]
    assert table["supported"] == [1, 0, 0]
    assert table["passed"] == [1, 0, 0]
    assert table["found"] == [1, 1, 1]
    assert part["metrics"]["balanced_accuracy"]["value"] == 1
    assert part["metrics"]["auroc"]["value"] == 1
    assert part["by_kind"]["passed by label"]["partially_supported"]["value"] == 0


def test_a_claim_without_a_sentence_fails(articles: Path) -> None:
    (articles / "sweden.txt").write_text("Sweden\n\nIt snows.\n", encoding="utf-8")
    row = {"id": "a", "claim": "It snows.", "label": "supported", "article_id": "sweden"}
    table = scored(FakeRag(), articles, "claims", [row])["questions"]
    assert (table["found"], table["passed"], table["support"]) == ([0], [0], [0])


def test_every_metric_can_be_computed_again_from_the_result(articles: Path, tmp_path: Path) -> None:
    for name in ("retrieval", "answers"):
        done = run(FakeRag(), articles, name)
        save(done.result, tmp_path / "r.json")
        text = (tmp_path / "r.json").read_text(encoding="utf-8")
        assert '"id": ["right", "half", "refused", "near", "far"],\n' in text
        part = json.loads(text)["parts"][name]
        assert json.loads(text) == done.result
        for metric, row in part["metrics"].items():
            assert measure(METRICS_OF[name][metric], part["questions"]) == row


def test_the_result_says_how_it_was_made_and_holds_no_text(articles: Path) -> None:
    rag = FakeRag(Config(api_key="secret", base_url="http://secret"), {"articles_folder": "secret"})
    made = run(rag, articles).result
    assert (made["version"], made["set"], made["system"]) == (1, "norway", "footnote")
    assert made["machine"]["python"].startswith("3.")
    assert (made["index"]["articles"], len(made["index"]["articles_sha256"])) == (1, 64)
    text = json.dumps(made)
    for hidden in ("secret", "right?", FJORD, "Oslo"):
        assert hidden not in text
    commit = made["commit"]
    assert file_name(made) == f"norway-llamacpp-{commit}"
    assert file_name({**made, "system": "bm25"}) == f"norway-bm25-{commit}"
    assert file_name({**made, "parts": {"retrieval": {}}}) == f"norway-retrieval-{commit}"


def test_a_pointer_that_does_not_hold_is_found(articles: Path) -> None:
    part = load_part("answers", write(articles / "q", *ROWS), articles)
    (articles / "norway.txt").write_text("X" + TEXT, encoding="utf-8", newline="")
    made = evaluate(FakeRag(), [part], articles, cache=articles / "cache").result
    assert made["parts"]["answers"]["metrics"]["pointer_validity"]["value"] == 0


def test_rows_with_an_error_count_as_refused(articles: Path) -> None:
    class Broken(FakeRag):
        def answer(self, question: str, *, history: Any = None, date: str | None = None) -> Answer:
            raise InputError("no")

    part = scored(Broken(), articles)
    assert part["errors"] == 5
    assert part["metrics"]["answer_recall"]["value"] == 0
    assert part["metrics"]["false_refusal_rate"]["value"] == 1
    assert "citation_precision" not in part["metrics"]


# Going on


def test_an_evaluation_is_resumed_but_not_for_another_engine(articles: Path) -> None:
    first = scored(FakeRag(), articles)
    again = FakeRag()
    assert scored(again, articles)["metrics"] == first["metrics"]
    assert again.asked == []
    other = FakeRag(manifest={"generation": 2})
    run(other, articles)
    assert len(other.asked) == 5


def test_an_interrupted_evaluation_goes_on_after_the_last_row(articles: Path) -> None:
    class Stopped(FakeRag):
        def answer(self, question: str, *, history: Any = None, date: str | None = None) -> Answer:
            if len(self.asked) == 3:
                raise KeyboardInterrupt
            return super().answer(question, history=history, date=date)

    with pytest.raises(KeyboardInterrupt, match="the same command goes on"):
        run(Stopped(), articles)
    rest = FakeRag()
    part = scored(rest, articles)
    assert [question for question, _ in rest.asked] == ["near?", "far?"]
    assert part["n"] == 5


def test_the_index_lies_in_the_cache_unless_the_folder_has_one(
    articles: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    config = Config(encoder="hashed", store="numpy")
    usual, cached = default_index_dir(articles), index_dir(articles, config, tmp_path / "cache")
    assert cached.parent == tmp_path / "cache" / "indexes"
    sync(articles, usual, config, load_encoder("hashed"))
    assert index_dir(articles, config, tmp_path) == usual
    other = index_dir(articles, Config(encoder="hashed", passage_tokens=9), tmp_path / "cache")
    assert other.parent == cached.parent
    assert other != cached
    (usual / "store.sqlite").write_bytes(b"damaged" * 999)
    assert index_dir(articles, config, tmp_path / "cache") == cached


# The command


@pytest.fixture
def here(articles: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_HUB_DISABLE_PROGRESS_BARS"):
        monkeypatch.setenv(name, "1")  # set by the command line; put back after the test
    monkeypatch.setenv("MPLCONFIGDIR", str(tmp_path / "matplotlib"))
    monkeypatch.chdir(tmp_path)
    write(articles.parent / "sample.jsonl", *ROWS, {"id": "bare", "question": "?"})
    write(articles.parent / "questions.jsonl", *ROWS)
    return tmp_path


ARGUMENTS = ["eval", "set", "--cache", "cache", "--encoder", "hashed", "--generator", "extractive"]


def test_from_the_command_line(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*ARGUMENTS, "--output", "out/r.json"]) == 0
    out, err = capsys.readouterr()
    assert "## retrieval: 5 questions" in out
    assert "| answer_recall |" in out
    assert "Rows refused: 1." in out
    assert "answers, line 6 (bare): it has no 'evidence_mode'; left out." in err
    saved = json.loads((here / "out" / "r.json").read_bytes())
    assert list(saved["parts"]) == ["retrieval", "answers"]
    assert saved["parts"]["answers"]["refused_rows"][0]["line"] == 6
    assert saved["parts"]["answers"]["n"] == 5
    assert list((here / "cache" / "indexes").glob("articles-*/store.sqlite"))
    assert not (here / "embeddings").exists()
    assert main([*ARGUMENTS, "--task", "retrieval", "--limit", "3", "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed["parts"]["retrieval"]["n"] == 3
    assert printed["parts"]["retrieval"]["metrics"]["evidence_recall@10"]["value"] == 1
    assert list((here / "results").glob("set-retrieval-*.json"))


def test_the_page_lies_in_the_cache_or_where_it_is_wanted(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("matplotlib")
    assert main([*ARGUMENTS, "--output", "r.json"]) == 0
    (page,) = (here / "cache").glob("set-extractive-*.html")
    assert str(page.relative_to(here)) in capsys.readouterr().err
    assert "<svg" in page.read_text(encoding="utf-8")
    assert main([*ARGUMENTS, "--output", "r.json", "--task", "retrieval", "--html", "p"]) == 0
    assert (here / "p").is_file()


def test_without_matplotlib_the_numbers_still_come(
    here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    assert main([*ARGUMENTS, "--output", "r.json", "--task", "retrieval"]) == 0
    err = capsys.readouterr().err
    assert "pip install 'footnote-rag[eval]'" in err
    assert (here / "r.json").is_file()
    assert not list((here / "cache").glob("*.html"))


def test_a_set_without_articles_gets_one_clear_line(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (here / "set" / "articles" / "norway.txt").unlink()
    refused = [question("far", [], [])]
    write(here / "set" / "questions.jsonl", *refused)
    assert main([*ARGUMENTS, "--task", "retrieval"]) == 1
    err = capsys.readouterr().err
    assert err == f"No article ({FORMATS}) can be read in set/articles.\n"
    (here / "set" / "articles").rmdir()
    assert main(ARGUMENTS) == 1
    err = capsys.readouterr().err
    assert err == "There is no folder of articles set/articles; name one with --articles.\n"
