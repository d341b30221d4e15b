"""Files become articles whose text is the decoded file, and what cannot be read says why."""

from __future__ import annotations

import gzip
import os
import random
import time
from pathlib import Path

import pytest

from rag.config import Config
from rag.errors import ArticleError
from rag.ingest.folder import find_articles
from rag.ingest.loaders.text import decode, parse
from rag.types import Article

CONFIG = Config()
NEWS = "Café “Zoë” opens\r\n\r\nIt opened on Friday.\r\nŁódź, 北京 and 😀 came.\r\n"
WESTERN = "Café “Zoë” opens\r\n\r\nIt opened on Friday – at last.\r\n"


def read(folder: Path) -> list[Article]:
    return [part.load() for file in find_articles(folder) for part in file.parts(CONFIG)]


def refused(folder: Path, name: str, data: bytes) -> str:
    (folder / name).write_bytes(data)
    with pytest.raises(ArticleError) as error:
        read(folder)
    return str(error.value)


def body(article: Article) -> str:
    return article.text[article.body_start :]


@pytest.mark.parametrize(
    ("data", "encoding"),
    [
        (NEWS.encode(), "utf-8"),
        (b"\xef\xbb\xbf" + NEWS.encode(), "utf-8"),
        (NEWS.encode("utf-16"), "utf-16"),
        (b"\xff\xfe" + NEWS.encode("utf-16-le"), "utf-16"),
        (b"\xfe\xff" + NEWS.encode("utf-16-be"), "utf-16"),
        (WESTERN.encode("utf-16-le"), "utf-16-le"),
        (WESTERN.encode("utf-16-be"), "utf-16-be"),
        (NEWS.encode("utf-32"), "utf-32"),
        (WESTERN.encode("cp1252"), "cp1252"),
        (b"One\rTwo\n\nThree\r\n", "ascii"),
    ],
)
def test_the_text_is_the_decoded_file(tmp_path: Path, data: bytes, encoding: str) -> None:
    (tmp_path / "a.txt").write_bytes(data)
    (article,) = read(tmp_path)
    assert article.text == data.decode(encoding)
    assert "\r" in article.text
    assert not article.title.startswith("\ufeff")


@pytest.mark.parametrize(
    "data",
    [
        "naïve café ".encode() * 9 + b"\xed\xa0\x80 lone surrogate",  # as UTF-8 forbids
        "naïve café ".encode() * 9 + b"\xff\xfe\xc3 broken",
        b"plain \xed\xb0\x80 ascii",
        b"\xff\xfea\0\x00\xd8b\0",  # a lone surrogate in UTF-16
        b"\xff\xfea\0b",  # half a character at the end
    ],
)
def test_broken_bytes_never_leave_text_that_cannot_be_stored(data: bytes) -> None:
    assert decode(data).encode("utf-8")


def test_a_broken_place_does_not_spoil_the_rest() -> None:
    assert decode("Zoë, Łódź, 北京 ".encode() + b"\xff!") == "Zoë, Łódź, 北京 \ufffd!"


def test_random_bytes_are_decoded_or_refused() -> None:
    source = random.Random(1)
    for _ in range(300):
        data = source.randbytes(source.randrange(1, 400))
        if source.random() < 0.5:
            data = data.replace(b"\0", b"a")
        try:
            text = decode(data)
        except ArticleError:
            continue
        text.encode("utf-8")
        if text.strip():
            try:
                assert parse("a.txt", text).text == text
            except ArticleError as error:
                assert "metadata" in str(error)  # noqa: PT017


@pytest.mark.parametrize("data", [b"", b"\xef\xbb\xbf", b" \r\n\t\n", "\xa0\u2028\u3000".encode()])
def test_empty_files_are_refused(tmp_path: Path, data: bytes) -> None:
    assert refused(tmp_path, "a.txt", data) == "is empty"


@pytest.mark.parametrize(
    "data",
    [
        bytes(range(256)) * 9,
        gzip.compress(b"text" * 99, mtime=0),
        b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR",
        b"te\0xt",
    ],
)
def test_binary_files_are_refused(tmp_path: Path, data: bytes) -> None:
    assert refused(tmp_path, "a.txt", data) in ("is a binary file", "is not text")


def test_large_files_are_refused_with_the_limit(tmp_path: Path) -> None:
    reason = refused(tmp_path, "a.txt", b"word " * 4_000_000)
    assert reason == "is too large (20.0 MB; the limit is 10 MB)"


def test_links_must_stay_in_the_folder(tmp_path: Path) -> None:
    folder = tmp_path / "articles"
    folder.mkdir()
    (tmp_path / "secret.txt").write_text("Secret. Text.")
    (folder / "real.txt").write_text("Real text.")
    (folder / "out.txt").symlink_to(tmp_path / "secret.txt")
    (folder / "in.txt").symlink_to("real.txt")
    (folder / "loop.txt").symlink_to("loop.txt")
    (folder / "nothing.txt").symlink_to("missing.txt")
    (folder / "elsewhere").symlink_to(tmp_path)
    found: dict[str, str] = {}
    for file in find_articles(folder):
        try:
            (part,) = file.parts(CONFIG)
            found[file.path] = part.load().text
        except ArticleError as error:
            found[file.path] = str(error)
    assert found["real.txt"] == found["in.txt"] == "Real text."
    assert found["out.txt"] == "is a link that leaves the folder"
    assert found["loop.txt"].startswith("cannot be read (")
    assert found["nothing.txt"].startswith("cannot be read (")
    assert len(found) == 5


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.txt")
    with pytest.raises(ArticleError, match="is not a regular file"):
        read(tmp_path)


