"""What cannot be read says why, is never half taken, and never keeps the rest out."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from parts import GOOD, nested, read, zipped
from pypdf import PdfReader, PdfWriter
from pypdf.generic import EncodedStreamObject, NameObject

from rag.config import Config
from rag.errors import ArticleError
from rag.index.sync import sync
from rag.ingest.formats import parts_of
from rag.ingest.loaders import pdf as load_pdf_module
from rag.models.encoder import HashedEncoder
from rag.types import Changes

FILES = Path(__file__).parents[1] / "files"
MILL, OWLS, WALL = (FILES.joinpath(n).read_bytes() for n in ("mill.html", "owls.pdf", "wall.docx"))
W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
BOMB = "<!DOCTYPE x [<!ENTITY a0 'ha'>" + "".join(
    f"<!ENTITY a{n} '{f'&a{n - 1};' * 10}'>" for n in range(1, 10)
)


def pdf(change: Callable[[PdfWriter], object]) -> bytes:
    writer = PdfWriter()
    change(writer)
    file = io.BytesIO()
    writer.write(file)
    return file.getvalue()


def encrypted_pdf(writer: PdfWriter) -> None:
    writer.append(PdfReader(io.BytesIO(OWLS)))
    writer.encrypt("secret", algorithm="RC4-128")


def word(xml: str) -> bytes:
    with zipfile.ZipFile(io.BytesIO(WALL)) as archive:
        parts = [(name, archive.read(name)) for name in archive.namelist()]
    others = [(name, content) for name, content in parts if name != "word/document.xml"]
    return zipped(*others, ("word/document.xml", xml))


def body(content: str, before: str = "") -> str:
    return f'{before}<w:document xmlns:w="{W}"><w:body>{content}</w:body></w:document>'


SPARSE = 50_000_001
PARAGRAPH = "<w:p><w:r><w:t>{}</w:t></w:r></w:p>"

# A file, and why it is skipped.
BROKEN: list[tuple[str, bytes | str | int, str]] = [
    ("large.html", SPARSE, "is too large (50.0 MB; the limit is 10 MB)"),
    ("large.pdf", SPARSE, "is too large (50.0 MB; the limit is 10 MB)"),
    ("large.csv", SPARSE, "is too large (50.0 MB; the limit is 50 MB)"),
    ("empty.html", "", "has no text"),
    (
        "script.html",
        "<html><body><div id='app'></div><script>f()</script></body></html>",
        "has no text of an article (is it filled by scripts, or a list of links?)",
    ),
    (
        "deep.html",
        "<html><body>" + "<div>" * 50_000 + "<p>Text.",
        "has no text of an article (is it filled by scripts, or a list of links?)",
    ),
    (
        "tags.html",
        "<html><body>" + "<b>" * 70_000,
        "is too large a page (70,002 tags; the limit is 60,000)",
    ),
    (
        "entities.html",
        f"{BOMB}]><html><body><p>&a9;</p></body></html>",
        "has no text of an article (is it filled by scripts, or a list of links?)",
    ),
    ("half.pdf", OWLS[: len(OWLS) // 2], "is damaged or no PDF (Stream has ended unexpectedly)"),
    ("other.pdf", "Just text.", "is damaged or no PDF (Stream has ended unexpectedly)"),
    ("locked.pdf", pdf(encrypted_pdf), "is encrypted: save it without a password"),
    (
        "scan.pdf",
        pdf(lambda writer: writer.add_blank_page(200, 200)),
        "has no text layer: it holds pictures of pages, which need OCR first",
    ),
    ("half.docx", WALL[: len(WALL) // 2], "is damaged or no Word document"),
    ("other.docx", "Just text.", "is damaged or no Word document"),
    (
        "old.docx",
        b"\xd0\xcf\x11\xe0" + bytes(999),
        "is an old or an encrypted Office file: save it as .docx, without a password",
    ),
    (
        "sheet.docx",
        zipped(("[Content_Types].xml", ""), ("xl/workbook.xml", "")),
        "is an Office file, but no Word document: save it as .pdf or .csv",
    ),
    (
        "entities.docx",
        word(body(PARAGRAPH.format("&a9;"), f"{BOMB}]>")),
        "is damaged or no Word document",
    ),
    (
        "deep.docx",
        word(body("<w:sdt><w:sdtContent>" * 999 + "</w:sdtContent></w:sdt>" * 999)),
        "is damaged or no Word document",
    ),
    ("empty.docx", word(body("<w:p/>")), "has no text"),
    ("bomb.docx", word(" " * 60_000_000), "is too large when unpacked (the limit is 60 MB)"),
    ("text.eml", "Just text.", "is no mail message: it has no Subject and no From"),
    ("headers.eml", "Subject: " + "=?utf-8?q?a?= " * 9_000, "has headers of more than 64 kB"),
    (
        "parts.eml",
        "Subject: a\n" + "Content-Type: message/rfc822\n\n" * 2_000,
        "has more than 1,000 parts",
    ),
    ("a.mbox", "Just text.", "is no mailbox: no line of it begins a message"),
    (
        "half.json",
        '[{"text": "A',
        "is no JSON (Unterminated string starting at: line 1 column 11 (char 10))",
    ),
    ("deep.json", "[" * 100_000, "is not read: its JSON is nested too deeply"),
    ("plain.json", "[1, 2]", "holds no rows with named fields"),
    (
        "fields.jsonl",
        '{"id": 1, "sum": "2"}',
        "has no field with the text of an article (its fields: 'id', 'sum'; "
        "known names: text, body, content, fulltext, articlebody …; "
        "others can be given: index --fields text=NAME)",
    ),
    ("empty.csv", "title,text\n", "holds no rows with named fields"),
    ("binary.csv", bytes(range(256)), "is a binary file"),
    (
        "tags.xml",
        "<rss version='2.0'><channel>" + "<item>" * 500_000,
        "is too large a feed (500,002 tags; the limit is 500,000)",
    ),
    ("note.xml", "<note>Text.</note>", "is XML, but no RSS or Atom feed"),
    (
        "empty.rss",
        "<rss version='2.0'><channel><title>T</title></channel></rss>",
        "is a feed without entries",
    ),
    (
        "entities.xml",
        f"{BOMB}]><rss version='2.0'><channel><item><title>&a9;</title></item></channel></rss>",
        "declares entities of XML, which no feed needs: it is not read",
    ),
    (
        "file.xml",
        "<!DOCTYPE x [<!ENTITY f SYSTEM 'file:///etc/passwd'>]>"
        "<rss><channel><item><title>&f;</title></item></channel></rss>",
        "declares entities of XML, which no feed needs: it is not read",
    ),
    ("half.zip", zipped(("a.txt", GOOD * 99))[:60], "is damaged or no zip archive"),
    (
        "book.zip",
        zipped(("mimetype", "application/epub+zip")),
        "is an OpenDocument file or an e-book: save it as .docx or .pdf",
    ),
    ("page.md", MILL, "is a web page, not plain text: rename it to .html"),
    ("rich.txt", "{\\rtf1 Text.}", "is an RTF file: save it as .docx or .txt"),
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with one good file."""
    (tmp_path / "articles").mkdir()
    (tmp_path / "articles" / "good.txt").write_text(GOOD)
    return tmp_path / "articles"


