"""Settings by file and environment, the commands around them, and the log."""

from __future__ import annotations

import io
import json
import logging
from pathlib import Path

import pytest

from rag.cli.main import main
from rag.cli.serve import _is_local, _options
from rag.config import Config
from rag.errors import InputError
from rag.server.access import hashed, is_right
from rag.server.logs import Json, Text
from rag.server.settings import Limits, Server, settings


def test_without_any_all_are_defaults() -> None:
    found = settings({})
    assert (found.config(), found.limits(), found.server()) == (Config(), Limits(), Server())
    assert {row["source"] for row in found.shown()} == {"default"}


def test_the_environment_goes_before_the_file(tmp_path: Path) -> None:
    file, stored = tmp_path / "footnote.toml", hashed("correct horse battery")
    file.write_text(
        f'port = 8000\nhost = "0.0.0.0"\nhosts = ["a.example"]\nlog = "json"\nanswer_seconds = 30\n'
        f'articles = "news"\n[users]\nana = "{stored}"\n'
    )
    found = settings(
        {
            "FOOTNOTE_CONFIG": str(file),
            "FOOTNOTE_PORT": "9000",
            "FOOTNOTE_ORIGINS": "https://b.c, d",
            "OPENAI_API_KEY": "very secret",
            "FOOTNOTE_WATCH": "yes",
            "FOOTNOTE_TOKENS": "also secret",
        }
    )
    server = found.server()
    assert (server.port, server.host, server.hosts) == (9000, "0.0.0.0", ("a.example",))
    assert (server.articles, server.watch, server.log) == (Path("news"), True, "json")
    assert server.origins == ("https://b.c", "d")
    assert server.users == {"ana": stored}
    assert (found.config().answer_seconds, found.config().api_key) == (30.0, "very secret")
    rows = {row["name"]: row for row in found.shown()}
    assert rows["port"] == {"name": "port", "value": 9000, "source": "FOOTNOTE_PORT"}
    assert rows["host"]["source"] == str(file)
    assert rows["api_key"]["source"] == "OPENAI_API_KEY"
    shown = json.dumps(found.shown())
    assert "secret" not in shown
    assert stored not in shown


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("prot = 1", "prot is no setting"),
        ('port = "many"', "port has to be a whole number above 0"),
        ("port = 0", "port has to be"),
        ("port = 1.5", "port has to be"),
        ("port = true", "port has to be"),
        ("answer_seconds = true", "answer_seconds has to be a number above 0"),
        ('watch = "maybe"', "watch has to be true or false"),
        ("articles = 5", "articles has to be a path"),
        ('fields = ["text"]', "fields has to be a list of pairs of texts"),
        ("hosts = [1]", "hosts has to be a list"),
        ('log = "loud"', "quiet or text or json"),
        ('trusted_proxies = ["localhost"]', "a list of addresses or networks, such as 127.0.0.1"),
        ('trusted_proxies = ["*"]', "trusted_proxies has to be a list of addresses or networks"),
        ('trusted_proxies = ["10.0.0.1/8"]', "trusted_proxies has to be a list of addresses"),
        ('trusted_proxies = "127.0.0.1:80"', "trusted_proxies has to be a list of addresses"),
        ("trusted_proxies = 5", "trusted_proxies has to be a list of addresses or networks"),
        ("trusted_proxies = [5]", "trusted_proxies has to be a list of addresses or networks"),
        ('tokens = ["x"]', "tokens is no setting there"),
        ('users = {ana = "plain"}', "python -m rag password"),
        ("port =", "is not TOML"),
    ],
)
def test_a_setting_that_cannot_be_is_named_with_its_file(
    tmp_path: Path, text: str, said: str
) -> None:
    file = tmp_path / "footnote.toml"
    file.write_text(text)
    with pytest.raises(InputError) as refused:
        settings({"FOOTNOTE_CONFIG": str(file)})
    assert said in str(refused.value)
    assert str(file) in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("text", ["0", "1.0", "many", "true"])
def test_a_setting_that_cannot_be_is_named_with_its_variable(text: str) -> None:
    with pytest.raises(InputError) as refused:
        settings({"FOOTNOTE_PORT": text})
    assert str(refused.value) == "FOOTNOTE_PORT: port has to be a whole number above 0."


