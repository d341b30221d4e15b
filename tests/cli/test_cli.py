"""The command line's contracts: outputs, exit codes, one line for each error, a safe terminal."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace, TracebackType
from typing import Any, Self, cast

import pytest

from rag import app
from rag.answering import pipeline
from rag.cli.main import main
from rag.cli.parser import parser
from rag.config import Config
from rag.errors import ModelError
from rag.models.encoder import HashedEncoder
from rag.types import Answer, Citation, Claim, ClaimVerified, Event, Evidence, EvidenceFound

HASHED = ("--encoder", "hashed")
QUOTES = (*HASHED, "--generator", "extractive")
FERRY = """The ferry to Hvar
Published: 2024-06-03

The ferry to Hvar leaves Split every morning at seven. Tickets cost nine euros in summer.
"""
HOSTILE = "\x1b[31mRed\x07 \x9b2J\u202etxt.exe\x00"


class Output:
    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err

    def one_line(self) -> str:
        assert self.code == 1
        assert self.out == ""
        assert self.err.count("\n") == 1
        assert "Traceback" not in self.err
        return self.err


Run = Callable[..., Output]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty folder to run in, with a folder of articles; the environment is put back."""
    environment = dict(os.environ)
    for name in ("FOOTNOTE_MODELS_DIR", "OPENAI_BASE_URL", "OPENAI_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "seeds").mkdir()
    (tmp_path / "seeds" / "ferry.txt").write_text(FERRY, encoding="utf-8")
    yield tmp_path
    os.environ.clear()
    os.environ.update(environment)


@pytest.fixture
def run(home: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    def call(*arguments: object) -> Output:
        code = main([str(argument) for argument in arguments])
        return Output(code, *capsys.readouterr())

    return call


@pytest.fixture
def indexed(run: Run) -> Run:
    assert run("index", "seeds", *HASHED).code == 0
    return run


class FakeRag:
    """Yields scripted events; what it was opened and asked with is kept."""

    events: tuple[Event, ...] = ()
    raises: BaseException | None = None
    opened: tuple[Path, Config] | None = None
    asked: tuple[str, str | None] | None = None

    def open(self, index: Path, config: Config) -> Self:
        self.opened = (index, config)
        return self

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...

    def stream(self, question: str, *, date: str | None = None) -> Iterator[Event]:
        self.asked = (question, date)
        yield from self.events
        if self.raises:
            raise self.raises

    def answer(self, question: str, *, date: str | None = None) -> Answer:
        *_, last = self.stream(question, date=date)
        assert isinstance(last, Answer)
        return last


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> FakeRag:
    rag = FakeRag()
    monkeypatch.setattr(pipeline, "Rag", rag)
    return rag


def answered(text: str = "It leaves at seven.", quote: str = "The ferry leaves.") -> list[Event]:
    evidence = Evidence("a.txt", "Ferry", "2024-06-03", 5, 22, quote, 0.5)
    citation = Citation(1, "a.txt", "Ferry", "2024-06-03", 5, 22, quote, 0.9)
    said = Claim(text, (1,), "supported", 0.9)
    whole = Answer("q", (said,), (citation,), (evidence,), False, None, 0.9, ("A note.",))
    return [EvidenceFound((evidence,), 0.9), ClaimVerified(said, (citation,)), whole]


# Help and usage


@pytest.mark.parametrize(
    "command", [[], ["index"], ["search"], ["ask"], ["eval"], ["models"], ["serve"]]
)
def test_every_command_has_help(run: Run, command: list[str]) -> None:
    helped = run(*command, "--help")
    assert helped.code == 0
    assert f"usage: {' '.join(['python -m rag', *command])}" in helped.out
    if command:
        assert f"  python -m rag {command[0]}" in helped.out


def test_help_is_fast_and_loads_nothing_heavy() -> None:
    script = """
        import sys
        from rag.cli.main import main
        main(["--help"])
        heavy = {"torch", "tokenizers", "transformers", "faiss", "gradio"} & set(sys.modules)
        print(sorted(heavy), file=sys.stderr)
    """
    command = [sys.executable, "-c", textwrap.dedent(script)]
    before = os.times()
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    after = os.times()
    assert done.stderr.strip() == "[]"
    # Seconds of a core, not of a clock: other processes run here. 0.2 on an idle machine.
    took = after.children_user + after.children_system
    assert took - before.children_user - before.children_system < 1.0


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["nonsense"],
        ["ask"],
        ["ask", "q", "--input", "in", "--output", "out"],
        ["ask", "--input", "in"],
        ["ask", "q", "--output", "out"],
        ["ask", "q", "--date", "yesterday"],
        ["ask", "q", "--date", "2024-02-30"],
        ["ask", "--input", "in", "--output", "out", "--date", "2024-01-01"],
        ["search", "--input", "in", "--output", "out", "--json"],
        ["search", "q", "-k", "0"],
        ["search", "q", "-k", "many"],
        ["index"],
        ["models", "burn"],
        ["serve", "--port", "x"],
    ],
)
def test_wrong_usage_is_2(run: Run, arguments: list[str]) -> None:
    wrong = run(*arguments)
    assert wrong.code == 2
    assert wrong.out == ""
    assert "usage: python -m rag" in wrong.err


