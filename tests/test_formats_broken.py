"""What cannot be read says why, is never half taken, and never keeps the rest out."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from pypdf import PdfReader, PdfWriter
from pypdf.generic import EncodedStreamObject, NameObject

from rag import load_pdf as load_pdf_module
from rag import load_rows as load_rows_module
from rag import load_zip as load_zip_module
from rag.articles import parts_of
from rag.changes import Changes
from rag.config import Config
from rag.encoder import HashedEncoder
from rag.errors import ArticleError
from rag.sync import sync

FILES = Path(__file__).parent / "files"
MILL, OWLS, WALL = (FILES.joinpath(n).read_bytes() for n in ("mill.html", "owls.pdf", "wall.docx"))
W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
BOMB = "<!DOCTYPE x [<!ENTITY a0 'ha'>" + "".join(
    f"<!ENTITY a{n} '{f'&a{n - 1};' * 10}'>" for n in range(1, 10)
)
GOOD = "A fine text. It has two sentences."


def zipped(*files: tuple[str, bytes | str]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files:
            archive.writestr(name, content)
    return file.getvalue()


def nested(times: int) -> bytes:
    data = zipped(("deep.txt", GOOD))
    for _ in range(times):
        data = zipped(("inner.zip", data))
    return data


def encrypted_zip() -> bytes:
    data = bytearray(zipped(("a.txt", GOOD), ("b.txt", "Another text.")))
    data[6] |= 1  # the flag in the first file's own header, and in the list of files
    data[data.index(b"PK\x01\x02") + 8] |= 1
    return bytes(data)


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
    ("script.html", "<html><body><div id='app'></div><script>f()</script></body></html>",
     "has no text of an article (is it filled by scripts, or a list of links?)"),
    ("deep.html", "<html><body>" + "<div>" * 50_000 + "<p>Text.",
     "has no text of an article (is it filled by scripts, or a list of links?)"),
    ("tags.html", "<html><body>" + "<b>" * 70_000,
     "is too large a page (70,002 tags; the limit is 60,000)"),
    ("entities.html", f"{BOMB}]><html><body><p>&a9;</p></body></html>",
     "has no text of an article (is it filled by scripts, or a list of links?)"),
    ("half.pdf", OWLS[: len(OWLS) // 2],
     "is damaged or no PDF (Stream has ended unexpectedly)"),
    ("other.pdf", "Just text.", "is damaged or no PDF (Stream has ended unexpectedly)"),
    ("locked.pdf", pdf(encrypted_pdf), "is encrypted: save it without a password"),
    ("scan.pdf", pdf(lambda writer: writer.add_blank_page(200, 200)),
     "has no text layer: it holds pictures of pages, which need OCR first"),
    ("half.docx", WALL[: len(WALL) // 2], "is damaged or no Word document"),
    ("other.docx", "Just text.", "is damaged or no Word document"),
    ("old.docx", b"\xd0\xcf\x11\xe0" + bytes(999),
     "is an old or an encrypted Office file: save it as .docx, without a password"),
    ("sheet.docx", zipped(("[Content_Types].xml", ""), ("xl/workbook.xml", "")),
     "is an Office file, but no Word document: save it as .pdf or .csv"),
    ("entities.docx", word(body(PARAGRAPH.format("&a9;"), f"{BOMB}]>")),
     "is damaged or no Word document"),
    ("deep.docx", word(body("<w:sdt><w:sdtContent>" * 999 + "</w:sdtContent></w:sdt>" * 999)),
     "is damaged or no Word document"),
    ("empty.docx", word(body("<w:p/>")), "has no text"),
    ("bomb.docx", word(" " * 60_000_000), "is too large when unpacked (the limit is 60 MB)"),
    ("text.eml", "Just text.", "is no mail message: it has no Subject and no From"),
    ("headers.eml", "Subject: " + "=?utf-8?q?a?= " * 9_000,
     "has headers of more than 64 kB"),
    ("parts.eml", "Subject: a\n" + "Content-Type: message/rfc822\n\n" * 2_000,
     "has more than 1,000 parts"),
    ("a.mbox", "Just text.", "is no mailbox: no line of it begins a message"),
    ("half.json", '[{"text": "A',
     "is no JSON (Unterminated string starting at: line 1 column 11 (char 10))"),
    ("deep.json", "[" * 100_000, "is not read: its JSON is nested too deeply"),
    ("plain.json", "[1, 2]", "holds no rows with named fields"),
    ("fields.jsonl", '{"id": 1, "sum": "2"}',
     "has no field with the text of an article (its fields: 'id', 'sum'; "
     "known names: text, body, content, fulltext, articlebody …; "
     "others can be given: index --fields text=NAME)"),
    ("empty.csv", "title,text\n", "holds no rows with named fields"),
    ("binary.csv", bytes(range(256)), "is a binary file"),
    ("tags.xml", "<rss version='2.0'><channel>" + "<item>" * 500_000,
     "is too large a feed (500,002 tags; the limit is 500,000)"),
    ("note.xml", "<note>Text.</note>", "is XML, but no RSS or Atom feed"),
    ("empty.rss", "<rss version='2.0'><channel><title>T</title></channel></rss>",
     "is a feed without entries"),
    ("entities.xml",
     f"{BOMB}]><rss version='2.0'><channel><item><title>&a9;</title></item></channel></rss>",
     "declares entities of XML, which no feed needs: it is not read"),
    ("file.xml", "<!DOCTYPE x [<!ENTITY f SYSTEM 'file:///etc/passwd'>]>"
     "<rss><channel><item><title>&f;</title></item></channel></rss>",
     "declares entities of XML, which no feed needs: it is not read"),
    ("half.zip", zipped(("a.txt", GOOD * 99))[:60], "is damaged or no zip archive"),
    ("book.zip", zipped(("mimetype", "application/epub+zip")),
     "is an OpenDocument file or an e-book: save it as .docx or .pdf"),
    ("page.md", MILL, "is a web page, not plain text: rename it to .html"),
    ("rich.txt", "{\\rtf1 Text.}", "is an RTF file: save it as .docx or .txt"),
]  # fmt: skip


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


def read(name: str, content: bytes | str) -> dict[str, str]:
    """Return {path: text, or the reason why it is not read}."""
    data = content.encode() if isinstance(content, str) else content
    found = {}
    for part in parts_of(name, data, Config()):
        try:
            found[part.path] = part.load().text
        except ArticleError as error:
            found[part.path] = str(error)
    return found


# Collections: the rows that can be read go in.


def test_broken_rows_are_named_and_the_others_read() -> None:
    lines = [json.dumps({"text": GOOD}), '{"text": "cut off', '{"title": "No text"}', "17",
             json.dumps({"text": "x" * 10_000_001}), '{"text": "lone \\ud800 half"}']  # fmt: skip
    found = read("a.jsonl", "\n".join(lines))
    assert list(found) == [f"a.jsonl/{n}" for n in range(1, 7)]
    assert list(found.values()) == [
        GOOD,
        "is no JSON (Unterminated string starting at: line 1 column 10 (char 9))",
        "has no text",
        "is no row with named fields",
        "has too long a text (10,000,001 characters; the limit is 10 million)",
        "lone \ufffd half",
    ]


def test_a_giant_field_of_a_csv_keeps_no_other_row_out() -> None:
    found = read("a.csv", f"title,text\nOne,{'x' * 11_000_000}\nTwo,{GOOD}\n")
    assert found == {
        "a.csv/1": "has too long a text (11,000,000 characters; the limit is 10 million)",
        "a.csv/2": GOOD,
    }


def test_a_quotation_mark_that_is_never_closed() -> None:
    assert read("a.csv", f'title,text\nOne,{GOOD}\nTwo,"It goes on\nThree,{GOOD}\n') == {
        "a.csv/1": GOOD,
        "a.csv/2": "is not read from here on: a quotation mark is never closed",
    }
    assert read("a.csv", f'title,text\nOne,"{GOOD}" he said\nTwo,{GOOD}\n') == {
        "a.csv/1": f"{GOOD} he said", "a.csv/2": GOOD,
    }  # fmt: skip


def test_too_many_rows_are_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load_rows_module, "MOST_ROWS", 2)
    found = read("a.jsonl", "\n".join([json.dumps({"text": GOOD})] * 5))
    assert found == {
        "a.jsonl/1": GOOD, "a.jsonl/2": GOOD,
        "a.jsonl": "has more than 2 rows: the others are left out",
    }  # fmt: skip


# Archives.


def test_no_name_in_a_zip_leaves_it_and_no_link_is_followed(tmp_path: Path) -> None:
    link = zipfile.ZipInfo("link.txt")
    link.create_system, link.external_attr = 3, 0o120777 << 16
    file = io.BytesIO(zipped(("../../up.txt", GOOD), ("/abs.txt", GOOD), ("C:\\x.txt", GOOD)))
    with zipfile.ZipFile(file, "a") as archive:
        archive.writestr(link, "/etc/passwd")
        archive.writestr("a/./b.txt", GOOD)
    assert read("a.zip", file.getvalue()) == {
        "a.zip/up.txt": "has a name that leaves the archive",
        "a.zip/abs.txt": "has a name that leaves the archive",
        "a.zip/C:/x.txt": "has a name that leaves the archive",
        "a.zip/link.txt": "is a link",
        "a.zip/a/b.txt": GOOD,
    }
    assert list(tmp_path.iterdir()) == []


def test_an_encrypted_file_in_a_zip() -> None:
    assert read("a.zip", encrypted_zip()) == {
        "a.zip/a.txt": "is encrypted: pack it again without a password",
        "a.zip/b.txt": "Another text.",
    }


def test_a_zip_bomb() -> None:
    assert read("a.zip", zipped(("bomb.txt", bytes(9_000_000)), ("good.txt", GOOD))) == {
        "a.zip/bomb.txt": "is packed suspiciously small (a zip bomb?)",
        "a.zip/good.txt": GOOD,
    }


def test_zips_in_zips_share_their_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    assert read("a.zip", nested(2)) == {"a.zip/inner.zip/inner.zip/deep.txt": GOOD}
    assert read("a.zip", nested(3)) == {
        "a.zip/inner.zip/inner.zip/inner.zip": "is a zip in a zip in a zip (the limit is 3)"
    }
    monkeypatch.setattr(load_zip_module, "MOST_ENTRIES", 3)
    inner = zipped(("b.txt", GOOD), ("c.txt", GOOD), ("d.txt", GOOD))
    found = read("a.zip", zipped(("inner.zip", inner), ("e.txt", GOOD)))
    assert [path for path, text in found.items() if text == GOOD] == [
        "a.zip/inner.zip/b.txt", "a.zip/inner.zip/c.txt"
    ]  # fmt: skip
    assert "has more than 3 files: the others are left out" in found.values()


def test_a_zip_that_is_large_when_unpacked() -> None:
    data = zipped(*((f"{n}.txt", f"{n} " * 400_000) for n in range(3)))
    parts = parts_of("a.zip", data, Config(collection_bytes=2_000_000))
    with pytest.raises(ArticleError, match="is left out: the archive is too large when unpacked"):
        parts[2].load()
    assert parts[0].load().text.startswith("0 0 ")


def test_files_of_the_same_name_in_a_zip_are_both_read() -> None:
    with pytest.warns(UserWarning, match="Duplicate name"):
        data = zipped(("a.txt", GOOD), ("a.txt", "Another."))
    assert read("a.zip", data) == {"a.zip/a.txt": GOOD, "a.zip/a.txt (2)": "Another."}


# Time.


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