def test_only_what_is_given_is_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nothing else of the process, an empty variable no more than one that is not there."""
    file = tmp_path / "footnote.toml"
    file.write_text('fields = [["text", "body"]]\nindex = "~/index"\nport = "8000"\n')
    monkeypatch.setenv("FOOTNOTE_HOST", "0.0.0.0")
    found = settings(
        {
            "FOOTNOTE_CONFIG": str(file),
            "FOOTNOTE_PORT": "",
            "footnote_log": "json",
            "FOOTNOTE_API_KEY": "",
            "OPENAI_API_KEY": "secret",
        }
    )
    assert (found.server().host, found.server().log) == ("127.0.0.1", "quiet")
    assert (found.server().port, found.server().index) == (8000, Path("~/index").expanduser())
    assert found.config().fields == (("text", "body"),)
    assert found.config().api_key is None


def test_a_file_that_is_not_there_is_named() -> None:
    with pytest.raises(InputError, match=r"nowhere\.toml"):
        settings({"FOOTNOTE_CONFIG": "nowhere.toml"})
    with pytest.raises(InputError, match=r"token_file: nowhere\.txt .*rag password --token"):
        settings({"FOOTNOTE_TOKEN_FILE": "nowhere.txt"}).tokens()


def test_tokens_come_from_the_environment_and_a_file(tmp_path: Path) -> None:
    file = tmp_path / "tokens"
    file.write_text("one\ntwo\n")
    found = settings({"FOOTNOTE_TOKEN_FILE": str(file), "FOOTNOTE_TOKENS": "three"})
    assert found.tokens() == ("three", "one", "two")


def test_proxies_are_named_by_address_or_network_and_reach_the_server() -> None:
    found = settings({"FOOTNOTE_TRUSTED_PROXIES": "127.0.0.1, 10.0.0.0/8 2001:db8::/32"})
    named = ("127.0.0.1", "10.0.0.0/8", "2001:db8::/32")
    assert found.server().trusted_proxies == named
    assert _options(found).proxies == named
    assert _options(settings({})).proxies == ()
    (row,) = [row for row in found.shown() if row["name"] == "trusted_proxies"]
    assert (row["value"], row["source"]) == ([*named], "FOOTNOTE_TRUSTED_PROXIES")


def test_a_server_that_others_reach_is_not_local() -> None:
    assert _is_local("127.0.0.1", Server())
    assert not _is_local("0.0.0.0", Server())
    assert not _is_local("127.0.0.1", Server(hosts=("a.example",)))
    assert not _is_local("127.0.0.1", Server(trusted_proxies=("127.0.0.1",)))


def test_config_shows_each_value_and_where_it_came_from(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FOOTNOTE_PORT", "9000")
    assert main(["config"]) == 0
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert "port = 9000 # FOOTNOTE_PORT" in lines
    assert 'host = "127.0.0.1" # default' in lines
    assert main(["config", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["port"] == {"value": 9000, "source": "FOOTNOTE_PORT"}


def test_password_prints_a_hash_or_a_token(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("correct horse battery\n"))
    assert main(["password"]) == 0
    assert is_right("correct horse battery", capsys.readouterr().out.strip())
    assert main(["password", "--token"]) == 0
    assert len(capsys.readouterr().out.strip()) >= 40


def test_serving_others_without_a_password_is_refused_before_anything_is_built(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import signal

    monkeypatch.chdir(tmp_path)
    (tmp_path / "seeds").mkdir()
    handler = signal.getsignal(signal.SIGTERM)
    try:
        assert main(["serve", "--host", "0.0.0.0", "--no-browser"]) == 1
    finally:
        signal.signal(signal.SIGTERM, handler)
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1
    assert "Set a password or a token first" in said.err
    assert list(tmp_path.rglob("*")) == [tmp_path / "seeds"]


def test_a_log_line_has_the_request_and_stays_one_line() -> None:
    record = logging.LogRecord("rag.requests", 20, "x.py", 1, "GET %s\n200", ("/v1",), None)
    record.request_id, record.client = "abc", "user-ana"
    row = json.loads(Json().format(record))
    assert (row["message"], row["request_id"], row["client"]) == ("GET /v1 200", "abc", "user-ana")
    assert Json().format(record).count("\n") == 0
    assert Text("%(message)s").format(record).endswith("[abc]")
