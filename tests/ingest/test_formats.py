"""Each format is read as its usual programs write it: text, title, date, author, address, pages."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Mapping
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import docx
import pytest

from rag.config import Config
from rag.errors import ArticleError
from rag.index.index import Index
from rag.index.sync import sync
from rag.ingest.formats import parts_of
from rag.ingest.loaders.pdf import Line, join_lines
from rag.models.encoder import HashedEncoder
from rag.retrieval.ranking import evidence_of, find_candidates, make_query, ranked
from rag.types import Article

FILES = Path(__file__).parents[1] / "files"
FLOOD = "The river Tarn rose by two metres on Sunday. Nobody was hurt."


def read(name: str, data: bytes | str | None = None) -> list[Article]:
    if data is None:
        data = (FILES / name).read_bytes()
    content = data.encode() if isinstance(data, str) else data
    return [part.load() for part in parts_of(name, content, Config())]


def one(name: str, data: bytes | str | None = None) -> Article:
    (article,) = read(name, data)
    return article


def zipped(files: Mapping[str, bytes | str]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return file.getvalue()


def body(article: Article) -> str:
    return article.text[article.body_start :].strip()


# Web pages.


def test_a_saved_news_page() -> None:
    article = one("mill.html")
    assert article.title == "Tidal mill at Corran turns again after 90 years"
    assert (article.published, article.author) == ("2024-03-04", "Ann Lee")
    assert article.published_from == "meta article:published_time: 2024-03-04T18:20:00+00:00"
    assert article.source == "The Harbour Gazette"
    assert article.url == "https://gazette.example/2024/03/corran-mill"
    assert body(article).startswith("The tidal mill at Corran ground flour on Monday")
    assert "Year | Visitors\n2022 | 1,900\n2023 | 2,750" in article.text
    assert body(article).endswith("Visitors will be let in from Easter, on weekends only.")
    for other in ("cookie", "Accept", "Weather", "Related", "newsletter", "rights", "tracking"):
        assert other not in article.text


TIME = "<time datetime='{}'></time>"
META = '<meta name="date" content="03/04/2024">'
PAGE = "<html lang='{}'><head><title>Flood | The Gazette</title>{}</head><body><article>{}<p>{}</p>"


@pytest.mark.parametrize(
    ("language", "head", "top", "published", "origin"),
    [
        (
            "en",
            '<script type="application/ld+json">{"@graph":[{"@type":"WebPage","datePublished":'
            '"2020-01-01"},{"@type":"NewsArticle","datePublished":"2024-03-04T10:00Z"}]}</script>',
            "",
            "2024-03-04",
            "JSON-LD datePublished: 2024-03-04T10:00Z",
        ),
        (
            "en",
            '<meta itemprop="datePublished" content="March 4, 2024">',
            "",
            "2024-03-04",
            "meta datepublished: March 4, 2024",
        ),
        (
            "en",
            "",
            "<time datetime='2024-03-04T09:00'>today</time>",
            "2024-03-04",
            "time datetime: 2024-03-04T09:00",
        ),
        (
            "en",
            "",
            "<p class='byline'>By Ann Lee, 4 March 2024</p>",
            "2024-03-04",
            "line: By Ann Lee, 4 March 2024",
        ),
        ("en-GB", META, "", "2024-04-03", "meta date: 03/04/2024"),
        ("en-US", META, "", "2024-03-04", "meta date: 03/04/2024"),
        ("en", META, "", "03/04/2024", "meta date: 03/04/2024"),
        ("en", "", "<p class='updated'>Last updated 5 May 2024</p>", None, None),
        ("en", "", TIME.format("2024-01-01") + TIME.format("2024-02-02"), None, None),
        ("en", '<meta property="article:modified_time" content="2024-05-05">', "", None, None),
    ],
)
def test_where_a_page_says_its_date(
    language: str, head: str, top: str, published: str | None, origin: str | None
) -> None:
    article = one("flood.html", PAGE.format(language, head, top, f"{FLOOD} " * 9))
    assert (article.published, article.published_from) == (published, origin)
    assert article.title == "Flood"


def test_a_page_in_another_encoding() -> None:
    page = PAGE.format("fr", '<meta charset="iso-8859-2">', "", "Żółta łódź płynie rzeką. " * 9)
    assert "Żółta łódź" in one("a.htm", page.encode("iso-8859-2")).text
    assert "Żółta łódź" in one("a.htm", page.encode("utf-16")).text


# PDF.


def test_a_page_printed_by_a_browser() -> None:
    article = one("owls.pdf")
    assert (article.title, article.published, article.author) == (
        "Owls of Lisk counted by night",
        "2023-10-09",
        "Tom Farrow",
    )
    assert "thirty-one snowy owls in a single night" in article.text
    assert "by the ornithologist Hester Vane" in article.text
    assert "the well-known lighthouse keeper" in article.text
    for printed in ("Gazette", "file:", "11/26/26", "1/3"):
        assert printed not in article.text
    assert len(article.text.split("\n\n")) == 7  # title, byline and five paragraphs
    assert body(article).startswith("Rangers on the island of Lisk")


def test_the_pages_of_a_pdf_are_known() -> None:
    article = one("owls.pdf")
    pages = [
        article.page_at(article.text.index(words))
        for words in ("Rangers on", "vision glasses walked", "begin in April")
    ]
    assert pages == [1, 2, 3]
    assert one("mill.html").page_at(0) is None


def test_what_is_on_every_page_is_left_out() -> None:
    article = one("wall.pdf")
    assert "Harbour Board" not in article.text
    assert (article.published, article.author) == ("2023-05-12", "R. Quill")
    assert article.title == "Harbour wall to be raised by a metre"
    paragraphs = body(article).split("\n\n")
    assert paragraphs[0].startswith("Section 0 says that the north wall")
    assert paragraphs[0].endswith("engineers recommended granite.")
    assert paragraphs[1] == "A heading of section 0"


def test_columns_are_read_one_after_the_other_and_indents_begin_paragraphs() -> None:
    article = one("columns.pdf")
    paragraphs = body(article).split("\n\n")
    assert [int(paragraph.partition(":")[0]) for paragraph in paragraphs] == list(range(30))
    assert {paragraph[-10:] for paragraph in paragraphs} == {
        "andowners.",
        "ng winter.",
        "ng decade.",
    }
    assert len(article.pages) == 2


@pytest.mark.parametrize(
    ("lines", "text"),
    [
        (["the inter-", "national court"], "the international court"),
        (["the Franco-", "German court"], "the Franco-German court"),
        (["in 2023-", "24 he"], "in 2023-24 he"),
        (["a well-", "known man"], "a well-known man"),
        (["a co-", "operative, the co-operative"], "a co-operative, the co-operative"),
        (["the har\u00ad", "bour"], "the harbour"),
        (
            ["First.", "Second line is much longer than the first"],
            "First.\n\nSecond line is much longer than the first",
        ),
        (["• one thing", "• another thing"], "• one thing\n\n• another thing"),
    ],
)
def test_lines_are_joined(lines: list[str], text: str) -> None:
    page = [Line(line, 50, 700 - 14 * n, 12) for n, line in enumerate(lines)]
    assert join_lines([page]) == (text, [0])


def test_no_sentence_goes_on_over_a_page_without_text_and_the_offsets_hold() -> None:
    pages = [[Line("It rose and", 50, 40, 12)], [], [Line("fell again.", 50, 700, 12)]]
    text, starts = join_lines(pages)
    assert (text, starts) == ("It rose and\n\nfell again.", [0, 11, 13])


# Word.


def test_a_word_document_of_libreoffice() -> None:
    article = one("wall.docx")
    assert article.title == "Harbour wall to be raised by a metre"
    assert (article.published, article.author) == ("2023-05-12", "R. Quill")
    assert body(article).endswith("engineers recommended granite.\n\nYear | Storms\n2021 | 14")


def test_tables_stand_where_they_are_read_and_deleted_text_does_not() -> None:
    document = docx.Document()
    document.add_paragraph("Before the table it says this.")
    table = document.add_table(2, 2)
    for n, word in enumerate(("Town", "People", "Lisk", "1,204")):
        table.cell(n // 2, n % 2).text = word
    after = document.add_paragraph("After it.")
    from docx.oxml import parse_xml

    w = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
    after._p.append(parse_xml(f"<w:ins {w}><w:r><w:t> Inserted.</w:t></w:r></w:ins>"))
    after._p.append(parse_xml(f"<w:del {w}><w:r><w:delText> Deleted.</w:delText></w:r></w:del>"))
    file = io.BytesIO()
    document.save(file)
    article = one("a.docx", file.getvalue())
    text = "Before the table it says this.\n\nTown | People\nLisk | 1,204\n\nAfter it. Inserted."
    assert article.text == text
    assert article.published is None  # the properties have the day of the file


# Mail.


def message(subject: str = "Ferry to Lisk", text: str = FLOOD * 4) -> EmailMessage:
    made = EmailMessage()
    made["Subject"], made["From"] = subject, "Ann Lee <ann@example.org>"
    made["Date"] = "Mon, 04 Mar 2024 23:20:00 -0500"
    made.set_content(text)
    return made


def test_a_message() -> None:
    mail = message("Fähre nach Lisk")
    mail.add_attachment(b"%PDF-", maintype="application", subtype="pdf", filename="a.pdf")
    article = one("a.eml", mail.as_bytes())
    assert (article.title, article.author) == ("Fähre nach Lisk", "Ann Lee")
    assert article.published == "2024-03-04"
    assert article.published_from == "header Date: Mon, 04 Mar 2024 23:20:00 -0500"
    assert article.text.strip() == FLOOD * 4


def test_a_message_in_html() -> None:
    mail = message(text="Please turn on HTML.")
    mail.add_alternative(
        f"<style>p {{}}</style><p>{FLOOD}</p><p style='display:none'>Hidden.</p>", subtype="html"
    )
    assert one("a.eml", mail.as_bytes()).text == FLOOD


def test_a_mailbox() -> None:
    mails = [message(f"Mail {n}", f"{FLOOD}\n\n>From here on it is quoted.") for n in (1, 2)]
    data = b"\n".join(b"From a@b Mon Mar  4 10:00:00 2024\n" + mail.as_bytes() for mail in mails)
    articles = read("a.mbox", data)
    assert [(a.path, a.title) for a in articles] == [("a.mbox/1", "Mail 1"), ("a.mbox/2", "Mail 2")]
    assert "\nFrom here on it is quoted." in articles[1].text


# Rows.

ROWS: list[dict[str, Any]] = [
    {
        "ID": "n-1",
        "Headline": "Flood",
        "Body": FLOOD,
        "Published At": "4 March 2024",
        "URL": "https://example.org/1",
        "source": {"id": None, "name": "The Herald"},
        "authors": ["Ann Lee", "Bo Ek"],
    },
    {
        "ID": "n-2",
        "Headline": "Ebb",
        "Body": "<p>The river fell.</p><p>It is &amp; was low.</p>",
        "Published At": 1709577600,
    },
]


def check_rows(articles: list[Article], folder: str) -> None:
    flood, ebb = articles
    assert [flood.path, ebb.path] == [f"{folder}/n-1", f"{folder}/n-2"]
    assert (flood.title, flood.text) == ("Flood", FLOOD)
    assert flood.url == "https://example.org/1"
    assert (flood.published, flood.published_from) == (
        "2024-03-04",
        "field Published At: 4 March 2024",
    )
    assert ebb.text == "The river fell.\n\nIt is & was low."
    assert ebb.published == "2024-03-04"


def test_json_lines() -> None:
    articles = read("a.jsonl", "\n".join(map(json.dumps, ROWS)))
    check_rows(articles, "a.jsonl")
    assert (articles[0].source, articles[0].author) == ("The Herald", "Ann Lee and Bo Ek")


@pytest.mark.parametrize("top", [ROWS, {"status": "ok", "articles": ROWS}, {"a": {"b": ROWS}}])
def test_a_json_file_may_hold_its_list_in_a_field(top: object) -> None:
    check_rows(read("a.json", json.dumps(top)), "a.json")


def test_a_json_file_of_one_article() -> None:
    assert one("a.json", json.dumps(ROWS[0])).path == "a.json"


@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_a_csv_file(mark: str) -> None:
    file = io.StringIO(newline="")
    writer = csv.DictWriter(file, list(ROWS[0]), delimiter=mark)
    writer.writeheader()
    writer.writerows(ROWS)
    check_rows(read("a.csv", "\ufeff" + file.getvalue()), "a.csv")


def test_rows_without_an_id_of_their_own_are_numbered() -> None:
    rows = [{**row, "ID": "same"} for row in ROWS]
    assert [a.path for a in read("a.json", json.dumps(rows))] == ["a.json/1", "a.json/2"]
    del rows[0]["Headline"]
    assert read("a.json", json.dumps(rows))[0].title == "a 1"


# Feeds.

RSS = """<?xml version="1.0" encoding="iso-8859-1"?><rss version="2.0"
 xmlns:content="http://purl.org/rss/1.0/modules/content/"><channel><title>The Herald</title>
