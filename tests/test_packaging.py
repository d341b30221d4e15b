"""What is declared, what is in the wheel, and that it runs where it is installed."""

from __future__ import annotations

import ast
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import sysconfig
import tomllib
import zipfile
from collections.abc import Iterable, Iterator
from importlib.metadata import packages_distributions, version
from pathlib import Path
from typing import Any

import httpx
import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from served import free_port

ROOT = Path(__file__).resolve().parents[1]
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
OURS = {"rag", "app", "benchmarks"} | {path.stem for path in ROOT.glob("tests/**/*.py")}
NOT_IMPORTED = {
    "python-multipart": "FastAPI reads uploads with it",
    "lxml-html-clean": "trafilatura cleans pages with it",
    "import-linter": "a command",
    "mypy": "a command",
    "ruff": "a command",
    "pytest-cov": "an option of pytest",
    "pytest-xdist": "an option of pytest",
    "footnote-rag": "its own extras",
}


def names(requirements: Iterable[str]) -> set[str]:
    return {canonicalize_name(Requirement(each).name) for each in requirements}


def modules(nodes: Iterable[ast.AST]) -> Iterator[str]:
    """Yield the outside packages that statements import; ``pytest.importorskip`` counts."""
    for node in nodes:
        match node:
            case ast.Import(names=aliases):
                found = [alias.name for alias in aliases]
            case ast.ImportFrom(module=str(module), level=0):
                found = [module]
            case ast.Call(ast.Attribute(attr="importorskip"), [ast.Constant(str(module)), *_]):
                found = [module]
            case _:
                continue
        for name in (each.partition(".")[0] for each in found):
            if name not in OURS | sys.stdlib_module_names:
                yield name


def imported(paths: Iterable[Path]) -> dict[str, Path]:
    """Return the outside packages that files import, each with one that does."""
    trees = {path: ast.parse(path.read_text("utf-8")) for path in paths}
    return {name: path for path, tree in trees.items() for name in modules(ast.walk(tree))}


def distributions(found: dict[str, Path]) -> dict[str, Path]:
    provided = packages_distributions()
    if missing := found.keys() - provided.keys():
        pytest.skip(f"not installed: {', '.join(sorted(missing))}")
    return {canonicalize_name(provided[name][0]): path for name, path in found.items()}


def test_what_is_imported_is_declared_and_nothing_else() -> None:
    package = distributions(imported([*ROOT.glob("rag/**/*.py"), ROOT / "app.py"]))
    extras = {name: names(each) for name, each in PROJECT["optional-dependencies"].items()}
    declared = names(PROJECT["dependencies"])
    undeclared = package.keys() - declared - extras["eval"] - extras["mcp"]
    assert not undeclared, {name: package[name] for name in undeclared}
    unused = (declared | extras["eval"] | extras["mcp"]) - package.keys() - NOT_IMPORTED.keys()
    assert not unused


def test_what_tests_and_benchmarks_import_is_declared_and_nothing_else() -> None:
    files = [*ROOT.glob("tests/**/*.py"), *ROOT.glob("benchmarks/**/*.py")]
    used = distributions(imported(files))
    dev = names(PROJECT["optional-dependencies"]["dev"])
    extras = names(each for group in PROJECT["optional-dependencies"].values() for each in group)
    undeclared = used.keys() - names(PROJECT["dependencies"]) - extras
    assert not undeclared, {name: used[name] for name in undeclared}
    assert not dev - used.keys() - NOT_IMPORTED.keys()


def test_the_exact_versions_lie_in_the_declared_ranges() -> None:
    lines = (ROOT / "constraints.txt").read_text("utf-8").splitlines()
    exact = [Requirement(line) for line in lines if not line.startswith("#")]
    ranges = {each.name: each.specifier for each in map(Requirement, PROJECT["dependencies"])}
    assert {each.name for each in exact} == {"torch", "xllamacpp"}
    for each in exact:
        (pin,) = each.specifier
        assert pin.operator == "=="
        assert ranges[each.name].contains(pin.version)


def test_the_page_of_the_package_holds_no_link_or_picture_that_breaks_there() -> None:
    text = (ROOT / PROJECT["readme"]).read_text("utf-8")
    assert re.findall(r"\]\((?!https://)|<img|\]: ", text) == []
    assert len(text) > 500