def test_as_a_module(home: Path) -> None:
    command = [sys.executable, "-m", "rag", "search", "q", "--index", "none", *HASHED]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=home)
    assert done.returncode == 1
    assert done.stderr == (
        "There is no index in none. Build it with: python -m rag index ARTICLES\n"
    )


# index


def test_index_says_what_changed_and_what_was_skipped(run: Run, home: Path) -> None:
    (home / "seeds" / "empty.txt").write_text(" \n", encoding="utf-8")
    first = run("index", "seeds", *HASHED)
    assert first.code == 0
    assert "1 added" in first.out
    assert "skipped: empty.txt: " in first.out
    assert "Index: embeddings/seeds-" in first.out
    assert first.err == ""
    (home / "seeds" / "ferry.txt").unlink()
    (home / "seeds" / "new.txt").write_text("New\n\nAnother text.\n", encoding="utf-8")
    second = run("index", "seeds", "--json", *HASHED)
    changed = json.loads(second.out)
    assert (changed["added"], changed["removed"]) == (["new.txt"], ["ferry.txt"])
    assert changed["index"].startswith("embeddings/seeds-")


def test_index_at_another_place_and_of_another_folder(run: Run, home: Path) -> None:
    assert run("index", "seeds", "--index", "here", *HASHED).code == 0
    (home / "other").mkdir()
    (home / "other" / "a.txt").write_text("A title\n\nA text.\n", encoding="utf-8")
    assert "belongs to" in run("index", "other", "--index", "here", *HASHED).one_line()


def test_index_of_nothing(run: Run, home: Path) -> None:
    assert "nowhere" in run("index", "nowhere", *HASHED).one_line()
    (home / "empty").mkdir()
    assert "empty" in run("index", "empty", *HASHED).one_line()


def test_a_dry_run_says_what_would_change_and_writes_nothing(run: Run, home: Path) -> None:
    built = run("index", "seeds", "--dry-run", *HASHED)
    assert built.code == 0
    assert built.out.startswith("Nothing was written. Without --dry-run this would be done:\n")
    assert not (home / "embeddings").exists()
    indexed = json.loads(run("index", "seeds", "--json", *HASHED).out)
    (home / "seeds" / "new.txt").write_text("New\n\nA new article.")
    folder = home / indexed["index"]
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    planned = json.loads(run("index", "seeds", "--dry-run", "--json", *HASHED).out)
    assert (planned["added"], planned["dry_run"]) == (["new.txt"], True)
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


