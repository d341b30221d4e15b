"""A folder that is added by its path: what is found there, copied, refused, and never touched."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from fake_rag import FakeRag

from rag import texts
from rag.config import Config
from rag.errors import InputError
from rag.ingest.folder import beside, find_articles
from rag.ingest.formats import file_in
from rag.ingest.uploads import Manager, clean_folder
from rag.server.background import Updater
from rag.server.headers import typed_here
from rag.web import articles as librarian_module
from rag.web import uploads as local_files
from rag.web.articles import Librarian
from rag.web.uploads import LocalFile, LocalFiles, found_at, read_local

TEXT = b"A new lighthouse\n\nThe lighthouse of Brel was lit on Monday.\n"
posix = pytest.mark.skipif(sys.platform == "win32", reason="links and pipes of other systems")


@pytest.fixture
def reports(tmp_path: Path) -> Path:
    """A folder with sub-folders, and files that are left out."""
    folder = tmp_path / "reports"
    files = (
        "a.txt",
        "2024/a.txt",
        "2024/May/b.md",
        ".hidden/c.txt",
        "old.footnote/uploads/d.txt",
        ".e.txt",
        "picture.jpg",
        "2024/other.JPG",
        "2024/sheet.xlsx",
        "README",
    )
    for name in files:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(TEXT + name.encode())
    return folder


def look(typed: Path | str, articles: Path, config: Config | None = None) -> LocalFiles:
    return found_at(str(typed), articles, config or Config())


def names(found: LocalFiles) -> list[str]:
    return [file.shown for file in found.files]


# -- what is found ----------------------------------------------------------------------------


def test_the_files_of_a_folder_are_found_with_its_folders(reports: Path, articles: Path) -> None:
    found = look(reports, articles)
    assert found.name == "reports"
    assert names(found) == ["reports/a.txt", "reports/2024/a.txt", "reports/2024/May/b.md"]
    assert found.refused == ()
    assert found.others == "4 files of other formats are left out (.jpg, .xlsx)."


def test_one_file_can_be_named(reports: Path, articles: Path) -> None:
    assert names(look(reports / "a.txt", articles)) == ["a.txt"]
    # Named by a person, it is meant, whatever it is; the manager says that it is not read.
    assert names(look(reports / "picture.jpg", articles)) == ["picture.jpg"]


@pytest.mark.parametrize(
    "form", ["{}", " {}\n", '"{}"', "'{}/'", "{}/2024/..", "file://{}", "file://localhost{}"]
)
@posix
def test_a_path_is_understood_as_people_paste_it(form: str, reports: Path, articles: Path) -> None:
    assert len(look(form.format(reports), articles).files) == 3


@posix
def test_the_home_folder_and_escapes_are_understood(
    reports: Path, articles: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(reports.parent))
    assert len(look("~/reports", articles).files) == 3
    reports.rename(reports.with_name("my reports"))
    assert len(look(f"file://{reports.parent}/my%20reports", articles).files) == 3


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("", texts.PATH_EMPTY),
        ("  ", texts.PATH_EMPTY),
        ("''", texts.PATH_EMPTY),
        ("/a\0b", texts.PATH_NONE),
        ("/a\nb", texts.PATH_NONE),
        ("/\ud800", texts.PATH_NONE),
        ("/" + "a" * 5_000, texts.PATH_NONE),
        ("reports", "only a part of a path"),
        ("../reports", "only a part of a path"),
        ("https://example.org/", "only a part of a path"),
        ("//server/share", texts.PATH_NETWORK),
        ("\\\\server\\share", texts.PATH_NETWORK),
        ("file://server/share", texts.PATH_NETWORK),
        ("file:////server/share", texts.PATH_NETWORK),
        ("/no/such/{0}/folder", "There is no folder or file /no/such/{0}/folder"),
        ("~nobody-of-that-name/x", "There is no folder or file"),
        ("/" + "a" * 300, "cannot be read: File name too long"),
    ],
)
@posix
def test_what_is_no_path_gets_a_plain_sentence(typed: str, said: str, articles: Path) -> None:
    with pytest.raises(InputError) as refused:
        look(typed, articles)
    assert said in str(refused.value)


def test_the_articles_themselves_are_not_added_again(articles: Path, tmp_path: Path) -> None:
    Manager(articles).add("a.txt", TEXT)
    for path in (articles, articles / "islands", beside(articles), beside(articles) / "uploads"):
        with pytest.raises(InputError, match="is read already"):
            look(path, articles)
    (tmp_path / "new.txt").write_bytes(TEXT)
    found = look(tmp_path, articles)  # around them: only what else is there
    assert names(found) == [f"{tmp_path.name}/new.txt"]


def test_limits_are_said_before_anything_is_copied(
    reports: Path, articles: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(InputError, match=r"Nothing was added: .* have 0 MB"):
        look(reports, articles, Config(uploads_bytes=100))
    monkeypatch.setattr(local_files, "FILES_AT_ONCE", 2)
    with pytest.raises(InputError, match="more than 2 files that can be read"):
        look(reports, articles)
    monkeypatch.setattr(local_files, "MOST_FOLDER_ENTRIES", 5)
    with pytest.raises(InputError, match="more than 5 files and folders"):
        look(reports, articles)


def test_a_folder_without_articles_says_so(tmp_path: Path, articles: Path) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "a.jpg").write_bytes(b"x")
    with pytest.raises(InputError, match=r"no file in .*photos of a format that is read: \.txt"):
        look(tmp_path / "photos", articles)


@posix
def test_links_pipes_and_devices_are_left_alone(
    reports: Path, articles: Path, tmp_path: Path
) -> None:
    secret = tmp_path / "secret"
    secret.mkdir()
    (secret / "s.txt").write_bytes(b"Secret\n\nNobody may read it.\n")
    (reports / "out.txt").symlink_to(secret / "s.txt")
    (reports / "up").symlink_to(secret)
    (reports / "loop").symlink_to(reports)
    (reports / "inside.txt").symlink_to(reports / "a.txt")
    os.mkfifo(reports / "pipe.txt")
    found = look(reports, articles)
    assert len(found.files) == 3
    links = ("inside.txt", "loop", "out.txt", "up")
    assert {*found.refused} == {
        *(f"reports/{name} is a link, which is not followed." for name in links),
        "reports/pipe.txt is not a regular file.",
    }
    for path in (reports / "pipe.txt", Path("/dev/zero"), Path("/dev/stdin")):
        with pytest.raises(InputError, match=r"neither a folder nor a file|cannot be read|no fold"):
            look(path, articles)
    # The folder that was typed may be a link: its owner has named it.
    (tmp_path / "shortcut").symlink_to(reports)
    assert len(look(tmp_path / "shortcut", articles).files) == 3


@posix
def test_what_is_replaced_after_it_was_found_is_not_read(reports: Path, articles: Path) -> None:
    file, other, *_ = look(reports, articles).files
    assert read_local(file, 1_000) == TEXT + b"a.txt"
    with pytest.raises(InputError, match=r"reports/a\.txt is too large \(0\.0 MB"):
        read_local(file, 10)
    file.location.unlink()
    with pytest.raises(InputError, match=r"reports/a\.txt cannot be read: No such file"):
        read_local(file, 1_000)
    file.location.symlink_to("/etc/passwd")
    with pytest.raises(InputError, match="is a link"):
        read_local(file, 1_000)
    file.location.unlink()
    os.mkfifo(file.location)  # to open it would wait for ever
    with pytest.raises(InputError, match="is not a regular file"):
        read_local(file, 1_000)
    outside = reports.with_name("outside")
    other.location.parent.rename(outside)
    other.location.parent.symlink_to(outside)  # a folder on the way
    with pytest.raises(InputError, match="is a link"):
        read_local(other, 1_000)


@posix
def test_a_name_that_is_not_unicode_can_be_shown(reports: Path, articles: Path) -> None:
    try:
        (reports / os.fsdecode(b"\xff.txt")).write_bytes(TEXT)
    except OSError:
        pytest.skip("this file system has no such names")
    found = look(reports, articles)
    assert any("\\xff.txt" in file.shown for file in found.files)
    assert "".join(names(found)).encode()


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="root may read anything")
def test_what_may_not_be_read_is_said(reports: Path, articles: Path) -> None:
    (reports / "2024").chmod(0)
    try:
        found = look(reports, articles)
        assert found.refused == ("The folder reports/2024 cannot be listed: Permission denied.",)
    finally:
        (reports / "2024").chmod(0o700)


# -- where it is kept -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("folder", "clean"),
    [
        ("", ""),
        ("reports/2024", "reports/2024/"),
        ("../../etc", "etc/"),
        ("/a//b/", "a/b/"),
        (".git/x", "git/x/"),
        ("news.zip/site.HTML", "news zip/site HTML/"),  # no collections of articles
        ("old.footnote", "old footnote/"),  # which would not be read
        ("a\\..\\b", "a/b/"),
        ("con/aux", "article con/article aux/"),
        ("v1.2", "v1.2/"),
        ("\u202efdp/ \udcff", "fdp/article/"),
        ("/".join("a" * 40), "a/" * 16),
    ],
)
def test_names_of_folders_are_cleaned(folder: str, clean: str) -> None:
    assert clean_folder(folder) == clean


def test_folders_keep_their_names_and_nothing_is_overwritten(articles: Path) -> None:
    manager = Manager(articles)
    assert manager.add("a.txt", TEXT, "reports/2024") == "uploads/reports/2024/a.txt"
    assert manager.add("a.txt", TEXT, "reports/2024") == "uploads/reports/2024/a.txt"
    assert manager.add("a.txt", TEXT + b".", "reports/2024") == "uploads/reports/2024/a (2).txt"
    assert manager.add("a.txt", TEXT, "site.html") == "uploads/site html/a.txt"
    found = {file.path for file in find_articles(articles)}
    added = sorted(path for path in found if path.startswith("uploads/"))
    assert len(added) == 3
    assert [file_in(path) for path in added] == added
    moved = manager.remove("uploads/reports/2024/a.txt")
    assert moved.as_posix().endswith("uploads/reports/2024/a.txt")
    (articles / "uploads" / "reports").mkdir(parents=True)
    (articles / "uploads" / "reports" / "b.txt").write_bytes(b"Its own.\n\nIt was first.\n")
    assert manager.add("b.txt", TEXT, "reports") == "uploads/reports/b (2).txt"


def test_sub_folders_count_for_the_limit(articles: Path) -> None:
    manager = Manager(articles, Config(uploads_bytes=100))
    manager.add("a.txt", TEXT, "one")
    with pytest.raises(InputError, match=r"two/b\.txt does not fit"):
        manager.add("b.txt", TEXT, "two")


@posix
def test_a_link_among_the_uploads_is_not_written_through(articles: Path, tmp_path: Path) -> None:
    manager = Manager(articles)
    manager.add("a.txt", TEXT)
    (beside(articles) / "uploads" / "reports").symlink_to(tmp_path)
    with pytest.raises(InputError, match="a link leads out"):
        manager.add("b.txt", TEXT, "reports")
    assert not (tmp_path / "b.txt").exists()


# -- what the page does -----------------------------------------------------------------------


class Counting(Updater):
    """Counts the updates that are asked for, and makes none."""

    def __init__(self) -> None:
        super().__init__(lambda _: None)  # type: ignore[arg-type, return-value]
        self.requests = 0

    def request(self) -> None:
        self.requests += 1


@pytest.fixture
def librarian(articles: Path) -> Librarian:
    config = Config(article_bytes=1_000, collection_bytes=1_000)
    return Librarian(FakeRag(), Manager(articles, config), Counting(), local=True)


def uploads(librarian: Librarian) -> set[str]:
    assert librarian.manager is not None
    folder = beside(librarian.manager.articles) / "uploads"
    return {f.relative_to(folder).as_posix() for f in folder.rglob("*") if f.is_file()}


def test_the_files_are_copied_and_the_rest_is_listed(librarian: Librarian, reports: Path) -> None:
    (reports / "big.txt").write_bytes(TEXT * 100)
    (reports / "broken.pdf").write_bytes(b"%PDF-1.4 nothing")
    before = sorted(path for path in reports.rglob("*"))
    first, *_, last = librarian.add_path(str(reports), here=True)
    assert "Copying the files of <b" in first
    assert "0 of 5 files" in first
    assert uploads(librarian) == {"reports/a.txt", "reports/2024/a.txt", "reports/2024/May/b.md"}
    assert sorted(path for path in reports.rglob("*")) == before
    assert "2 files could not be added" in last
    assert "reports/big.txt is too large" in last
    assert "reports/broken.pdf" in last
    assert "4 files of other formats are left out (.jpg, .xlsx)." in last
    assert isinstance(librarian.updater, Counting)
    assert librarian.updater.requests == 1


def test_only_this_computer_may_name_a_path(librarian: Librarian, reports: Path) -> None:
    [said] = librarian.add_path(str(reports), here=False)
    assert texts.NOT_BY_PATH in said
    elsewhere = Librarian(librarian.rag, librarian.manager, librarian.updater)
    [said] = elsewhere.add_path(str(reports), here=True)
    assert texts.NOT_BY_PATH in said
    [said] = Librarian(librarian.rag, local=True).add_path(str(reports), here=True)
    assert texts.NOT_BY_PATH in said
    assert uploads(librarian) == set()


@pytest.mark.parametrize("typed", [None, 7, ["/etc"], {}, "", "nothing"])
def test_what_the_browser_sends_is_not_trusted(librarian: Librarian, typed: object) -> None:
    [said] = librarian.add_path(typed, here=True)
    assert 'class="wrong"' in said


def test_a_hostile_path_stays_text(librarian: Librarian) -> None:
    [said] = librarian.add_path("/<img src=x onerror=alert(1)>", here=True)
    assert "<img" not in said
    assert "&lt;img" in said


def test_a_page_that_is_closed_meanwhile_leaves_no_file_unread(
    librarian: Librarian, reports: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(librarian_module, "EVERY", 0.0)
    steps = librarian.add_path(str(reports), here=True)
    next(steps)
    assert "1 of 3 files" in next(steps)
    steps.close()  # type: ignore[attr-defined]
    assert uploads(librarian) == {"reports/a.txt"}
    assert isinstance(librarian.updater, Counting)
    assert librarian.updater.requests == 1


def request(client: str | None, **headers: str) -> SimpleNamespace:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return SimpleNamespace(client=client and SimpleNamespace(host=client), headers=named)


def test_a_path_is_typed_here_only_on_the_own_page_in_a_browser_of_this_machine() -> None:
    own = {"host": "127.0.0.1:7860", "origin": "http://127.0.0.1:7860"}
    assert typed_here(request("127.0.0.1", **own))
    assert typed_here(request("::1", host="[::1]:7860", origin="http://[::1]:7860"))
    assert not typed_here(request("192.0.2.7", **own))
    assert not typed_here(request(None, **own))
    for name in ("forwarded", "via", "x_forwarded_for", "x_real_ip"):
        assert not typed_here(request("127.0.0.1", **own, **{name: "192.0.2.7"}))
    for origin in ("null", "", "https://app.example", "http://127.0.0.1:7861", "http://[", "file:"):
        assert not typed_here(request("127.0.0.1", host=own["host"], origin=origin))
    assert not typed_here(request("127.0.0.1", host=own["host"]))
    assert not typed_here(request("127.0.0.1", host="", origin=""))


def test_a_file_is_named_with_its_folders() -> None:
    assert LocalFile(Path("/x/y/a.txt"), "y").shown == "y/a.txt"
    assert LocalFile(Path("/x/a.txt"), "").shown == "a.txt"