# The wheel


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, made of the files under version control that the container is made of."""
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("this is no checkout of git")
    try:
        if int(version("setuptools").partition(".")[0]) < 77:
            pytest.skip("setuptools is older than 77")
    except ModuleNotFoundError:
        pytest.skip("setuptools is not installed")
    work = tmp_path_factory.mktemp("wheel")
    for name in tracked(*copied_by_the_container()):
        (work / "source" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, work / "source" / name)
    command = ["-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "--quiet"]
    subprocess.run([sys.executable, *command, "--wheel-dir", work, work / "source"], check=True)
    (made,) = work.glob("*.whl")
    return made


def tracked(*paths: str) -> list[str]:
    command = ["git", "ls-files", "-z", "--", *paths]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return [name for name in done.stdout.split("\0") if name and (ROOT / name).exists()]


def copied_by_the_container() -> list[str]:
    text = (ROOT / "docs/deploy" / "Containerfile").read_text("utf-8")
    lines = re.findall(r"^COPY (?!--)(.+) \S+$", text, re.MULTILINE)
    return [name for line in lines for name in line.split()]


def test_the_wheel_holds_every_file_of_the_package(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as opened:
        held = {name for name in opened.namelist() if ".dist-info/" not in name}
        (metadata,) = [name for name in opened.namelist() if name.endswith("METADATA")]
        described = opened.read(metadata).decode()
    assert held == set(tracked("rag"))
    assert "License-Expression: Apache-2.0" in described


# Installed


@pytest.fixture(scope="module")
def environment(wheel: Path) -> Path:
    """A fresh environment with the wheel; all else is that of the tests."""
    place = wheel.parent / "environment"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", place], check=True)
    paths = {"base": str(place), "platbase": str(place)}
    scheme = sysconfig.get_preferred_scheme("prefix")
    library = Path(sysconfig.get_path("purelib", scheme, paths))
    # A folder that a .pth file names is searched; those in it, as of an editable install, are not.
    (library / "others.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    command = [
        sys.executable,
        "-m",
        "pip",
        "--python",
        str(place),
        "install",
        "--no-deps",
        "--quiet",
    ]
    subprocess.run([*command, str(wheel)], check=True)
    return Path(sysconfig.get_path("scripts", scheme, paths))


class Installed:
    """Runs commands of the environment in a folder of nobody's, as a user with an empty home."""

    def __init__(self, scripts: Path, home: Path) -> None:
        self.scripts, self.home = scripts, home
        mine = ("PYTHON", "XDG_", "FOOTNOTE_", "COV_")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(mine)}
        self.variables = {**kept, "HOME": str(home), "COLUMNS": "1000"}

    def run(self, folder: str, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [self.scripts / program, *arguments],
            cwd=self.at(folder),
            env=self.variables,
            capture_output=True,
            text=True,
            check=False,
        )

    def row(self, folder: str, *arguments: str) -> dict[str, Any]:
        done = self.run(folder, "footnote", *arguments, "--json", "--encoder", "hashed")
        assert done.returncode == 0, done.stderr
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    def at(self, folder: str) -> Path:
        place = self.home.parent / folder
        place.mkdir(exist_ok=True)
        return place


@pytest.fixture
def installed(environment: Path, tmp_path: Path) -> Installed:
    home = tmp_path / "home"
    home.mkdir()
    return Installed(environment, home)


@pytest.fixture
def served(installed: Installed, articles: Path) -> Iterator[tuple[subprocess.Popen[str], int]]:
    port = free_port()
    options = ["--no-browser", "--port", str(port), "--encoder", "hashed"]
    command = ["serve", str(articles), *options, "--generator", "extractive"]
    with subprocess.Popen(
        [installed.scripts / "footnote", *command],
        cwd=installed.at("three"),
        env=installed.variables,
        text=True,
        stdout=subprocess.PIPE,
    ) as process:
        yield process, port
        process.kill()


def test_an_installed_footnote_answers_from_any_folder(
    installed: Installed, articles: Path
) -> None:
    helped = installed.run("one", "footnote", "--help")
    assert helped.stdout.startswith("usage: footnote ")
    assert "python -m rag" not in helped.stdout
    as_module = installed.run("one", "python", "-m", "rag", "--help")
    assert as_module.stdout.startswith("usage: python -m rag ")

    missing = installed.run("one", "footnote", "search", "ferry")
    assert missing.stderr.endswith("Build one with: footnote index ARTICLES\n")
    script = "from rag import answer; answer('Where?')"
    asked = installed.run("one", "python", "-c", script)
    assert "seeds does not exist" in asked.stderr.splitlines()[-1]

    place = Path(installed.row("one", "index", str(articles))["index"])
    assert place.is_relative_to(installed.home)
    found = installed.row("two", "search", "What do tickets for the ferry to Lisk cost?")
    assert found["evidence"][0]["article"] == "ferry.txt"
    asked_row = installed.row(
        "two", "ask", "What do tickets for the ferry to Lisk cost?", "--generator", "extractive"
    )
    assert "nine euros" in asked_row["answer"]
    assert [*installed.at("one").iterdir(), *installed.at("two").iterdir()] == []


def test_an_installed_footnote_serves(
    served: tuple[subprocess.Popen[str], int], installed: Installed
) -> None:
    process, port = served
    assert process.stdout
    assert process.stdout.readline().startswith("Footnote is at ")
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
        assert client.get("/healthz").status_code == 200
        page = client.get("/")
        assert page.status_code == 200
        assert "Footnote" in page.text
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=60)
    assert process.returncode == 0
    assert list(installed.at("three").iterdir()) == []