def synced(folder: Path, config: Config) -> Changes:
    return sync(folder, folder.parent / "index", config, HashedEncoder())


@pytest.mark.parametrize(("name", "content", "reason"), BROKEN, ids=[name for name, *_ in BROKEN])
def test_a_file_that_cannot_be_read_says_why_and_the_rest_go_in(
    folder: Path, config: Config, name: str, content: bytes | str | int, reason: str
) -> None:
    path = folder / name
    if isinstance(content, int):
        with path.open("wb") as file:
            file.truncate(content)  # sparse
    else:
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    assert synced(folder, config) == Changes(added=("good.txt",), skipped=((name, reason),))


# PDF, and every format.


def damaged_pages(*numbers: int) -> bytes:
    writer = PdfWriter(clone_from=io.BytesIO(OWLS))
    for number in numbers:
        content = EncodedStreamObject()
        content._data = b"something"
        content[NameObject("/Filter")] = NameObject("/NoSuchFilter")
        writer.pages[number - 1][NameObject("/Contents")] = writer._add_object(content)
    file = io.BytesIO()
    writer.write(file)
    return file.getvalue()


def test_a_damaged_page_takes_no_other_with_it(caplog: pytest.LogCaptureFixture) -> None:
    (part,) = parts_of("a.pdf", damaged_pages(2), Config())
    article = part.load()
    assert "Rangers on the island of Lisk" in article.text
    assert article.page_at(article.text.index("begin in April")) == 3
    assert "vision glasses walked" not in article.text
    # What stood before it and what stands after it never become one sentence.
    first, third = article.pages[0], article.pages[2]
    assert article.text[first:third].endswith("\n\n")
    assert caplog.messages == ["'a.pdf': damaged pages are left out, the others are read: 2."]
    assert read("a.pdf", damaged_pages(1, 2, 3)) == {
        "a.pdf": "is damaged or no PDF (Unsupported filter /NoSuchFilter)"
    }


def test_a_pdf_that_takes_too_long_is_broken_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load_pdf_module, "MOST_SECONDS", 0)
    assert read("a.pdf", OWLS) == {"a.pdf": "takes more than 0 s to read"}


def test_every_cut_of_every_format_is_read_or_refused() -> None:
    for name, data in (("a.html", MILL), ("a.pdf", OWLS), ("a.docx", WALL), ("a.zip", nested(1))):
        for n in range(1, 12):
            try:
                found = read(name, data[: n * len(data) // 12])
            except ArticleError as error:
                found = {name: str(error)}
            for text in found.values():  # not what a library says of its own trouble
                assert text
                assert "Error:" not in text
