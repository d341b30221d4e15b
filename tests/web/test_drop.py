"""What a browser says of a drop: names of folders are kept, and none of it is trusted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from fake_rag import FakeRag
from hostile_strings import PIECES

from rag.ingest.folder import beside
from rag.ingest.uploads import Manager
from rag.web.articles import Librarian
from rag.web.uploads import FILES_AT_ONCE, Drop


@pytest.fixture
def uploaded(tmp_path: Path) -> Path:
    folder = tmp_path / "uploaded"
    folder.mkdir()
    return folder


@pytest.fixture
def articles(tmp_path: Path) -> Path:
    folder = tmp_path / "news"
    folder.mkdir()
    (folder / "one.txt").write_text("One\n\nOne.\n", encoding="utf-8")
    return folder


def arrived(folder: Path, number: int, text: str = "") -> str:
    path = folder / f"{number}.part"
    path.write_text(text or f"Article {number}\n\nIts text is {number}.\n", encoding="utf-8")
    return str(path)


def kept(articles: Path, uploaded: Path, sent: dict[str, Any]) -> tuple[set[str], str]:
    """Add what was sent; return the paths of the files that are there then, and what was said."""
    librarian = Librarian(FakeRag(), Manager(articles))
    (said,) = librarian.add(sent, uploaded)
    root = beside(articles) / "uploads"
    return {p.relative_to(root).as_posix() for p in root.rglob("*") if p.is_file()}, said


def test_names_of_folders_are_kept_so_that_equal_names_do_not_meet(
    articles: Path, uploaded: Path
) -> None:
    folders = ["2023", "2024", "2024/may", ""]
    rows = [
        {"path": arrived(uploaded, n), "name": "index.txt", "folder": folder}
        for n, folder in enumerate(folders)
    ]
    paths, _ = kept(articles, uploaded, {"files": rows})
    assert paths == {f"{folder}/index.txt".removeprefix("/") for folder in folders}
    assert not [*uploaded.iterdir()]  # nothing is left behind


@pytest.mark.parametrize(
    ("folder", "wanted"),
    [
        ("../../etc", "etc"),
        ("/etc/cron.d", "etc/cron.d"),
        ("..\\..\\windows", "windows"),
        ("C:\\news", "C/news"),
        ("a/./b//c", "a/b/c"),
        ("con/nul.x", "article con/article nul.x"),
        (".hidden/x", "hidden/x"),
        ("mail.zip/x", "mail zip/x"),
        ("news.footnote", "news footnote"),
        ("a\0b/\u202ec", "ab/c"),
        ("/".join("abcdefghijklmnopqrstuvwxyz"), "/".join("abcdefghijklmnop")),
        (7, "7"),
        (None, ""),
        (["x"], "['x']"),
    ],
)
def test_a_folder_is_only_a_wish(
    articles: Path, uploaded: Path, folder: object, wanted: str
) -> None:
    row = {"path": arrived(uploaded, 1), "name": "x.txt", "folder": folder}
    paths, _ = kept(articles, uploaded, {"files": [row]})
    assert paths == {f"{wanted}/x.txt".removeprefix("/")}


def test_hostile_folders_stay_within(articles: Path, uploaded: Path, tmp_path: Path) -> None:
    rows = [
        {"path": arrived(uploaded, n), "name": "x.txt", "folder": f"{said}/{said * 40}"}
        for n, said in enumerate(PIECES)
    ]
    before = {p for p in tmp_path.rglob("*") if beside(articles) not in p.parents}
    kept(articles, uploaded, {"files": rows})
    root = beside(articles) / "uploads"
    added = [p for p in root.rglob("*") if p.is_file()]
    assert len(added) == len(PIECES)
    assert all(p.resolve().is_relative_to(root.resolve()) for p in added)
    assert all(len(part.encode()) <= 130 for p in added for part in p.relative_to(root).parts)
    after = {p for p in tmp_path.rglob("*") if beside(articles) not in p.parents}
    assert after - {beside(articles)} <= before  # nothing lies anywhere else


def test_what_exceeds_the_limit_is_said_with_the_numbers(articles: Path, uploaded: Path) -> None:
    rows = [{"path": arrived(uploaded, n), "name": f"{n}.txt"} for n in range(3)]
    rows.append({"path": arrived(uploaded, 3, " "), "name": "empty.txt"})
    sent = {"files": rows, "left": 231, "first": "news/z.txt", "others": {".jpg": 12, ".png": 1}}
    _, said = kept(articles, uploaded, sent)
    assert (
        "3 of 235 files were added and 231 were not, from news/z.txt on, because 500 are taken at "
        "once: add those in smaller parts, or start Footnote with their folder as its articles."
    ) in said
    assert "13 files of other formats are left out (.jpg, .png)." in said
    assert "1 file could not be added" in said


def test_a_list_that_is_too_long_is_cut_and_counted(uploaded: Path) -> None:
    path = arrived(uploaded, 1)
    drop = Drop.of({"files": [{"path": path, "name": "x.txt"}] * (FILES_AT_ONCE + 3)}, uploaded)
    assert (len(drop.files), drop.left) == (FILES_AT_ONCE, 3)
    assert drop.too_many(FILES_AT_ONCE).startswith(
        "500 of 503 files were added and 3 were not, because"
    )


@pytest.mark.parametrize(
    "sent",
    [
        None,
        [],
        "x",
        {"files": {}},
        {"files": [None, 7, {}]},
        {"left": "9", "others": [1]},
        {"left": -5},
        {"left": 1e400, "others": {"x": None}},
        {"others": {".x": -1, "": 10**40}},
        {"left": True, "first": {"a": 1}},
    ],
)
def test_nonsense_adds_nothing(articles: Path, uploaded: Path, sent: Any) -> None:
    paths, said = kept(articles, uploaded, sent)
    assert not paths
    assert "Nothing was added." in said


def test_hostile_numbers_and_names_are_only_text(articles: Path, uploaded: Path) -> None:
    for said in PIECES:
        sent = {"left": 10**30, "first": said * 50, "others": {said: 3, f"{said}x": 10**30}}
        _, shown = kept(articles, uploaded, sent)
        assert "<script" not in shown
        assert "<img" not in shown
        assert "1,000,000 were not" in shown
        assert len(shown) < 3_000
