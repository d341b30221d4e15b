"""Collections whose fields have names that nobody knows: the person gives them, the index keeps
them.
"""

from __future__ import annotations

import json
from argparse import ArgumentTypeError
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from rag.cli.main import main
from rag.config import Config
from rag.errors import ArticleError
from rag.index.index import Index
from rag.index.sync import plan, sync
from rag.ingest.formats import parts_of
from rag.ingest.loaders.tables import Fields, parse_fields
from rag.models.encoder import HashedEncoder
from rag.types import Article

ROWS = [
    {
        "Nr": 7,
        "Kop": "Flood in Tarn",
        "Inhoud": "The Tarn rose two metres.",
        "dag": "2024-03-08",
    },
    {"Nr": 8, "Kop": "Owls of Lisk", "Inhoud": "Rangers counted eleven owls.", "dag": "2023-11-20"},
]
GIVEN = parse_fields("text=inhoud, title=Kop, published=dag, id=nr")


def read(rows: Sequence[object], fields: Fields | None) -> list[Article]:
    data = json.dumps(rows).encode()
    return [part.load() for part in parts_of("a.json", data, Config(fields=fields))]


def test_given_names_are_used() -> None:
    first, second = read(ROWS, GIVEN)
    assert (first.path, first.title, first.published) == ("a.json/7", "Flood in Tarn", "2024-03-08")
    assert second.text[second.body_start :].strip() == "Rangers counted eleven owls."


def test_without_them_the_error_says_that_they_can_be_given() -> None:
    with pytest.raises(ArticleError, match=r"its fields: 'Nr', 'Kop', .* index --fields text=NAME"):
        read(ROWS, None)


def test_a_given_name_goes_before_the_known_ones() -> None:
    row = {"text": "An abstract.", "lead": "The whole article.", "title": "A"}
    (article,) = read([row], parse_fields("text=lead"))
    assert "The whole article." in article.text
    assert "abstract" not in article.text
    assert article.title == "A"


@pytest.mark.parametrize("text", ["text", "text=", "body=text", "text=a,text=b", "=a", "text=--"])
def test_what_is_no_field_is_refused(text: str) -> None:
    with pytest.raises(ArgumentTypeError, match="is not such as title=headline"):
        parse_fields(text)


def test_the_index_keeps_the_fields_for_later_syncs(
    tmp_path: Path, config: Config, encoder: HashedEncoder
) -> None:
    folder, index = tmp_path / "articles", tmp_path / "index"
    folder.mkdir()
    file = folder / "a.json"
    file.write_text(json.dumps(ROWS))
    with pytest.raises(ArticleError, match="no field with the text"):
        sync(folder, index, config, encoder)
    given = replace(config, fields=GIVEN)
    assert sync(folder, index, given, encoder).added == ("a.json/7", "a.json/8")
    # A sync that says nothing of fields, of a file that has changed.
    file.write_text(json.dumps([*ROWS, {"Nr": 9, "Kop": "Third", "Inhoud": "A third article."}]))
    assert plan(folder, index, config, encoder).added == ("a.json/9",)
    done = sync(folder, index, config, encoder)
    assert (done.added, done.edited, done.unchanged) == (("a.json/9",), (), 2)
    # Other names: what they change is read again.
    done = sync(folder, index, replace(config, fields=parse_fields("text=Kop,id=nr")), encoder)
    assert done.edited == ("a.json/7", "a.json/8", "a.json/9")
    opened = Index.open(index, config, encoder)  # asks for no rebuild
    assert "Flood in Tarn" in opened.article("a.json/7").text
    assert "two metres" not in opened.article("a.json/7").text
    opened.close()


def test_fields_are_kept_even_where_no_row_is_there_yet(
    tmp_path: Path, config: Config, encoder: HashedEncoder, articles: Path
) -> None:
    index = tmp_path / "index"
    sync(articles, index, config, encoder)
    assert not sync(articles, index, replace(config, fields=GIVEN), encoder).any()
    (articles / "a.json").write_text(json.dumps(ROWS))
    assert sync(articles, index, config, encoder).added == ("a.json/7", "a.json/8")


def test_the_option(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "articles"
    folder.mkdir()
    (folder / "a.json").write_text(json.dumps(ROWS))
    command = ["index", str(folder), "--index", str(tmp_path / "index"), "--encoder", "hashed"]
    assert main([*command, "--fields", "text=Inhoud,title=Kop"]) == 0
    assert "2 added" in capsys.readouterr().out
    assert main(command) == 0
    assert "2 unchanged" in capsys.readouterr().out
    assert main([*command, "--fields", "words=Inhoud"]) == 2
    assert "is not such as title=headline" in capsys.readouterr().err
