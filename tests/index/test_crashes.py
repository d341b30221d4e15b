"""Killed, damaged, full, read-only, vanished: the index is the old or the new one, and says so."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from rag.config import Config
from rag.errors import ArticleError, IndexCorrupt, IndexMismatch, RagError
from rag.index.index import Index
from rag.index.sync import plan, repair, sync
from rag.ingest.folder import ArticleFile
from rag.models.encoder import HashedEncoder, Spans
from rag.types import Changes, Vectors

ROOT = Path(__file__).resolve().parents[2]


def table(script: str, *options: str) -> list[list[str]]:
    """Run a module of benchmarks/index/ that fails when a case does; return its table's rows."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONHASHSEED": "0"}
    done = subprocess.run(
        [sys.executable, "-m", f"benchmarks.index.{script}", *options],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    lines = [line.strip("| ").split(" | ") for line in done.stdout.splitlines()]
    return lines[2:]


def killed(points: int) -> None:
    rows = table("crashes", "--points", str(points))
    assert {row[0] for row in rows} == {"build", "sync", "compaction", "repair"}
    assert sum(int(row[2]) + int(row[3]) for row in rows) >= 4 * points
    assert sum(int(row[4]) for row in rows) > 0  # old states
    assert sum(int(row[5]) for row in rows) > 0  # new ones


def damaged(cases: int, *options: str) -> None:
    rows = table("damage", "--cases", str(cases), *options)
    *files, whole = rows
    assert sum(row[0].startswith("store.sqlite") for row in files) == 4
    assert sum(row[0].startswith("lexical") for row in files) >= 7
    assert int(whole[1]) + int(whole[2]) == int(whole[5]) == cases * len(files)


def test_a_killed_process_leaves_the_old_or_the_new_state() -> None:
    killed(8)


def test_damage_is_found_out_or_harmless_and_repaired() -> None:
    damaged(4)


@pytest.mark.slow
def test_many_killed_processes() -> None:
    killed(75)


@pytest.mark.slow
@pytest.mark.parametrize("options", [(), ("--lists",)])
def test_much_damage(options: tuple[str, ...]) -> None:
    damaged(60, *options)


# What repair does, and does not.


class Counting(HashedEncoder):
    """Counts the passages that it encodes."""

    def __init__(self) -> None:
        self.encoded = 0

    def encode_passages(
        self, texts: Sequence[str], spans: Sequence[Spans]
    ) -> tuple[Vectors, list[Vectors]]:
        self.encoded += len(texts)
        return super().encode_passages(texts, spans)


@pytest.fixture
def folder(articles: Path, config: Config, tmp_path: Path) -> Path:
    sync(articles, tmp_path / "index", config, HashedEncoder())
    return tmp_path / "index"


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The articles that are read."""
    paths: list[str] = []
    content = ArticleFile._content

    def recorded(file: ArticleFile, most_bytes: int) -> bytes:
        paths.append(file.path)
        return content(file, most_bytes)

    monkeypatch.setattr(ArticleFile, "_content", recorded)
    return paths


def said(folder: Path, config: Config) -> dict[str, str]:
    index = Index.open(folder, config, HashedEncoder())
    try:
        return {of.path: index.article(of.path).text for of in index.contents()}
    finally:
        index.close()


def test_search_files_are_repaired_without_the_articles(
    folder: Path, articles: Path, config: Config, read: list[str]
) -> None:
    before = said(folder, config)
    (folder / "vectors-1.bin").write_bytes(b"")
    shutil.rmtree(folder / "lexical-1")
    shutil.rmtree(articles)
    encoder = Counting()
    changes = repair(articles, folder, config, encoder)
    assert changes == Changes(unchanged=4, rebuilt=f"{folder / 'vectors-1.bin'} is damaged")
    assert (read, encoder.encoded) == ([], 0)
    assert said(folder, config) == before


@pytest.mark.parametrize("run", [sync, repair])
def test_a_damaged_row_is_never_said_and_the_store_is_built_anew(
    folder: Path, articles: Path, config: Config, read: list[str], run: Callable[..., Changes]
) -> None:
    before = said(folder, config)
    store = folder / "store.sqlite"
    data = store.read_bytes()
    assert data.count(b"Snowy owls were") == 1
    store.write_bytes(data.replace(b"Snowy owls were", b"Snowy owls wear"))
    with pytest.raises(IndexCorrupt, match="--repair"):
        said(folder, config)
    changes = run(articles, folder, config, HashedEncoder())
    assert changes.added == tuple(sorted(before))
    assert "article row" in str(changes.rebuilt)
    assert sorted(read) == sorted(before)
    assert said(folder, config) == before


@pytest.mark.parametrize("run", [sync, repair])
def test_a_damaged_store_stays_where_no_other_can_be_made(
    folder: Path, articles: Path, config: Config, run: Callable[..., Changes]
) -> None:
    store = folder / "store.sqlite"
    store.write_bytes(b"no store" * 1_000)
    before = store.read_bytes()
    for path in articles.rglob("*.*"):
        path.write_bytes(b"")
    with pytest.raises(ArticleError, match="No article"):
        run(articles, folder, config, HashedEncoder())
    assert store.read_bytes() == before
    (articles / "ferry.txt").write_text("Ferry\n\nThere is one.")
    assert run(articles, folder, config, HashedEncoder()).added == ("ferry.txt",)
    assert not list(folder.glob("*.damaged"))


def test_a_damaged_store_of_another_folder_is_left_alone(
    folder: Path, config: Config, tmp_path: Path
) -> None:
    store = folder / "store.sqlite"
    damaged = store.read_bytes().replace(b"Snowy owls were", b"Snowy owls wear")
    store.write_bytes(damaged)
    other = tmp_path / "other"
    other.mkdir()
    (other / "a.txt").write_text("A\n\nAnother article.")
    with pytest.raises(IndexMismatch):
        sync(other, folder, config, HashedEncoder())
    with pytest.raises(RagError, match="does not exist"):
        sync(tmp_path / "nowhere", folder, config, HashedEncoder())
    assert store.read_bytes() == damaged


def test_repair_of_what_is_whole_changes_nothing(
    folder: Path, articles: Path, config: Config, read: list[str]
) -> None:
    (articles / "new.txt").write_text("New\n\nA new article.")
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert repair(articles, folder, config, HashedEncoder()) == Changes(unchanged=4)
    assert read == []
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


def test_a_store_with_damaged_pages_is_built_anew(
    articles: Path, config: Config, tmp_path: Path
) -> None:
    for n in range(60):
        text = " ".join(f"Sentence {m} of article {n} is about harbour {n * m}." for m in range(12))
        (articles / f"more-{n}.txt").write_text(f"Article {n}\n\n{text}")
    folder = tmp_path / "index"
    sync(articles, folder, config, HashedEncoder())
    before = said(folder, config)
    store = folder / "store.sqlite"
    size = store.stat().st_size
    with store.open("r+b") as file:
        file.seek(size // 2 // 4096 * 4096)
        file.write(os.urandom(4096))
    changes = repair(articles, folder, config, HashedEncoder())
    assert "store.sqlite is damaged" in str(changes.rebuilt)
    assert len(changes.added) == len(before) == 64
    assert said(folder, config) == before


# Deleted text, and space.


def test_what_was_deleted_is_in_no_file_and_its_space_is_given_back(
    articles: Path, config: Config, tmp_path: Path
) -> None:
    folder = tmp_path / "index"
    for n in range(40):
        (articles / f"more-{n}.txt").write_text(f"Number {n}\n\n" + f"Zyzzyva said {n}. " * 50)
    sync(articles, folder, config, HashedEncoder())
    full = (folder / "store.sqlite").stat().st_size
    reader = Index.open(folder, config, HashedEncoder())
    for path in articles.glob("more-*"):
        path.unlink()
    changes = sync(articles, folder, config, HashedEncoder())
    assert len(changes.removed) == 40
    reader.close()
    rest = b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
    for gone in (b"Zyzzyva", b"zyzzyva", b"zyzzyv", b"more-"):
        assert gone not in rest
    assert (folder / "store.sqlite").stat().st_size < full / 2


# What the world does.


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own, of one megabyte. Skips where none may be mounted."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(place)]
    if (
        not shutil.which("mount")
        or subprocess.run(mount, capture_output=True, check=False).returncode
    ):
        pytest.skip("no file system may be mounted here")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def test_a_full_disk_leaves_the_old_index(articles: Path, config: Config, small_disk: Path) -> None:
    folder = small_disk / "index"
    sync(articles, folder, config, HashedEncoder())
    before = said(folder, config)
    for n in range(30):
        (articles / f"new-{n}.txt").write_text(f"New {n}\n\n" + f"It is number {n}. " * 40)
    new = {path.name: path.read_text() for path in articles.glob("new-*")}
    for left in (0, 50_000, 200_000, 400_000):
        free = shutil.disk_usage(small_disk).free
        (small_disk / "filler").write_bytes(bytes(max(0, free - left)))
        with pytest.raises(RagError, match=r"^Cannot write the index .* was last written\.$"):
            sync(articles, folder, config, HashedEncoder())
        (small_disk / "filler").unlink()
        # The text is written before its vectors: all of it, or nothing.
        assert said(folder, config) in (before, before | new)
    for path in articles.glob("new-*"):
        path.unlink()
    (articles / "new.txt").write_text("New\n\nA new article.")
    assert sync(articles, folder, config, HashedEncoder()).added == ("new.txt",)


def test_a_folder_that_cannot_be_written_is_read(
    folder: Path, articles: Path, config: Config, tmp_path: Path
) -> None:
    before = said(folder, config)
    script = (
        "import os, sys; from pathlib import Path\n"
        "from rag.config import Config; from rag.models.encoder import HashedEncoder\n"
        "from rag.errors import RagError; from rag.index.index import Index; from rag.index.sync "
        "import sync\n"
        "if os.getuid() == 0: os.setuid(65534)\n"
        "articles, folder = map(Path, sys.argv[1:])\n"
        "config = Config(encoder='hashed', passage_tokens=24, store='numpy')\n"
        "index = Index.open(folder, config, HashedEncoder())\n"
        "print(len(index.contents()))\n"
        "try: sync(articles, folder, config, HashedEncoder())\n"
        "except RagError as error: print(error)\n"
    )
    for path in (*folder.rglob("*"), folder):
        path.chmod(0o555 if path.is_dir() else 0o444)
    for path in (tmp_path, *tmp_path.parents):
        if "pytest" in str(path):  # not the system's own
            path.chmod(0o755)
    try:
        done = subprocess.run(
            [sys.executable, "-c", script, articles, folder],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
    finally:
        for path in (folder, *folder.rglob("*")):
            path.chmod(0o755)
    assert done.stderr == ""
    first, last = done.stdout.splitlines()
    assert first == "4"
    assert last.startswith(f"Cannot write the index {folder}: Permission denied. The index there")
    assert said(folder, config) == before


def test_a_folder_that_vanishes_while_it_is_written(
    folder: Path, articles: Path, config: Config
) -> None:
    (articles / "new.txt").write_text("New\n\nA new article.")

    def vanish(done: int, _all: int) -> None:
        if done == 3:
            shutil.rmtree(folder)

    with pytest.raises(RagError, match="Cannot write the index"):
        sync(articles, folder, config, HashedEncoder(), vanish)
    sync(articles, folder, config, HashedEncoder())
    assert len(said(folder, config)) == 5


def test_a_reader_of_a_folder_that_vanishes_keeps_its_state(folder: Path, config: Config) -> None:
    index = Index.open(folder, config, HashedEncoder())
    shutil.rmtree(folder)
    assert len(index.contents()) == 4
    with pytest.raises(RagError, match="There is no index in"):
        index.newer(config, HashedEncoder())
    index.close()


def test_articles_that_vanish_leave_the_index(folder: Path, articles: Path, config: Config) -> None:
    before = said(folder, config)
    shutil.rmtree(articles)
    with pytest.raises(RagError, match="does not exist"):
        sync(articles, folder, config, HashedEncoder())
    assert said(folder, config) == before


def test_a_file_that_changes_while_it_is_read_is_right_after_the_next_sync(
    folder: Path, articles: Path, config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = ArticleFile._content

    def then_changed(file: ArticleFile, most_bytes: int) -> bytes:
        data = content(file, most_bytes)
        if file.path == "ferry.txt":
            file.location.write_text("Ferry\n\nThere is no ferry any more.")
        return data

    with monkeypatch.context() as patched:
        patched.setattr(ArticleFile, "_content", then_changed)
        assert sync(articles, folder, config, HashedEncoder()).edited == ()
    assert "nine euros" in said(folder, config)["ferry.txt"]  # a whole text, if an old one
    assert sync(articles, folder, config, HashedEncoder()).edited == ("ferry.txt",)
    assert "nine euros" not in said(folder, config)["ferry.txt"]


def test_a_clock_that_jumps_back(
    folder: Path, articles: Path, config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time, "time", lambda: 0.0)
    path = articles / "ferry.txt"
    size = path.stat().st_size
    path.write_text("Ferry\n\n" + "x" * (size - 8) + ".")
    os.utime(path, (0, 0))
    index = Index.open(folder, config, HashedEncoder())
    assert sync(articles, folder, config, HashedEncoder()).edited == ("ferry.txt",)
    newer = index.newer(config, HashedEncoder())
    assert newer is not None
    assert newer.article("ferry.txt").text == path.read_text()
    newer.close()
    index.close()


# A plan.


CHANGES: list[Callable[[Path], object]] = [
    lambda articles: None,
    lambda articles: (articles / "new.txt").write_text("New\n\nA new article."),
    lambda articles: (articles / "ferry.txt").write_text("Ferry\n\nThere is none."),
    lambda articles: (articles / "ferry.txt").rename(articles / "boat.txt"),
    lambda articles: (articles / "ferry.txt").unlink(),
    lambda articles: (articles / "ferry.txt").write_bytes(b""),
    lambda articles: [path.rename(path.with_suffix("")) for path in articles.rglob("*.*")],
    lambda articles: [path.write_bytes(b"") for path in articles.rglob("*.*")],
]


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("damage", [None, "vectors-1.bin", "row", "settings"])
def test_a_plan_is_what_sync_does(
    folder: Path,
    articles: Path,
    config: Config,
    change: Callable[[Path], object],
    damage: str | None,
) -> None:
    change(articles)
    if damage == "vectors-1.bin":
        (folder / damage).unlink()
    if damage == "row":
        store = folder / "store.sqlite"
        store.write_bytes(store.read_bytes().replace(b"Snowy owls were", b"Snowy owls wear"))
    if damage == "settings":
        config = Config(encoder="hashed", passage_tokens=20, store="numpy")
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    encoder = Counting()
    planned = plan(articles, folder, config, encoder)
    assert encoder.encoded == 0
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before
    assert sync(articles, folder, config, HashedEncoder()) == planned


# A newer state.


def test_a_reader_asks_for_the_newer_state(folder: Path, articles: Path, config: Config) -> None:
    index = Index.open(folder, config, HashedEncoder())
    assert index.newer(config, HashedEncoder()) is None
    (articles / "ferry.txt").unlink()
    sync(articles, folder, config, HashedEncoder())
    newer = index.newer(config, HashedEncoder())
    assert newer is not None
    assert len(newer.contents()) == 3
    assert len(index.contents()) == 4
    index.close()
    newer.close()
