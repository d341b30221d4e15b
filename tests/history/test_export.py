"""A conversation as Markdown and JSON, and ratings as questions that an evaluation reads."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
from fake_rag import ARTICLES, HOSTILE, FakeRag, article
from test_kept import asked

from rag import texts
from rag.cli.main import main
from rag.errors import InputError, RagError
from rag.evaluation.cases import load_parts
from rag.history.export import as_json, as_markdown
from rag.history.feedback import GOOD, NOT_GOOD, Feedback
from rag.history.rows import Conversation, Header
from rag.types import Article

MOMENT = "2024-05-03T10:00:00+00:00"


def kept(*questions: str, title: str = "Ferries") -> Conversation:
    exchanges = asked(*questions)
    return Conversation(Header("x" * 16, title, MOMENT, MOMENT, len(exchanges)), exchanges)


# -- exports ----------------------------------------------------------------------------------


def test_markdown_has_every_reference() -> None:
    exported = kept("When, and what price?", "Who landed on the moon?", "Is it broken?")
    first, *others = exported.exchanges
    cited = tuple(replace(c, page=3, url="https://example.org/f") for c in first.citations)
    exchanges = (replace(first, citations=cited, rating="up", note="*very* good"), *others)
    text = as_markdown(replace(exported, exchanges=exchanges), FakeRag().article)
    assert text.startswith("# Ferries\n\nBegun 2024-05-03, with Footnote.\n\n## When, and what")
    assert "\nThe ferry leaves Split at seven. \\[1\\]\n" in text
    assert "\n> Children travel free. \\[3\\]\n" in text
    assert "The articles give two prices." in text
    start = first.citations[1].start
    assert (
        "- \\[2\\] “Tickets cost nine euros in summer and six in winter.”\n"
        "  The morning ferry to Hvar, Coast, 2024-06-03, page 3\n"
        "  <https://example.org/f>\n"
        f"  ferry.txt, characters {start}–{start + 52}\n" in text
    )
    assert "Rated good: \\*very\\* good" in text
    assert "**The articles do not say.** Nothing is said about the moon." in text
    assert "### Nearest sentences" in text
    assert "No answer: The model file qwen.gguf is damaged" in text


def test_json_has_every_reference_and_offsets_that_hold() -> None:
    exported = kept("When?")
    row = json.loads(as_json(exported, FakeRag().article))
    assert (row["title"], row["begun"]) == ("Ferries", MOMENT)
    [exchange] = row["exchanges"]
    assert [claim["citations"] for claim in exchange["claims"]] == [[1], [2, 1], [3]]
    text = FakeRag().article("ferry.txt").text
    for cited in exchange["citations"]:
        assert text[cited["start"] : cited["end"]] == cited["quote"]
        assert (
            cited.items()
            >= {
                "article": "ferry.txt",
                "title": "The morning ferry to Hvar",
                "source": "Coast",
                "published": "2024-06-03",
                "page": None,
                "url": None,
                "changed_since": False,
            }.items()
        )


def test_exports_say_what_has_changed_and_outlive_the_article() -> None:
    exported = kept("When?")
    [exchange] = exported.exchanges
    lost = frozenset((c.article, c.start, c.end) for c in exchange.citations[:1])
    exported = replace(exported, exchanges=(replace(exchange, changed=lost),))
    empty = FakeRag(articles=())
    assert as_markdown(exported, empty.article).count(texts.CHANGED) == 1
    [row] = json.loads(as_json(exported, empty.article))["exchanges"]
    assert [cited["changed_since"] for cited in row["citations"]] == [True, False, False]
    assert {cited["source"] for cited in row["citations"]} == {None}


@pytest.mark.parametrize(
    "text",
    [
        HOSTILE,
        "![x](http://example.org/x.png)",
        "[a](javascript:alert(1))",
        "# not a title",
        "- not a list",
        "12. nor this",
        "> nor a quote",
        "`code` ~~~ $x$",
        "a\n\n# b",
        "half \ud83d",
    ],
)
def test_markdown_of_untrusted_text_has_no_markup(text: str) -> None:
    exported = kept("When?", title=text)
    [exchange] = exported.exchanges
    cited = tuple(
        replace(c, title=text, quote=text, url=text, article=text) for c in exchange.citations
    )
    claims = tuple(replace(claim, text=text) for claim in exchange.claims)
    exchange = replace(exchange, question=text, citations=cited, claims=claims, note=text)
    exported = replace(exported, exchanges=(replace(exchange, rating="down"),))
    marked = as_markdown(exported, FakeRag().article)
    plain = re.sub(r"\\.", "", marked)  # without what is escaped
    assert not re.search(r"[<`~$]|!\[|\]\(", plain)
    assert len(re.findall(r"(?m)^#", plain)) == 3  # the title, the question, the sources
    assert not re.search(r"(?m)^\d+[.)] ", marked)
    json.loads(as_json(exported, FakeRag().article))


# -- ratings ----------------------------------------------------------------------------------


def rows(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def rated(folder: Path, rating: str | None, question: str = "When?", note: str = "") -> Feedback:
    feedback = Feedback(folder)
    earlier = asked("What else?")
    exchange = replace(asked(question)[0], number=2, rating=rating, note=note)  # type: ignore[arg-type]
    feedback.rate("c" * 16, exchange, earlier, FakeRag().article)
    return feedback


def test_a_good_answer_makes_its_cited_sentences_gold(tmp_path: Path) -> None:
    rated(tmp_path, "up", note="exactly")
    [part, _], articles = load_parts(tmp_path)
    [case] = part.cases
    assert (case.id, case.question, case.answerable) == (f"{'c' * 16}-2", "When?", True)
    assert case.history is not None
    assert case.history[0].text == "What else?"
    text = (articles / "ferry.txt").read_text("utf-8")
    assert text == ARTICLES[0].text
    assert [text[span.start : span.end] for span in case.gold] == [
        "The ferry to Hvar leaves Split every morning at seven.",
        "Tickets cost nine euros in summer and six in winter.",
        "Children travel free.",
    ]
    assert rows(tmp_path / GOOD)[0]["meta"]["note"] == "exactly"  # type: ignore[index]


def test_a_rating_can_be_changed_and_taken_back(tmp_path: Path) -> None:
    rated(tmp_path, "up")
    rated(tmp_path, "up", note="twice")
    assert len(rows(tmp_path / GOOD)) == 1
    rated(tmp_path, "down", note="It leaves at eight.")
    assert rows(tmp_path / GOOD) == []
    [row] = rows(tmp_path / NOT_GOOD)
    assert row["answerable"] is None  # a person has to say
    assert row["meta"]["note"] == "It leaves at eight."  # type: ignore[index]
    assert len(row["meta"]["cited"]) == 3  # type: ignore[index]
    rated(tmp_path, None)
    assert rows(tmp_path / NOT_GOOD) == []


def test_a_good_refusal_is_a_question_without_an_answer(tmp_path: Path) -> None:
    rated(tmp_path, "up", "Who landed on the moon?")
    [part, _], _ = load_parts(tmp_path)
    [case] = part.cases
    assert (case.answerable, case.unanswerable_kind, case.gold) == (False, "visitor", ())


def test_gold_holds_after_the_article_is_edited(tmp_path: Path) -> None:
    rated(tmp_path, "up")
    edited = replace(ARTICLES[0], text="New. " + ARTICLES[0].text)
    exchange = replace(asked("Now?", rag=FakeRag([edited]))[0], rating="up")
    Feedback(tmp_path).rate("d" * 16, exchange, (), FakeRag([edited]).article)
    [part, _], _ = load_parts(tmp_path)
    assert len(part.cases) == 2
    assert not part.refused
    with pytest.raises(InputError, match="no longer has"):
        Feedback(tmp_path).rate("e" * 16, exchange, (), FakeRag().article)


@pytest.mark.parametrize(
    "path",
    [
        "../../evil.txt",
        "/etc/evil.txt",
        "a.zip/../b.txt",
        ".x/a.txt",
        "news.csv/17",
        "a" * 300 + ".txt",
        "report.pdf",
    ],
)
def test_copies_of_articles_stay_in_their_folder(tmp_path: Path, path: str) -> None:
    odd = replace(article("x", "T", "Five ferries. More of them. Another one.\n"), path=path)

    def read(_path: str) -> Article:
        return odd

    [exchange] = asked("When?", rag=FakeRag([replace(odd, path="ferry.txt")]))
    cited = tuple(replace(c, article=path) for c in exchange.citations)
    rated = replace(exchange, rating="up", citations=cited)
    Feedback(tmp_path / "ratings").rate("c" * 16, rated, (), read)
    made = [file for file in tmp_path.rglob("*") if file.is_file()]
    assert len(made) == 2
    assert all(tmp_path / "ratings" in file.parents for file in made)
    [part, _], _ = load_parts(tmp_path / "ratings")
    assert len(part.cases[0].gold) == 3


def test_somebody_elses_lines_are_left_as_they_are(tmp_path: Path) -> None:
    (tmp_path / GOOD).write_text('not json\n{"id": "mine"}\n', "utf-8")
    rated(tmp_path, "up")
    assert (tmp_path / GOOD).read_text("utf-8").startswith('not json\n{"id": "mine"}\n{"id": "ccc')


def test_a_missing_article_is_said(tmp_path: Path) -> None:
    exchange = replace(asked("When?")[0], rating="up")
    with pytest.raises(RagError, match=r"ferry\.txt"):
        Feedback(tmp_path).rate("c" * 16, exchange, (), FakeRag(articles=()).article)


def test_an_evaluation_runs_on_the_ratings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "ratings"
    rated(folder, "up", "When does the ferry to Hvar leave Split?")
    exchange = replace(asked("Who landed on the moon?")[0], rating="up")
    Feedback(folder).rate("m" * 16, exchange, (), FakeRag().article)
    arguments = ["--encoder", "hashed", "--generator", "extractive", "--cache", "cache"]
    assert main(["eval", str(folder), *arguments, "--output", "r.json"]) == 0
    saved = json.loads(Path("r.json").read_bytes())
    assert saved["parts"]["answers"]["n"] == 2
    assert saved["parts"]["answers"]["refused_rows"] == []
    assert "evidence_recall@10" in capsys.readouterr().out
