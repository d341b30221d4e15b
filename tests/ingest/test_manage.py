"""Adding and removing files: confined to a folder of their own, and nothing is ever lost."""

from __future__ import annotations

import io
import os
import sys
import threading
import zipfile
from pathlib import Path

import pytest

from rag.config import Config
from rag.errors import InputError
from rag.index.index import Index
from rag.index.sync import sync
from rag.ingest.folder import beside, find_articles
from rag.ingest.uploads import Manager, clean_name
from rag.models.encoder import HashedEncoder

TEXT = b"A new lighthouse\n\nThe lighthouse of Brel was lit on Monday.\n"


@pytest.fixture
def manager(articles: Path) -> Manager:
    return Manager(articles)


def tree(folder: Path) -> dict[str, bytes]:
    return {
        p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*.*") if p.is_file()
    }


def found(articles: Path) -> list[str]:
    return [file.path for file in find_articles(articles)]


# -- adding -----------------------------------------------------------------------------------


def test_an_added_file_is_indexed_with_the_folder_which_stays_as_it_is(
    manager: Manager, config: Config, encoder: HashedEncoder, tmp_path: Path
) -> None:
    before = tree(manager.articles)
    assert manager.add("lighthouse.txt", TEXT) == "uploads/lighthouse.txt"
    assert tree(manager.articles) == before
    changes = sync(manager.articles, tmp_path / "index", config, encoder)
    assert len(changes.added) == 5
    index = Index.open(tmp_path / "index", config, encoder)
    assert index.article("uploads/lighthouse.txt").text == TEXT.decode()
    assert index.manifest["articles_folder"] == str(manager.articles.resolve())
    index.close()
    # By any name of the same folder.
    again = manager.articles / ".." / manager.articles.name
    assert not sync(again, tmp_path / "index", config, encoder).any()


def test_a_taken_name_is_numbered_and_the_same_file_is_kept_once(manager: Manager) -> None:
    assert manager.add("a.txt", TEXT) == "uploads/a.txt"
    assert manager.add("a.txt", TEXT) == "uploads/a.txt"
    assert manager.add("A.txt", TEXT + b"More of it.") == "uploads/A (2).txt"
    assert manager.add("a.txt", TEXT + b"More.") == "uploads/a (3).txt"
    assert len(tree(beside(manager.articles))) == 3


def test_a_name_that_the_folder_itself_has_is_numbered(manager: Manager) -> None:
    (manager.articles / "uploads").mkdir()
    (manager.articles / "uploads" / "a.txt").write_bytes(b"Its own.\n\nIt was there first.\n")
    assert manager.add("a.txt", TEXT) == "uploads/a (2).txt"
    assert {"uploads/a.txt", "uploads/a (2).txt"} <= set(found(manager.articles))


@pytest.mark.parametrize(
    ("name", "clean"),
    [
        ("../../etc/cron.d/evil.txt", "evil.txt"),
        ("..\\..\\boot.txt", "boot.txt"),
        ("C:\\news\\a.txt", "a.txt"),
        ("/absolute.md", "absolute.md"),
        (".hidden.txt", "hidden.txt"),
        (".txt", "txt"),  # which is then refused
        ("..txt", "article.txt"),
        ("con.txt", "article con.txt"),
        ("NUL.tar.txt", "article NUL.tar.txt"),
        ("console.txt", "console.txt"),
        ("-rf.txt", "rf.txt"),
        ("a\x00b\nc.txt", "ab c.txt"),
        ('a<b>:"c|d?*.txt', "a b c d.txt"),
        ("gnp\u202etxt.exe.txt", "gnptxt.exe.txt"),
        ("zero\u200bwidth.txt", "zerowidth.txt"),
        ("cafe\u0301.txt", "café.txt"),
        ("  many   spaces .txt", "many spaces.txt"),
        ("\udcff.txt", "article.txt"),
        ("新闻.TXT", "新闻.TXT"),
        ("no suffix", "no suffix"),
        ("", "article"),
        ("/", "article"),
        ("…", "…"),
    ],
)
def test_names_are_cleaned(name: str, clean: str) -> None:
    assert clean_name(name) == clean


@pytest.mark.parametrize("letter", ["a", "é", "新", "🙂", "e\u0301\u0301"])
def test_long_names_fit_and_keep_their_suffix(manager: Manager, letter: str) -> None:
    path = manager.add(f"{letter * 5_000}.txt", TEXT)
    assert path.endswith(".txt")
    assert len(os.fsencode(path)) < 140
    assert manager.add(f"{letter * 5_000}.txt", TEXT + b"Other.").endswith(" (2).txt")


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        ("program.exe", b"MZ", "not a format that is read: .txt"),
        ("page.txt.php", b"<?php", "not a format"),
        ("empty.txt", b" \n\n", "is empty"),
        ("broken.pdf", b"%PDF-1.4 nothing", "broken.pdf"),
        ("not.zip", b"PK\x03\x04 nothing", "damaged or no zip"),
        ("picture.txt", b"%PDF-1.4 nothing", "rename it to .pdf"),
        ("large.txt", b"x " * 3_000, "too large"),
        ("nothing.json", b"[]", "nothing.json"),
    ],
)
def test_what_is_refused_says_why_and_leaves_nothing(
    articles: Path, name: str, data: bytes, reason: str
) -> None:
    manager = Manager(articles, Config(article_bytes=5_000))
    with pytest.raises(InputError, match=reason):
        manager.add(name, data)
    assert not beside(articles).exists()