def test_only_visible_files_with_a_known_suffix_are_found(tmp_path: Path) -> None:
    for name in ("b.txt", "a/c.md", "A.TXT", ".hidden.txt", ".git/d.txt", "e.png", "txt", "z"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("Text.")
    assert [file.path for file in find_articles(tmp_path)] == ["A.TXT", "a/c.md", "b.txt"]


def test_a_missing_folder_and_a_file_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(ArticleError, match=r"gone does not exist\. Name a folder"):
        list(find_articles(tmp_path / "gone"))
    (tmp_path / "a.txt").write_text("Text.")
    with pytest.raises(ArticleError, match=r"a\.txt is not a folder"):
        list(find_articles(tmp_path / "a.txt"))


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_an_unreadable_file_says_why(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("Text.")
    path.chmod(0)
    with pytest.raises(ArticleError, match=r"cannot be read \(Permission denied\)"):
        read(tmp_path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_an_unreadable_folder_says_why(tmp_path: Path) -> None:
    (tmp_path / "closed").mkdir(mode=0)
    with pytest.raises(ArticleError, match=r"Cannot list .*closed: Permission denied"):
        list(find_articles(tmp_path))


def test_strange_file_names_stay_apart_and_can_be_stored(tmp_path: Path) -> None:
    names = [
        "größe 北京 😀.txt".encode(),
        b"two\nlines.txt",
        b"bad\xff.txt",
        b"bad\xfe.txt",
        b"?.txt",
    ]
    for name in names:
        with open(os.path.join(os.fsencode(tmp_path), name), "wb") as file:  # noqa: PTH118, PTH123
            file.write(b"Published: 2024-01-01\nText: " + name.replace(b"\n", b""))
    found = read(tmp_path)
    assert len({article.path.encode("utf-8") for article in found}) == len(names)
    assert "bad\\xff.txt" in {article.path for article in found}
    assert "two lines" in {article.title for article in found}


LONG = "The council met on Friday and talked about the harbour " * 5

# The title rule of DESIGN.md, section 3: text, title, start of the body.
TITLES = [
    # "The first line is the title if a metadata or blank line follows it, …"
    ("A full stop.\n\nBody one.", "A full stop.", "\nBody one."),
    ("A full stop.\nSource: X\nBody.", "A full stop.", "Body."),
    (f"{LONG}\n\nBody.", LONG.strip(), "\nBody."),
    (f"{LONG}\nURL: x\nBody.", LONG.strip(), "Body."),
    # "… or if it has at most 200 characters and does not end in a full stop;"
    ("A short line\nBody.", "A short line", "Body."),
    ("x" * 200 + "\nBody.", "x" * 200, "Body."),
    ("x" * 201 + "\nBody.", "name", "x" * 201 + "\nBody."),
    ("A full stop.\nBody.", "name", "A full stop.\nBody."),
    ("Really?\nBody.", "Really?", "Body."),
    ("“It is.”\nBody.", "“It is.”", "Body."),
    # "Published:, Source:, Author:, URL: lines directly below it are metadata."
    ("T\nPublished: 2024-01-02\nsource : S\nAUTHOR:\tA\nUrl: u\nBody.", "T", "Body."),
    ("T\n\nPublished: 2024-01-02\nBody.", "T", "\nPublished: 2024-01-02\nBody."),
    ("T\nSource: S\n\nAuthor: A\nBody.", "T", "\nAuthor: A\nBody."),
    ("T\nPublishedly: S\nBody.", "T", "Publishedly: S\nBody."),
    # Where the rule is silent.
    ("Source: S\nBody one.", "name", "Body one."),
    ("# Heading\n\nBody.", "Heading", "\nBody."),
    ("#\n\nBody.", "name", "\nBody."),
    ("\ufeff\r\n  T  \r\nBody.", "T", "Body."),
    ("Only a title", "Only a title", "Only a title"),
    ("\nOnly a sentence.\n", "name", "Only a sentence.\n"),
]


@pytest.mark.parametrize(("text", "title", "rest"), TITLES)
def test_the_title_rule(text: str, title: str, rest: str) -> None:
    article = parse("some/name.txt", text)
    assert (article.title, body(article)) == (title, rest)
    assert article.text == text


def test_metadata_is_read() -> None:
    article = parse(
        "a_b.txt", "Published: 2024-01-02T10:00\nSource:\nAuthor: A: B \nURL: u\n\nText."
    )
    said = "line: Published: 2024-01-02T10:00"
    assert article == Article(
        "a_b.txt", "a b", article.text, 57, "2024-01-02", None, "A: B", "u", said
    )
    assert parse("a.txt", "T\nPublished: May 2024\nText.").published == "May 2024"


@pytest.mark.parametrize("text", ["Title\nPublished: 2024-01-02\n\n", "Source: S\nAuthor: A"])
def test_metadata_alone_is_never_evidence(text: str) -> None:
    with pytest.raises(ArticleError, match="has no text below its title and metadata"):
        parse("a.txt", text)


def test_a_long_metadata_line_takes_no_time() -> None:
    began = time.perf_counter()
    parse("a.txt", "T\nSource: a" + " " * 1_000_000 + "b\nText.")
    assert time.perf_counter() - began < 2
