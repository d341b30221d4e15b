"""The deployment files, as far as they can be checked without a container engine."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from rag.settings import settings

ROOT = Path(__file__).resolve().parents[1]
DEPLOY = ROOT / "deploy"


def test_the_example_of_a_settings_file_can_be_used() -> None:
    found = settings({"FOOTNOTE_CONFIG": str(DEPLOY / "footnote.toml")})
    assert found.server().articles == Path("/srv/articles")
    assert found.server().log == "json"
    text = (DEPLOY / "footnote.toml").read_text("utf-8")
    commented = set(re.findall(r"^# (\w+) =", text, re.MULTILINE)) - {"ana"}
    assert commented <= set(found.values)


def test_the_container_file_copies_and_sets_what_there_is() -> None:
    text = (DEPLOY / "Containerfile").read_text("utf-8")
    copied = re.findall(r"^COPY (?!--)(.+) \S+$", text, re.MULTILINE)
    for name in " ".join(copied).split():
        assert (ROOT / name).exists(), name
    environment = dict(re.findall(r"(FOOTNOTE_\w+)=(\S+)", text))
    found = settings(environment).shown()
    assert {row["source"] for row in found} == {"default", *environment}
    pinned = re.search(r"torch==[\d.]+", text)
    assert pinned
    assert f'"{pinned[0]}"' in (ROOT / "pyproject.toml").read_text("utf-8")


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not here")
def test_systemd_takes_the_unit(tmp_path: Path) -> None:
    unit = (DEPLOY / "footnote.service").read_text("utf-8")
    assert "FOOTNOTE_CONFIG" in unit
    file = tmp_path / "footnote.service"  # what it runs has to be there to be verified
    file.write_text(unit.replace("/opt/footnote/bin/python", sys.executable))
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(file)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    ours = [line for line in done.stderr.splitlines() if "footnote" in line]
    assert (done.returncode, ours) == (0, [])
