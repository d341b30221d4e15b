"""What CONTRIBUTING.md says of running the tests: what is left out, and what skips."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest
from test_packaging import modules

TESTS = Path(__file__).resolve().parent
OPTIONAL = (
    "axe_playwright_python",
    "jsonschema",
    "matplotlib",
    "mcp",
    "openai",
    "playwright",
    "schemathesis",
)


def collected(*arguments: str | Path, **variables: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", "--collect-only", "-p", "no:cacheprovider"]
    alone = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTEST_ADDOPTS": ""}
    return subprocess.run(
        [*command, *arguments],
        cwd=TESTS.parent,
        env={**os.environ, **alone, **variables},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("selected", "slow", "others"),
    [
        ("", False, True),
        ("not models and not browser", False, True),
        ("slow", True, False),
        ("slow or not slow", True, True),
    ],
)
def test_slow_tests_are_left_out_unless_named(selected: str, *, slow: bool, others: bool) -> None:
    said = collected("-m", selected, TESTS / "index/test_crashes.py").stdout
    assert ("test_many_killed_processes" in said) is slow, said
    assert ("test_a_clock_that_jumps_back" in said) is others, said


def test_files_that_need_a_package_of_the_developers_skip_without_it(tmp_path: Path) -> None:
    hidden = f"import sys\nsys.modules.update(dict.fromkeys({OPTIONAL}))\n"
    (tmp_path / "hidden.py").write_text(hidden, encoding="utf-8")
    needing = [path for path in TESTS.rglob("test_*.py") if _needs(path)]
    assert len(needing) > len(OPTIONAL)
    done = collected("-p", "hidden", "-rs", *needing, PYTHONPATH=str(tmp_path))
    assert done.returncode == pytest.ExitCode.NO_TESTS_COLLECTED, done.stdout
    for name in OPTIONAL[1:]:  # the first is only used with playwright
        assert f"could not import '{name}" in done.stdout


def _needs(path: Path) -> bool:
    """Whether the file cannot be imported without one of them."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    run = [
        each for each in tree.body if not isinstance(each, ast.If | ast.FunctionDef | ast.ClassDef)
    ]
    return any(name in OPTIONAL for each in run for name in modules(ast.walk(each)))