def test_an_archive_is_bounded_and_kept_if_something_in_it_can_be_read(manager: Manager) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("../../out.txt", TEXT)
        archive.writestr("in.txt", TEXT)
    assert manager.add("news.zip", packed.getvalue()) == "uploads/news.zip"
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bomb.txt", b"0" * 45_000_000)
    with pytest.raises(InputError, match="zip bomb"):
        manager.add("bomb.zip", bomb.getvalue())


def test_all_together_are_limited(articles: Path) -> None:
    manager = Manager(articles, Config(uploads_bytes=100))
    manager.add("a.txt", TEXT)
    with pytest.raises(InputError, match="Remove some first"):
        manager.add("b.txt", TEXT)


def test_many_at_once_keep_every_file(manager: Manager) -> None:
    def add(n: int) -> None:
        manager.add("same.txt", TEXT + f"Number {n}.".encode())

    threads = [threading.Thread(target=add, args=[n]) for n in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    kept = tree(beside(manager.articles))
    assert len(set(kept.values())) == len(kept) == 12


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="root may write anywhere")
def test_a_place_that_cannot_be_written_is_said(manager: Manager) -> None:
    manager.articles.parent.chmod(0o500)
    try:
        with pytest.raises(InputError, match="cannot be kept"):
            manager.add("a.txt", TEXT)
    finally:
        manager.articles.parent.chmod(0o700)


def test_a_full_disk_leaves_no_part_of_a_file(
    manager: Manager, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("rag.ingest.uploads.os.fsync", full)
    with pytest.raises(InputError, match=r"a\.txt cannot be kept.*No space left"):
        manager.add("a.txt", TEXT)
    assert [*(beside(manager.articles) / "uploads").iterdir()] == []


# -- removing ---------------------------------------------------------------------------------


def test_a_removed_file_is_no_article_and_can_be_put_back(manager: Manager) -> None:
    path = manager.add("a.txt", TEXT)
    first = manager.remove(path)
    assert path not in found(manager.articles)
    assert first.read_bytes() == TEXT
    assert first.relative_to(beside(manager.articles)).parts[0] == "removed"
    manager.add("a.txt", TEXT + b"New.")
    second = manager.remove(path)  # in the same second, perhaps
    assert first.read_bytes() == TEXT
    assert second.read_bytes() == TEXT + b"New."


@pytest.mark.parametrize(
    "path",
    [
        "../../etc/passwd",
        "/etc/passwd",
        "uploads/../ferry.txt",
        "uploads",
        "uploads/",
        "",
        ".",
        "..",
        "uploads/none.txt",
        "uploads//a.txt",
        "uploads/a.txt\0",
        "uploads\\a.txt",
        "\udcff",
    ],
)
def test_only_what_is_an_article_can_be_removed(manager: Manager, path: str) -> None:
    manager.add("a.txt", TEXT)
    before, kept = tree(manager.articles), tree(beside(manager.articles))
    for able in (manager, Manager(manager.articles, own=True)):
        with pytest.raises(InputError):
            able.remove(path)
    assert tree(manager.articles) == before
    assert tree(beside(manager.articles)) == kept


def test_files_of_the_folder_itself_only_where_that_was_allowed(manager: Manager) -> None:
    with pytest.raises(InputError, match="Only files that were added here"):
        manager.remove("islands/owls.md")
    able = Manager(manager.articles, own=True)
    assert able.why_not("islands/owls.md") == ""
    moved = able.remove("islands/owls.md")
    assert moved.parts[-2:] == ("islands", "owls.md")
    assert "islands/owls.md" not in found(manager.articles)
    assert able.remove("ferry.txt").name == "ferry.txt"  # in no folder


def test_one_article_of_a_collection_cannot_go_alone(manager: Manager) -> None:
    rows = b'[{"title": "One", "text": "One is said."}, {"title": "Two", "text": "Two is said."}]'
    path = manager.add("rows.json", rows)
    with pytest.raises(InputError, match=r"one of several articles in uploads/rows\.json"):
        manager.remove(f"{path}/1")
    assert manager.file_of(f"{path}/1") == path
    manager.remove(path)
    assert path not in found(manager.articles)


def test_the_kept_folder_of_another_is_not_walked(manager: Manager, tmp_path: Path) -> None:
    manager.remove(manager.add("a.txt", TEXT))
    assert not any("a.txt" in path for path in found(tmp_path))


def test_the_last_file_can_be_removed(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "one" / "a.txt").write_bytes(TEXT)
    moved = Manager(tmp_path / "one", own=True).remove("a.txt")
    assert moved.read_bytes() == TEXT
    assert found(tmp_path / "one") == []
