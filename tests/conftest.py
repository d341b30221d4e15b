"""A small folder of invented news, an index of it, and the real encoder where it is present."""

from __future__ import annotations

import os

# Read when NumPy, PyTorch and faiss are loaded. Two workers share the cores: no threads that spin.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
os.environ.setdefault("OMP_NUM_THREADS", "1")

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from news import NEWS
from scripted import Draft, Drafting, ScriptedGenerator
from valley import write_valley

from rag import places
from rag.answering.pipeline import Rag
from rag.config import Config
from rag.errors import ModelError
from rag.index.index import Index
from rag.index.sync import sync
from rag.models import files as models
from rag.models.encoder import Encoder, HashedEncoder, load_encoder
from rag.models.encoder_process import EncoderProcess, load_beside

if TYPE_CHECKING:
    from playwright.sync_api import Browser


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the slow tests, whatever else ``-m`` selects, unless it names them.

    Put the files with long tests first: of two workers, none is left alone with one at the end.
    Each file stays together, and in its own order.
    """
    if "slow" not in str(config.option.markexpr):
        slow = [item for item in items if item.get_closest_marker("slow")]
        config.hook.pytest_deselected(items=slow)
        items[:] = [item for item in items if item not in slow]
    long = {
        item.path
        for item in items
        if any(item.get_closest_marker(m) for m in ("browser", "models"))
    }
    items.sort(key=lambda item: item.path not in long)


@pytest.fixture(autouse=True)
def _indexes_where_the_test_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """By default indexes lie in the repository, which no test writes to."""
    monkeypatch.setattr(places, "indexes_dir", lambda: Path(places.INDEXES))


@pytest.fixture
def articles(tmp_path: Path) -> Path:
    """A folder of four invented news articles."""
    folder = tmp_path / "articles"
    for name, text in NEWS.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())
    return folder


@pytest.fixture
def config() -> Config:
    """Settings without a model."""
    return Config(encoder="hashed", generator="extractive", passage_tokens=24, store="numpy")


@pytest.fixture
def encoder() -> HashedEncoder:
    return HashedEncoder()


@pytest.fixture
def index(
    articles: Path, config: Config, encoder: HashedEncoder, tmp_path: Path
) -> Iterator[Index]:
    """An open index of ``articles``; it lies in tmp_path/index."""
    folder = tmp_path / "index"
    sync(articles, folder, config, encoder)
    opened = Index.open(folder, config, encoder)
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def minilm() -> Encoder:
    """The default encoder. Skips when it has not been fetched."""
    try:
        models.locate("all-MiniLM-L6-v2")
    except ModelError as error:
        pytest.skip(f"the encoder is not here: {error}")
    return load_encoder("all-MiniLM-L6-v2")


@pytest.fixture(scope="session")
def valley(minilm: Encoder, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An index of the articles of tests/support/valley.py, by the real encoder."""
    place = tmp_path_factory.mktemp("valley")
    sync(write_valley(place), place / "index", Config(), minilm)
    return place / "index"


@pytest.fixture(scope="module")
def quoting(valley: Path, minilm: Encoder) -> Iterator[Rag]:
    """The articles of the valley at the default thresholds, without a language model."""
    with Rag.open(valley, Config(generator="extractive"), encoder=minilm) as rag:
        yield rag


@pytest.fixture
def drafting(valley: Path, minilm: Encoder) -> Iterator[Drafting]:
    """The same with scripted drafts in the language model's place."""
    rags: list[Rag] = []

    def opened(*drafts: Draft) -> tuple[Rag, ScriptedGenerator]:
        generator = ScriptedGenerator(*drafts)
        rags.append(Rag.open(valley, Config(), generator=generator, encoder=minilm))
        return rags[-1], generator

    yield opened
    for rag in rags:
        rag.close()


@pytest.fixture
def opened(articles: Path, config: Config, tmp_path: Path) -> Iterator[Drafting]:
    """The invented articles with scripted drafts in the language model's place, by threshold."""
    rags: list[Rag] = []

    def open_rag(
        *drafts: Draft, settings: Config | None = None, decline_below: float = 0.0
    ) -> tuple[Rag, ScriptedGenerator]:
        generator = ScriptedGenerator(*drafts)
        whole = replace(settings or config, decline_below=decline_below)
        rags.append(Rag.for_articles(articles, whole, tmp_path / "index", generator=generator))
        return rags[-1], generator

    yield open_rag
    for rag in rags:
        rag.close()


@pytest.fixture(scope="module")
def beside() -> Iterator[EncoderProcess]:
    """The default encoder, in a process of its own. Skips when it has not been fetched."""
    try:
        encoder = load_beside(Config())
    except ModelError as error:
        pytest.skip(f"the encoder is not here: {error}")
    assert isinstance(encoder, EncoderProcess)
    yield encoder
    encoder.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium; each test has a context or a page of its own.

    Not for the session: as long as Playwright runs, other tests cannot start an event loop.
    """
    from browsing import chromium

    with chromium() as opened:
        yield opened