def test_repair_says_what_it_made_good(run: Run, home: Path) -> None:
    assert "There is no index in" in run("index", "seeds", "--repair", *HASHED).one_line()
    folder = home / json.loads(run("index", "seeds", "--json", *HASHED).out)["index"]
    (folder / "vectors-1.bin").write_bytes(b"")
    refused = run("search", "ferry", "--index", folder, *HASHED).one_line()
    assert refused.endswith("Repair it with: python -m rag index ARTICLES --repair\n")
    repaired = run("index", "seeds", "--repair", *HASHED)
    assert "vectors-1.bin is damaged" in repaired.out
    assert run("search", "ferry", "--index", folder, *HASHED).code == 0


# Which index


def test_the_only_index_or_that_of_seeds_is_taken(run: Run, home: Path) -> None:
    assert "python -m rag index" in run("search", "ferry", *HASHED).one_line()
    for name in ("b", "c"):
        (home / name).mkdir()
        (home / name / "x.txt").write_text(f"Title\n\nThe text of {name}.\n", encoding="utf-8")
        assert run("index", name, *HASHED).code == 0
        if name == "b":
            assert "x.txt" in run("search", "text", *HASHED).out
    refused = run("search", "text", *HASHED).one_line()
    assert "2 indexes" in refused
    assert "embeddings/b-" in refused
    run("index", "seeds", *HASHED)
    assert "ferry.txt" in run("search", "ferry", *HASHED).out
    assert "There is no index in none" in run("search", "q", "--index", "none", *HASHED).one_line()


def test_another_encoder_is_refused_with_the_command_that_helps(
    indexed: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipeline, "load_encoder", lambda *_: HashedEncoder())
    refused = indexed("search", "ferry").one_line()
    assert "encoder is 'hashed' in the index" in refused
    assert "python -m rag index" in refused


# search and ask


def test_search_prints_sentences_and_passages(indexed: Run) -> None:
    found = indexed("search", "When does the ferry leave?", "-k", 1, *HASHED)
    assert found.code == 0
    assert "“The ferry to Hvar leaves Split every morning at seven.” —" in " ".join(
        found.out.split()
    )
    row = json.loads(indexed("search", "When does the ferry leave?", "--json", *HASHED).out)
    assert set(row) == {"question", "confidence", "passages", "evidence"}
    at = row["evidence"][0]
    assert FERRY[at["start"] : at["end"]] == at["quote"]


def test_ask_json_is_one_object_by_contract(indexed: Run) -> None:
    row = json.loads(indexed("ask", "When does the ferry leave?", "--json", *QUOTES).out)
    assert {
        "question",
        "answer",
        "declined",
        "reason",
        "confidence",
        "claims",
        "citations",
        "evidence",
        "notes",
        "timings_ms",
        "models",
    } <= set(row)


def test_ask_prints_claims_then_footnotes(run: Run, fake: FakeRag) -> None:
    fake.events = tuple(answered())
    asked = run("ask", "q", "--index", "i", "--date", "2024-01-01")
    assert asked.out == (
        "It leaves at seven. [1]\n\nA note.\n\n"
        "[1] “The ferry leaves.” — Ferry, 2024-06-03 (a.txt)\n"
    )
    assert fake.asked == ("q", "2024-01-01")


def test_ask_wraps_to_the_terminal(run: Run, fake: FakeRag) -> None:
    fake.events = tuple(answered("word " * 50, "quote " * 50))
    lines = run("ask", "q", "--index", "i").out.splitlines()
    assert 70 < max(map(len, lines)) <= 80


def test_ask_shows_the_refusal_with_the_nearest_sentences(run: Run, fake: FakeRag) -> None:
    near = tuple(Evidence("a.txt", "Ferry", None, 0, 1, f"Sentence {n}.", 0.1) for n in range(5))
    fake.events = (Answer("q", (), (), near, True, "The articles do not say.", 0.1),)
    out = run("ask", "q", "--index", "i").out
    assert out.startswith("The articles do not say.\n\nNearest sentences:\n  - “Sentence 0.” —")
    assert "Sentence 2." in out
    assert "Sentence 3." not in out


