"""Folders that are really dropped on the page: the browser reads them itself."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from browsing import BROWSER
from playwright.sync_api import Browser, Page, expect
from test_shelf_browser import Desk, desk_of

from rag.ingest.folder import beside

pytestmark = BROWSER


@pytest.fixture
def desk(tmp_path: Path, browser: Browser) -> Iterator[Desk]:
    yield from desk_of(tmp_path, browser)


def drop(page: Page, *paths: Path) -> None:
    """Drag files and folders of this computer onto the page and let go."""
    devtools = page.context.new_cdp_session(page)
    data = {"items": [], "files": [str(path) for path in paths], "dragOperationsMask": 1}
    for kind in ("dragEnter", "dragOver", "drop"):
        devtools.send("Input.dispatchDragEvent", {"type": kind, "x": 300, "y": 300, "data": data})
    devtools.detach()


def folder_of(root: Path, files: dict[str, str]) -> Path:
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, encoding="utf-8")
    return root


def added(desk: Desk) -> set[str]:
    root = beside(desk.articles) / "uploads"
    return {p.relative_to(root).as_posix() for p in root.rglob("*") if p.is_file()}


def test_a_dropped_folder_keeps_the_names_of_its_folders(desk: Desk, tmp_path: Path) -> None:
    files = {
        "2023/index.txt": "Wells of Brel\n\nBrel had nine wells.\n",
        "2024/index.txt": "Wells of Oster\n\nOster has ten wells.\n",
        "2024/may/deep.md": "# Deep\n\nIt lies deep.\n",
        "2024/photo.jpg": "x",
        ".git/config.txt": "hidden",
        "empty.txt": "",
    }
    drop(desk.page, folder_of(tmp_path / "archive", files))
    desk.said("3 articles can be asked about.")
    desk.said("1 file of another format is left out (.jpg).")
    desk.said(re.compile(r"1 file could not be added:\s*archive/empty.txt"))
    assert added(desk) == {
        "archive/2023/index.txt",
        "archive/2024/index.txt",
        "archive/2024/may/deep.md",
    }
    expect(desk.page.locator(".library")).to_contain_text("uploads/archive/2024/index.txt")


@pytest.fixture
def narrow(tmp_path: Path, browser: Browser, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    """A page that takes three files at once."""
    monkeypatch.setattr("rag.web.articles_events.FILES", 3)
    monkeypatch.setattr("rag.web.uploads.FILES_AT_ONCE", 3)
    yield from desk_of(tmp_path, browser)


def test_more_files_than_are_taken_at_once_are_counted(narrow: Desk, tmp_path: Path) -> None:
    files = {f"{n}/x.txt": f"Number {n}\n\nIt is {n}.\n" for n in range(5)}
    drop(narrow.page, folder_of(tmp_path / "many", files))
    narrow.said(
        "3 of 5 files were added and 2 were not, from many/3/x.txt on, because 3 are taken at once"
    )
    narrow.said("3 articles can be asked about.")
    assert added(narrow) == {f"many/{n}/x.txt" for n in range(3)}


def test_a_folder_without_articles_says_so(desk: Desk, tmp_path: Path) -> None:
    drop(desk.page, folder_of(tmp_path / "photos", {"a/1.jpg": "x", "2.png": "x"}))
    desk.said("Nothing was added.")
    desk.said("2 files of other formats are left out")


def test_files_and_folders_can_be_dropped_together(desk: Desk, tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "notes", {"index.txt": "Notes\n\nThese are notes.\n"})
    single = folder_of(tmp_path / "desk", {"index.txt": "Desk\n\nThis lay on the desk.\n"})
    drop(desk.page, folder, single / "index.txt")
    desk.said("2 articles can be asked about.")
    assert added(desk) == {"index.txt", "notes/index.txt"}