<item><title>Caf&#233; &amp; bar</title><link>https://example.org/1</link>
<pubDate>Mon, 04 Mar 2024 18:20:00 GMT</pubDate><description>Short.</description>
<content:encoded><![CDATA[<p>The café opened.</p><script>x()</script><p>It is new.</p>]]>
</content:encoded></item><item><title>Two</title><description>The &lt;b&gt;second&lt;/b&gt;.
</description></item></channel></rss>"""
ATOM = """<feed xmlns="http://www.w3.org/2005/Atom"><title>Herald</title><entry><title>Flood</title>
<author><name>Ann Lee</name></author><published>2024-03-04T18:20:00Z</published>
<updated>2024-05-05T00:00:00Z</updated><link href="https://example.org/2"/>
<content type="html">&lt;p&gt;It rose.&lt;/p&gt;</content></entry></feed>"""


def test_an_rss_feed() -> None:
    cafe, two = read("a.rss", RSS.encode("iso-8859-1"))
    assert (cafe.path, cafe.title, cafe.source) == ("a.rss/1", "Café & bar", "The Herald")
    assert cafe.text == "The café opened.\n\nIt is new."
    assert (cafe.published, cafe.url) == ("2024-03-04", "https://example.org/1")
    assert (two.text, two.published) == ("The second.", None)


def test_an_atom_feed() -> None:
    article = one("a.xml", ATOM)
    assert (article.title, article.text, article.author) == ("Flood", "It rose.", "Ann Lee")
    assert article.published_from == "feed published: 2024-03-04T18:20:00Z"


# Archives, and the whole.


def test_a_zip_of_everything() -> None:
    names = ("mill.html", "owls.pdf", "wall.docx")
    inner: dict[str, bytes | str] = {
        "old/flood.txt": FLOOD,
        "a.rss": RSS.encode("iso-8859-1"),
        "logo.png": b"\x89PNG",
    }
    files = {**{name: (FILES / name).read_bytes() for name in names}, "more.zip": zipped(inner)}
    articles = {article.path: article for article in read("all.zip", zipped(files))}
    assert set(articles) == {
        "all.zip/mill.html",
        "all.zip/owls.pdf",
        "all.zip/wall.docx",
        "all.zip/more.zip/old/flood.txt",
        "all.zip/more.zip/a.rss/1",
        "all.zip/more.zip/a.rss/2",
    }
    assert articles["all.zip/owls.pdf"].pages
    assert articles["all.zip/more.zip/old/flood.txt"].text == FLOOD


@pytest.mark.parametrize(
    ("name", "like"), [("a.html", "owls.pdf"), ("a.pdf", "mill.html"), ("a.zip", "wall.docx")]
)
def test_a_wrong_suffix_is_seen_through(name: str, like: str) -> None:
    assert one(name, (FILES / like).read_bytes()).text == one(like).text


@pytest.mark.parametrize(
    ("like", "reason"),
    [
        ("mill.html", "is a web page, not plain text: rename it to .html"),
        ("owls.pdf", "is a PDF, not plain text: rename it to .pdf"),
    ],
)
def test_plain_text_is_never_extracted(like: str, reason: str) -> None:
    with pytest.raises(ArticleError) as error:
        read("a.txt", (FILES / like).read_bytes())
    assert str(error.value) == reason


def test_offsets_hold_in_what_the_index_gives_back(tmp_path: Path, config: Config) -> None:
    folder = tmp_path / "articles"
    folder.mkdir()
    for file in FILES.glob("[mow]*.*"):
        (folder / file.name).write_bytes(file.read_bytes())
    with zipfile.ZipFile(folder / "b.zip", "w") as archive:
        archive.write(FILES / "owls.pdf", "owls.pdf")
    changes = sync(folder, tmp_path / "index", config, HashedEncoder())
    assert (len(changes.added), changes.skipped) == (5, ())
    index = Index.open(tmp_path / "index", config, HashedEncoder())
    for name in ("mill.html", "owls.pdf", "wall.docx", "wall.pdf"):
        article = index.article(name)
        assert article == one(name)
        first = index.sentences(name)[0]
        assert article.text[first.start : first.end] == body(article)[: first.end - first.start]
    index.close()
    assert sync(folder, tmp_path / "index", config, HashedEncoder()).unchanged == 5


def test_what_is_found_says_its_page_and_address(tmp_path: Path, config: Config) -> None:
    folder = tmp_path / "articles"
    folder.mkdir()
    for name in ("mill.html", "owls.pdf"):
        (folder / name).write_bytes((FILES / name).read_bytes())
    sync(folder, tmp_path / "index", config, HashedEncoder())
    index = Index.open(tmp_path / "index", config, HashedEncoder())
    for question, page, url in (
        ("Where did the volunteers walk with night vision glasses?", 1, None),
        ("What does the separate survey of the western cliffs cost?", 2, None),
        ("What did the tidal mill grind on Monday?", None, one("mill.html").url),
    ):
        query = make_query(question, index, HashedEncoder())
        best = evidence_of(ranked(find_candidates(query, index, config))[0])
        assert (best.page, best.url) == (page, url)
        assert index.article(best.article).text[best.start : best.end] == best.quote
    index.close()