def test_ask_dates_from_today(run: Run, fake: FakeRag) -> None:
    fake.events = tuple(answered())
    run("ask", "q", "--index", "i", "--json")
    assert fake.asked is not None
    assert fake.asked[1] is not None
    assert len(fake.asked[1]) == len("2024-01-01")


def test_article_text_cannot_steer_the_terminal(run: Run, fake: FakeRag) -> None:
    fake.events = tuple(answered(HOSTILE, HOSTILE))
    for options in ((), ("--json",)):
        out = run("ask", "q", "--index", "i", *options).out
        assert "Red" in out
        assert not set(out) & set("\x1b\x07\x9b\u202e\x00")


def test_lone_surrogates_are_printed_somehow(run: Run, fake: FakeRag) -> None:
    fake.events = tuple(answered("half \ud800"))
    assert run("ask", "q", "--index", "i").code == 0
    said = json.loads(run("ask", "q", "--index", "i", "--json").out)
    assert said["claims"][0]["text"] == "half \ud800"


@pytest.mark.parametrize("question", ["", "  ", "x" * 5000])
def test_a_question_that_cannot_be_asked(run: Run, question: str) -> None:
    assert "question" in run("ask", question, "--index", "i").one_line()


# Errors


def test_an_unknown_generator_lists_the_known(indexed: Run) -> None:
    refused = indexed("ask", "q", "--generator", "oracle", *HASHED).one_line()
    assert "oracle" in refused
    assert "extractive" in refused


def test_a_known_error_is_its_one_line(run: Run, fake: FakeRag) -> None:
    fake.raises = ModelError(f"The model\nis {HOSTILE}")
    assert run("ask", "q", "--index", "i").one_line().startswith("The model is [31mRed")


def test_an_unknown_error_is_one_line_too(run: Run, fake: FakeRag) -> None:
    fake.raises = ZeroDivisionError("by zero")
    assert run("ask", "q", "--index", "i").one_line() == (
        "Internal error: ZeroDivisionError: by zero; run with --debug for the traceback.\n"
    )
    for arguments in (["--debug", "ask", "q"], ["ask", "q", "--debug"]):
        debugged = run(*arguments, "--index", "i")
        assert debugged.code == 1
        assert "Traceback" in debugged.err


def test_ctrl_c_is_one_line_and_130(run: Run, fake: FakeRag) -> None:
    fake.raises = KeyboardInterrupt()
    stopped = run("ask", "q", "--index", "i")
    assert (stopped.code, stopped.out, stopped.err) == (130, "", "Stopped.\n")


def test_a_reader_that_goes_away_is_no_error(home: Path) -> None:
    script = "import rag.cli.main; rag.cli.main.main(['index', 'seeds', '--encoder', 'hashed'])"
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [sys.executable, "-c", script],
        stdout=writer,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
        cwd=home,
    )
    os.close(writer)
    assert (done.returncode, done.stderr) == (0, "")


# The environment


def test_the_environment_that_front_ends_read(
    run: Run, fake: FakeRag, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FOOTNOTE_MODELS_DIR", "/models")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://localhost:1/v1")
    monkeypatch.setenv("OPENAI_API_KEY", "key")
    monkeypatch.delenv("OMP_WAIT_POLICY")
    fake.events = tuple(answered())
    run("ask", "q", "--index", "i", "--generator", "openai", "--model", "m")
    assert fake.opened == (
        Path("i"),
        Config(
            generator="openai",
            model="m",
            models_dir=Path("/models"),
            api_key="key",
            base_url="http://localhost:1/v1",
        ),
    )
    assert os.environ["OMP_WAIT_POLICY"] == "passive"
    assert os.environ["HF_HUB_OFFLINE"] == "1"


