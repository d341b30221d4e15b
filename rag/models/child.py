"""A module of rag that runs in a process of its own, and ends with this one."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import weakref
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO

from rag.errors import ModelError


class Child:
    """``python -m rag.…``, reached over its standard input and output.

    It is to end when its input does, so also when this process is killed. Raises ModelError if it
    cannot be started; ``what`` names it in errors.
    """

    def __init__(
        self, module: str, what: str, environment: Mapping[str, str], folder: Path | None = None
    ) -> None:
        self.what = what
        # A file, not a pipe: nobody needs to read it along, and it matters only after a failure.
        self._log: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115
        try:
            self._process = _start(module, what, environment, self._log)
        except BaseException:
            _clear(self._log, folder)
            raise
        self._finalizer = weakref.finalize(self, _end, self._process, self._log, folder)
        if self._process.stdin is None or self._process.stdout is None:
            raise AssertionError
        self.input, self.output = self._process.stdin, self._process.stdout

    def ended(self, within: float = 0.0) -> bool:
        """Whether it is gone, or is so ``within`` seconds: its connections close first."""
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=within)
        return self._process.returncode is not None

    def cause(self) -> str:
        """Why it has ended: the signal, else what it logged, else its exit code."""
        code = self._process.returncode if self.ended(within=2.0) else 0
        if code < 0:
            return f"it was ended by signal {-code}. Is there enough memory?"
        return self._logged() or f"exit code {code}."

    def close(self) -> None:
        """End it and remove its folder; happens by itself at exit."""
        self._finalizer()

    def _logged(self) -> str:
        """The first error of a log such as llama.cpp's, as what follows is its consequence; or the
        last line.
        """
        if self._log.closed:
            return ""
        self._log.seek(0)
        lines = self._log.read().decode(errors="replace").splitlines()
        causes = [line.partition(" E ")[2] for line in lines if " E " in line]
        return " ".join((causes or lines[-1:] or [""])[0].split())[:300]


def _start(
    module: str, what: str, environment: Mapping[str, str], log: IO[bytes]
) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            [sys.executable, "-m", module],
            cwd=Path(__file__).resolve().parents[2],  # the same rag as ours, installed or not
            env={**os.environ, **environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            start_new_session=True,  # Ctrl-C in the terminal is meant for us
        )
    except OSError as error:
        raise ModelError(f"{what} cannot be started: {error}.") from error


def _end(process: subprocess.Popen[bytes], log: IO[bytes], folder: Path | None) -> None:
    process.kill()  # it has nothing to save
    process.wait()
    for file in (process.stdin, process.stdout):
        if file is not None:
            with suppress(OSError):  # what was not written is for nobody
                file.close()
    _clear(log, folder)


def _clear(log: IO[bytes], folder: Path | None) -> None:
    log.close()
    if folder is not None:
        shutil.rmtree(folder, ignore_errors=True)
