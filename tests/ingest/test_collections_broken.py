"""What is broken in a table, a feed or an archive keeps none of its other articles out."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import pytest
from parts import GOOD, nested, read, zipped

from rag.config import Config
from rag.errors import ArticleError
from rag.ingest.formats import parts_of
from rag.ingest.loaders import archives as load_zip_module
from rag.ingest.loaders import tables as load_rows_module


def encrypted_zip() -> bytes:
    data = bytearray(zipped(("a.txt", GOOD), ("b.txt", "Another text.")))
    data[6] |= 1  # the flag in the first file's own header, and in the list of files
    data[data.index(b"PK\x01\x02") + 8] |= 1
    return bytes(data)


# Tables: the rows that can be read go in.


def test_broken_rows_are_named_and_the_others_read() -> None:
    lines = [
        json.dumps({"text": GOOD}),
        '{"text": "cut off',
        '{"title": "No text"}',
        "17",
        json.dumps({"text": "x" * 10_000_001}),
        '{"text": "lone \\ud800 half"}',
    ]
    found = read("a.jsonl", "\n".join(lines))
    assert list(found) == [f"a.jsonl/{n}" for n in range(1, 7)]
    assert list(found.values()) == [
        GOOD,
        "is no JSON (Unterminated string starting at: line 1 column 10 (char 9))",
        "has no text",
        "is no row with named fields",
        "has too long a text (10,000,001 characters; the limit is 10 million)",
        "lone \ufffd half",
    ]


def test_a_giant_field_of_a_csv_keeps_no_other_row_out() -> None:
    found = read("a.csv", f"title,text\nOne,{'x' * 11_000_000}\nTwo,{GOOD}\n")
    assert found == {
        "a.csv/1": "has too long a text (11,000,000 characters; the limit is 10 million)",
        "a.csv/2": GOOD,
    }


def test_a_quotation_mark_that_is_never_closed() -> None:
    assert read("a.csv", f'title,text\nOne,{GOOD}\nTwo,"It goes on\nThree,{GOOD}\n') == {
        "a.csv/1": GOOD,
        "a.csv/2": "is not read from here on: a quotation mark is never closed",
    }
    assert read("a.csv", f'title,text\nOne,"{GOOD}" he said\nTwo,{GOOD}\n') == {
        "a.csv/1": f"{GOOD} he said",
        "a.csv/2": GOOD,
    }


def test_too_many_rows_are_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load_rows_module, "MOST_ROWS", 2)
    found = read("a.jsonl", "\n".join([json.dumps({"text": GOOD})] * 5))
    assert found == {
        "a.jsonl/1": GOOD,
        "a.jsonl/2": GOOD,
        "a.jsonl": "has more than 2 rows: the others are left out",
    }


# Archives.


def test_no_name_in_a_zip_leaves_it_and_no_link_is_followed(tmp_path: Path) -> None:
    link = zipfile.ZipInfo("link.txt")
    link.create_system, link.external_attr = 3, 0o120777 << 16
    file = io.BytesIO(zipped(("../../up.txt", GOOD), ("/abs.txt", GOOD), ("C:\\x.txt", GOOD)))
    with zipfile.ZipFile(file, "a") as archive:
        archive.writestr(link, "/etc/passwd")
        archive.writestr("a/./b.txt", GOOD)
    assert read("a.zip", file.getvalue()) == {
        "a.zip/up.txt": "has a name that leaves the archive",
        "a.zip/abs.txt": "has a name that leaves the archive",
        "a.zip/C:/x.txt": "has a name that leaves the archive",
        "a.zip/link.txt": "is a link",
        "a.zip/a/b.txt": GOOD,
    }
    assert list(tmp_path.iterdir()) == []


def test_an_encrypted_file_in_a_zip() -> None:
    assert read("a.zip", encrypted_zip()) == {
        "a.zip/a.txt": "is encrypted: pack it again without a password",
        "a.zip/b.txt": "Another text.",
    }


def test_a_zip_bomb() -> None:
    assert read("a.zip", zipped(("bomb.txt", bytes(9_000_000)), ("good.txt", GOOD))) == {
        "a.zip/bomb.txt": "is packed suspiciously small (a zip bomb?)",
        "a.zip/good.txt": GOOD,
    }


def test_zips_in_zips_share_their_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    assert read("a.zip", nested(2)) == {"a.zip/inner.zip/inner.zip/deep.txt": GOOD}
    assert read("a.zip", nested(3)) == {
        "a.zip/inner.zip/inner.zip/inner.zip": "is a zip in a zip in a zip (the limit is 3)"
    }
    monkeypatch.setattr(load_zip_module, "MOST_ENTRIES", 3)
    inner = zipped(("b.txt", GOOD), ("c.txt", GOOD), ("d.txt", GOOD))
    found = read("a.zip", zipped(("inner.zip", inner), ("e.txt", GOOD)))
    assert [path for path, text in found.items() if text == GOOD] == [
        "a.zip/inner.zip/b.txt",
        "a.zip/inner.zip/c.txt",
    ]
    assert "has more than 3 files: the others are left out" in found.values()


def test_a_zip_that_is_large_when_unpacked() -> None:
    data = zipped(*((f"{n}.txt", f"{n} " * 400_000) for n in range(3)))
    parts = parts_of("a.zip", data, Config(collection_bytes=2_000_000))
    with pytest.raises(ArticleError, match="is left out: the archive is too large when unpacked"):
        parts[2].load()
    assert parts[0].load().text.startswith("0 0 ")


def test_files_of_the_same_name_in_a_zip_are_both_read() -> None:
    with pytest.warns(UserWarning, match="Duplicate name"):
        data = zipped(("a.txt", GOOD), ("a.txt", "Another."))
    assert read("a.zip", data) == {"a.zip/a.txt": GOOD, "a.zip/a.txt (2)": "Another."}