def test_only_pulling_models_may_look_outside(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    pulled: list[str] = []
    monkeypatch.setattr("rag.models.files.pull", lambda name, _folder: pulled.append(name))
    run("models", "pull")
    assert pulled == ["all-MiniLM-L6-v2", "qwen2.5-coder-1.5b-instruct"]
    assert "HF_HUB_OFFLINE" not in os.environ


# Batches


def test_batch_from_end_to_end(indexed: Run, home: Path) -> None:
    rows = [{"id": n, "question": "When does the ferry leave?"} for n in range(3)]
    text = "".join(json.dumps(row) + "\n" for row in rows)
    (home / "in.jsonl").write_text(text + "broken\n", encoding="utf-8")
    arguments = ("--input", "in.jsonl", "--output", "out.jsonl")
    for command, options in (("ask", QUOTES), ("search", (*HASHED, "-k", 2))):
        (home / "out.jsonl").unlink(missing_ok=True)
        done = indexed(command, *arguments, *options)
        assert (done.code, done.out) == (0, "")
        assert "out.jsonl: 4 new rows, 1 of them with an error." in done.err
        out = [json.loads(line) for line in (home / "out.jsonl").read_text("utf-8").splitlines()]
        assert [row["id"] for row in out] == [0, 1, 2, None]
        assert out[3]["error"].startswith("line 4: ")
        assert "nothing to do" in indexed(command, *arguments, *options).err
    assert "the command was search and is ask" in indexed("ask", *arguments, *QUOTES).one_line()


# models


def test_models(run: Run, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FOOTNOTE_MODELS_DIR", str(home / "m"))
    listed = run("models", "list")
    assert listed.code == 0
    assert "all-MiniLM-L6-v2" in listed.out
    assert "missing" in listed.out
    assert str(home / "m") in listed.out
    assert run("models", "path").out == f"{home / 'm'}\n"
    missing = run("models", "path", "all-MiniLM-L6-v2").one_line()
    assert "python -m rag models pull all-MiniLM-L6-v2" in missing
    assert "python -m rag models pull" in run("models", "verify").one_line()
    (home / "m").mkdir()
    (home / "m" / "SmolLM2-135M-Instruct.Q4_1.gguf").write_bytes(b"not it")
    assert "damaged" in run("models", "verify").one_line()


# serve


def test_serve_syncs_and_serves(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    served: dict[str, Any] = {}

    def serve(rag: pipeline.Rag, **options: Any) -> None:
        served.update(options, articles=[article.path for article in rag.contents()])

    monkeypatch.setattr(app, "serve", serve)
    handler = signal.getsignal(signal.SIGTERM)
    try:
        assert run("serve", "--no-browser", "--port", 8123, *QUOTES).code == 0
        keeping = served.pop("options").keeping
        assert run("serve", "--no-browser", "--port", 8123, "--no-history", *QUOTES).code == 0
        options = served.pop("options")
        assert options.keeping is None
    finally:
        signal.signal(signal.SIGTERM, handler)
    assert options.manager is not None
    assert options.librarian.adds
    assert keeping.store.folder.parent.name == "conversations"
    assert not keeping.store.folder.exists()  # nothing is made before something is kept
    assert served == {
        "host": "127.0.0.1",
        "port": 8123,
        "open_browser": False,
        "articles": ["ferry.txt"],
        "log": "quiet",
    }


@pytest.mark.parametrize(
    ("options", "adds"),
    [
        (["--host", "127.0.0.1"], True),
        (["--host", "0.0.0.0"], False),  # whoever can reach it could change the articles
        (["--host", "0.0.0.0", "--uploads"], True),
        (["--host", "::1", "--no-uploads"], False),
    ],
)
def test_by_default_only_this_machine_may_change_the_articles(
    options: list[str], *, adds: bool
) -> None:
    from rag.cli.parser import parser
    from rag.cli.serve import librarian_of, updater_of
    from rag.server.headers import is_loopback

    args = parser().parse_args(["serve", "articles", *options])
    rag = cast("pipeline.Rag", SimpleNamespace(config=Config(), fill=lambda _until: 0))
    updater = updater_of(rag, args.articles)
    local = is_loopback(args.host)
    librarian = librarian_of(rag, updater, args.articles, args, local=local)
    assert librarian.adds is adds
    assert librarian.local is (local and adds)
    assert (librarian.for_programs() is not None) is adds


def test_serve_without_models_names_the_command(
    run: Run, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FOOTNOTE_MODELS_DIR", str(home / "m"))
    handler = signal.getsignal(signal.SIGTERM)
    try:
        assert "python -m rag models pull" in run("serve", "--no-browser").one_line()
    finally:
        signal.signal(signal.SIGTERM, handler)


def test_sigterm_ends_serving(home: Path) -> None:
    script = """
        import os, signal, threading, sys
        import rag.app
        from rag.cli.main import main
        def serve(rag, **options):
            os.kill(os.getpid(), signal.SIGTERM)
            threading.Event().wait(20)
        rag.app.serve = serve
        quotes = ["--encoder", "hashed", "--generator", "extractive"]
        sys.exit(main(["serve", "--index", "index", *quotes]))
    """
    command = [sys.executable, "-c", textwrap.dedent(script)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=home)
    assert (done.returncode, done.stderr) == (0, "")


def test_sigterm_before_anything_is_served_is_no_failure(home: Path) -> None:
    script = """
        import os, signal, sys
        import rag.cli.serve
        from rag.cli.main import main
        def encoder(_args):  # the first thing that takes time
            assert signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL
            os.kill(os.getpid(), signal.SIGTERM)
        rag.cli.serve._encoder = encoder
        sys.exit(main(["serve", "--encoder", "hashed", "--generator", "extractive"]))
    """
    command = [sys.executable, "-c", textwrap.dedent(script)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=home)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("share", ["0", "1", "2", "-0.5", "some", "nan"])
def test_a_share_of_errors_lies_between_0_and_1(
    share: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        parser().parse_args(["ask", "Why?", f"--accept-errors={share}"])
    assert stopped.value.code == 2
    assert "is not a number between 0 and 1" in capsys.readouterr().err


def test_a_share_of_errors_reaches_the_settings() -> None:
    args = parser().parse_args(["ask", "Why?", "--accept-errors", "0.2"])
    assert args.accept_errors == 0.2


# Only some of the articles


def test_a_question_is_limited_to_paths_and_days(run: Run, home: Path) -> None:
    (home / "seeds" / "old").mkdir()
    text = FERRY.replace("2024", "2021").replace("nine", "seven")
    (home / "seeds" / "old" / "ferry.txt").write_text(text, encoding="utf-8")
    assert run("index", "seeds", *HASHED).code == 0
    asked = "What do tickets cost in summer?"
    for options, path in (
        (("--only", "old"), "old/ferry.txt"),
        (("--only", "ferry.txt"), "ferry.txt"),
        (("--from", "2024-01-01"), "ferry.txt"),
        (("--to", "2021-12-31", "--only", "old/ferry.txt", "ferry.txt"), "old/ferry.txt"),
    ):
        found = json.loads(run("search", asked, *options, *HASHED, "--json").out)
        assert {e["article"] for e in found["evidence"]} == {path}
        answer = json.loads(run("ask", asked, *options, *QUOTES, "--json").out)
        assert {e["article"] for e in answer["evidence"]} == {path}
    assert "no article 'none.txt'" in run("ask", asked, "--only", "none.txt", *QUOTES).one_line()
    assert run("ask", asked, "--from", "yesterday", *QUOTES).code == 2
    assert run("search", "--input", "a", "--output", "b", "--only", "ferry.txt").code == 2
