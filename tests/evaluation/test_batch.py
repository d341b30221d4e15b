"""Files of questions: rows in and out, and going on with a run that was cut off."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from rag.config import Config
from rag.errors import InputError, ModelError
from rag.evaluation import batch
from rag.types import Answer, SearchResult, Turn


@dataclass
class FakeRag:
    """Answers with the question; "limit", "down" and "stop" raise."""

    config: Config = field(default_factory=lambda: Config(generator="extractive"))
    manifest: dict[str, Any] = field(default_factory=lambda: {"generation": 1})
    asked: list[tuple[str, Any, Any]] = field(default_factory=list)

    def answer(self, question: str, *, history: Any = None, date: str | None = None) -> Answer:
        self.asked.append((question, history, date))
        if question == "limit":
            raise InputError("The question is too long.")
        if question == "down":
            raise ModelError("The server does not answer.")
        if question == "stop":
            raise KeyboardInterrupt
        return Answer(question, (), (), (), True, "none", 0.0)

    def search(
        self,
        question: str,
        k: int = 10,
        *,
        history: Any = None,
        date: str | None = None,
    ) -> SearchResult:
        self.asked.append((question, k if history is None else history, None))
        return SearchResult(question, 0.5, (), ())


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return write(tmp_path / "in.jsonl", *({"id": f"q{n}", "question": f"{n}?"} for n in range(4)))


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "out.jsonl"


def write(path: Path, *rows: object) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def run(rag: FakeRag, source: Path, target: Path, **more: Any) -> batch.BatchOutcome:
    return batch.run(rag, more.pop("command", "ask"), source, target, **more)


def rows(target: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in target.read_bytes().split(b"\n")[:-1]]


def test_one_row_in_one_row_out_in_order(source: Path, target: Path) -> None:
    assert run(FakeRag(), source, target) == batch.BatchOutcome(rows=4, resumed_after=0, errors=0)
    assert [(row["id"], row["question"]) for row in rows(target)] == [
        (f"q{n}", f"{n}?") for n in range(4)
    ]
    assert list(rows(target)[0])[:3] == ["id", "question", "answer"]


def test_history_and_date_reach_the_engine_and_other_fields_do_not(
    tmp_path: Path, target: Path
) -> None:
    history = [{"role": "user", "text": "a", "x": 1}, {"role": "assistant", "text": "b\ud800"}]
    row = {"question": "q", "history": history, "date": "2024-02-29", "answers": ["no"]}
    rag = FakeRag()
    run(rag, write(tmp_path / "in.jsonl", row, {"question": "r", "date": None}), target)
    assert rag.asked == [
        ("q", (Turn("user", "a"), Turn("assistant", "b?")), "2024-02-29"),
        ("r", None, None),
    ]
    assert [row["id"] for row in rows(target)] == [None, None]
    searched = tmp_path / "searched.jsonl"
    run(rag, tmp_path / "in.jsonl", searched, command="search")
    assert rag.asked[2:] == [
        ("q", (Turn("user", "a"), Turn("assistant", "b?")), None),
        ("r", 10, None),
    ]


def test_byte_order_mark_line_ends_and_blank_lines(tmp_path: Path, target: Path) -> None:
    source = tmp_path / "in.jsonl"
    separator = '{"id": 2, "question": "a\u2028b\x85"}'.encode()
    source.write_bytes(
        b'\xef\xbb\xbf{"id": 1, "question": "a"}\r\n\r\n  \n' + separator + b"\n"
        b'{"id": 3, "question": "no line feed"}'
    )
    assert run(FakeRag(), source, target).rows == 3
    assert [row["id"] for row in rows(target)] == [1, 2, 3]
    assert rows(target)[1]["question"] == "a\u2028b\x85"
    assert len(target.read_text("utf-8").splitlines()) == 3


BAD_ROWS = [
    (b"{", None, "not JSON"),
    (b"[" * 100_000, None, "not JSON"),
    (b'{"id": "x", "question": "\xff"}', None, "not UTF-8"),
    (b"[1]", None, "not a JSON object"),
    (b'{"id": "x"}', "x", "missing or empty"),
    (b'{"id": "x", "question": null}', "x", "missing or empty"),
    (b'{"id": "x", "question": 7}', "x", "missing or empty"),
    (b'{"id": "x", "question": " \\n"}', "x", "missing or empty"),
    (b'{"id": "x", "question": "limit"}', "x", "too long"),
    (b'{"id": "x", "question": "q", "date": "2024-02-30"}', "x", "the date"),
    (b'{"id": "x", "question": "q", "date": "20240229"}', "x", "the date"),
    (b'{"id": "x", "question": "q", "date": NaN}', "x", "the date"),
    (b'{"id": "x", "question": "q", "date": [1]}', "x", "the date"),
    (b'{"id": "x", "question": "q", "history": "before"}', "x", "the history"),
    (b'{"id": "x", "question": "q", "history": [{"role": "system", "text": ""}]}', "x", "history"),
    (b'{"id": "x", "question": "q", "history": [{"role": ["user"], "text": ""}]}', "x", "history"),
    (b'{"id": "x", "question": "q", "history": [{"role": "user"}]}', "x", "the history"),
    (b'{"id": 1.5, "question": "q"}', None, "the id"),
    (b'{"id": true, "question": "q"}', None, "the id"),
    (b'{"id": ["x"], "question": "q"}', None, "the id"),
]


@pytest.mark.parametrize(("line", "identity", "reason"), BAD_ROWS)
def test_a_row_that_cannot_be_asked_says_why_and_the_run_goes_on(
    tmp_path: Path, target: Path, line: bytes, identity: object, reason: str
) -> None:
    source = tmp_path / "in.jsonl"
    source.write_bytes(b"\n" + line + b'\n{"id": "after", "question": "q"}\n')
    assert run(FakeRag(), source, target).errors == 1
    bad, good = rows(target)
    assert set(bad) == {"id", "error"}
    assert bad["id"] == identity
    assert bad["error"].startswith("line 2: ")
    assert reason in bad["error"]
    assert good["id"] == "after"


def test_lone_surrogates_do_not_break_the_output(tmp_path: Path, target: Path) -> None:
    source = tmp_path / "in.jsonl"
    source.write_bytes(b'{"id": "\\ud800", "question": "q \\udc00 \xc3\xa9"}\n')
    run(FakeRag(), source, target)
    assert "é".encode() in target.read_bytes()
    assert rows(target)[0]["id"] == "\ud800"


def test_resumes_after_half_a_row(source: Path, target: Path) -> None:
    run(FakeRag(), source, target)
    whole = target.read_bytes()
    second = whole.split(b"\n")[1]
    target.write_bytes(whole.split(b"\n")[0] + b"\n" + second[: len(second) // 2])
    said: list[str] = []
    rag = FakeRag()
    outcome = run(rag, source, target, say=said.append)
    assert outcome == batch.BatchOutcome(rows=4, resumed_after=1, errors=0)
    assert [question for question, _, _ in rag.asked] == ["1?", "2?", "3?"]
    assert target.read_bytes() == whole
    assert "resuming at row 2 (1 of 4 rows" in said[0]


def test_a_whole_run_has_nothing_to_do(source: Path, target: Path) -> None:
    run(FakeRag(), source, target)
    said: list[str] = []
    rag = FakeRag()
    run(rag, source, target, say=said.append)
    assert rag.asked == []
    assert "complete, nothing to do" in said[0]


@pytest.mark.parametrize(
    ("rag", "named"),
    [
        (FakeRag(manifest={"generation": 2}), "the index has changed"),
        (
            FakeRag(config=Config(generator="llamacpp", evidence=7)),
            'the setting evidence was 10 and is 7, the setting generator was "extractive"',
        ),
    ],
)
def test_refuses_when_index_or_settings_have_changed(
    source: Path, target: Path, rag: FakeRag, named: str
) -> None:
    run(FakeRag(), source, target)
    before = target.read_bytes()
    with pytest.raises(InputError, match=r"another --output, or delete") as refused:
        run(rag, source, target)
    assert named in str(refused.value)
    assert target.read_bytes() == before


def test_refuses_when_the_input_command_or_k_has_changed(source: Path, target: Path) -> None:
    run(FakeRag(), source, target)
    with pytest.raises(InputError, match="the command was ask and is search"):
        run(FakeRag(), source, target, command="search")
    write(source, {"id": 1, "question": "other"})
    with pytest.raises(InputError, match="the input has changed"):
        run(FakeRag(), source, target)
    found = target.with_name("found.jsonl")
    run(FakeRag(), source, found, command="search", k=3)
    with pytest.raises(InputError, match="the setting k was 3 and is 4"):
        run(FakeRag(), source, found, command="search", k=4)


def test_threads_places_and_keys_may_change_and_secrets_are_not_written(
    source: Path, target: Path
) -> None:
    config = Config(base_url="http://me:secret@host/v1", api_key="sk-secret")
    run(FakeRag(config), source, target)
    run(FakeRag(replace(config, threads=1, models_dir=Path("m"), api_key=None)), source, target)
    assert "secret" not in target.with_name("out.jsonl.run.json").read_text("utf-8")


@pytest.mark.parametrize("record", [None, b"{", b"[]", b"{}", b'{"settings": 1}'])
def test_refuses_an_output_that_nothing_is_known_about(
    source: Path, target: Path, record: bytes | None
) -> None:
    target.write_bytes(b"precious\n")
    if record is not None:
        target.with_name("out.jsonl.run.json").write_bytes(record)
    with pytest.raises(InputError, match="missing or damaged"):
        run(FakeRag(), source, target)
    assert target.read_bytes() == b"precious\n"


def test_refuses_an_output_with_too_many_rows(source: Path, target: Path) -> None:
    run(FakeRag(), source, target)
    target.write_bytes(target.read_bytes() * 2)
    with pytest.raises(InputError, match="8 rows, more than the 4"):
        run(FakeRag(), source, target)


def test_refuses_itself_and_what_is_no_file(source: Path, tmp_path: Path) -> None:
    linked = tmp_path / "link.jsonl"
    linked.symlink_to(source)
    before = source.read_bytes()
    for target in (source, linked, tmp_path):
        with pytest.raises(InputError, match="must be a file of its own"):
            run(FakeRag(), source, target)
    assert source.read_bytes() == before
    with pytest.raises(InputError, match="There is no file of questions"):
        run(FakeRag(), tmp_path / "none.jsonl", tmp_path / "out.jsonl")
    with pytest.raises(InputError, match=r"There is no folder .*none for the output"):
        run(FakeRag(), source, tmp_path / "none" / "out.jsonl")


def test_an_empty_input_gives_an_empty_output(tmp_path: Path, target: Path) -> None:
    assert run(FakeRag(), write(tmp_path / "in.jsonl"), target).rows == 0
    assert target.read_bytes() == b""


def test_a_second_process_is_refused(source: Path, target: Path) -> None:
    with (
        FileLock(target.with_name("out.jsonl.lock")),
        pytest.raises(InputError, match="Another process is writing"),
    ):
        run(FakeRag(), source, target)
    assert run(FakeRag(), source, target).rows == 4


def test_a_model_that_fails_keeps_the_rows_before(tmp_path: Path, target: Path) -> None:
    source = write(tmp_path / "in.jsonl", {"question": "one"}, {"question": "down"})
    with pytest.raises(ModelError):
        run(FakeRag(), source, target)
    assert [row["question"] for row in rows(target)] == ["one"]


def test_interrupting_keeps_the_rows_before_and_says_how_to_go_on(
    tmp_path: Path, target: Path
) -> None:
    source = write(tmp_path / "in.jsonl", {"question": "one"}, {"question": "stop"})
    with pytest.raises(KeyboardInterrupt, match="the same command goes on after them"):
        run(FakeRag(), source, target)
    assert [row["question"] for row in rows(target)] == ["one"]


def test_progress_starts_where_the_run_does(source: Path, target: Path) -> None:
    seen: list[tuple[int, int]] = []
    run(FakeRag(), source, target, progress=lambda done, total: seen.append((done, total)))
    assert seen == [(0, 4), (1, 4), (2, 4), (3, 4), (4, 4)]


def test_a_full_disk_is_one_line_and_can_be_gone_on_with(source: Path, target: Path) -> None:
    """The limit on a file's size stands for the disk: writes stop in the middle of a row."""
    script = f"""
        import resource, sys
        sys.path.insert(0, {str(Path(__file__).parent)!r})
        from pathlib import Path
        from test_batch import FakeRag, run
        from rag.errors import RagError
        limit = 2000
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
        try:
            run(FakeRag(), Path({str(source)!r}), Path({str(target)!r}))
        except RagError as error:
            print(error)
    """
    write(source, *({"id": n, "question": f"{n}" * 300} for n in range(9)))
    command = [sys.executable, "-c", textwrap.dedent(script)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stdout.startswith(f"Cannot write {target}: File too large."), done.stderr
    assert not target.read_bytes().endswith(b"\n")
    outcome = run(FakeRag(), source, target)
    assert 0 < outcome.resumed_after < 9
    assert [row["id"] for row in rows(target)] == list(range(9))
