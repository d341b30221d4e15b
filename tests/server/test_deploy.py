"""The deployment files, as far as they can be checked without a container engine."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from rag.server.settings import settings

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "docs/deploy"


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


def test_what_the_container_writes_lies_in_its_volumes() -> None:
    text = (DEPLOY / "Containerfile").read_text("utf-8")
    volumes = re.search(r"^VOLUME (\[.*\])$", text, re.MULTILINE)
    assert volumes
    names = json.loads(volumes[1])
    environment = dict(re.findall(r"(\w+)=(/\S+)", text))
    for name in ("FOOTNOTE_INDEX", "FOOTNOTE_MODELS_DIR", "XDG_DATA_HOME"):
        assert any(Path(environment[name]).is_relative_to(volume) for volume in names), name
    script = (
        "from pathlib import Path; from rag.history import storage as kept; "
        "print(kept.default_folder(Path(), ''))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, **environment, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    if sys.platform == "linux":  # conversations and ratings
        assert done.stdout.startswith("/index/footnote/")


def test_the_health_check_of_the_container_tells_up_from_down() -> None:
    text = (DEPLOY / "Containerfile").read_text("utf-8").replace("\\\n", "")
    found = re.search(r"^HEALTHCHECK .* CMD (\[.*\])$", text, re.MULTILINE)
    assert found
    program, option, script = json.loads(found[1])
    assert (Path(program).name, option) == ("python", "-c")
    with HTTPServer(("127.0.0.1", 0), Alive) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        here = script.replace(":7860/", f":{server.server_port}/")
        command = [sys.executable, option, here]
        assert subprocess.run(command, check=False).returncode == 0
        server.shutdown()
    down = subprocess.run(command, check=False, stderr=subprocess.DEVNULL)
    assert down.returncode == 1


class Alive(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/healthz" else 404)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


def test_the_unit_sets_settings_that_there_are_and_the_signal_is_for_the_server_alone() -> None:
    unit = (DEPLOY / "footnote.service").read_text("utf-8")
    environment = dict(re.findall(r"(FOOTNOTE_\w+)=(\S+)", unit))
    assert environment.pop("FOOTNOTE_CONFIG") == "/etc/footnote/footnote.toml"
    assert {row["source"] for row in settings(environment).shown()} == {"default", *environment}
    lines = unit.splitlines()
    assert {"KillMode=mixed", "KillSignal=SIGTERM", "OOMPolicy=continue"} <= set(lines)


def test_a_system_without_openmp_is_told_what_llama_cpp_wants(tmp_path: Path) -> None:
    said = "libgomp.so.1: cannot open shared object file: No such file or directory"
    (tmp_path / "xllamacpp.py").write_text(f"raise ImportError({said!r})\n")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)])}
    done = subprocess.run(
        [sys.executable, "-m", "rag.generation.llama_server"],
        env=environment,
        cwd=ROOT,
        input="{}\n",
        capture_output=True,
        text=True,
        check=False,
    )
    wanted = f"{said}; install libgomp1 (Debian, Ubuntu) or libgomp (Fedora).\n"
    assert (done.returncode, done.stderr) == (1, wanted)


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not here")
def test_systemd_takes_the_unit(tmp_path: Path) -> None:
    unit = (DEPLOY / "footnote.service").read_text("utf-8")
    assert "FOOTNOTE_CONFIG" in unit
    file = tmp_path / "footnote.service"  # what it runs has to be there to be verified
    file.write_text(unit.replace("/opt/footnote/bin/python", sys.executable))
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(file)],
        capture_output=True,
        text=True,
        check=False,
    )
    ours = [line for line in done.stderr.splitlines() if "footnote" in line]
    assert (done.returncode, ours) == (0, [])
    exposure = subprocess.run(  # in tenths: 16 when this was written
        ["systemd-analyze", "security", "--offline=true", "--threshold=20", str(file)],
        stdout=subprocess.DEVNULL,
        check=False,
    )
    assert exposure.returncode == 0
