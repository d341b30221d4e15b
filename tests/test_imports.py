"""Imports go one way, down the order in which the pipeline runs; heavy libraries load late."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "rag"

# A module may import only modules that stand before it. Put a new one where it runs.
ORDER = """
    types errors command places config untrusted
    catalogue hashes fetch models
    sentences passages irregular terms dates
    numbers
    names
    negation
    parts published fields extracted load_text markup lines sniff
    load_html load_pdf load_office load_mail load_rows load_feed load_zip formats
    articles manage
    problem rules_numbers rules_dates rules_names rules_negation rules_modality
    rules_tokens rules_deeds rules_roles rules_nearness rules instructions
    packed child encoder encoder_server encoder_process
    store ivf store_ivf lexical stored connection
    database manifest
    changes locks publish embed fill repair ingest sync plan watch index
    library period scope variants answer_types language copies
    question retrieve followup readings collection confidence premise
    prompts causal_lm transformers_lm
    chat_client openai_chat
    llama_process llama_server prompt_cache llama_cpp generate
    corrections values disagree nli meaning verify draft cite supplement
    run writing pipeline __init__
    eval_report
    rows intervals metrics cases scores measures report claims batch eval_index evaluate
    compare mistakes eval_words charts eval_errors eval_page
    texts local_files drop typed wording conversation kept_rows kept reopen feedback export
    kept_page visitors account headers page reader_bar reader engine
    session keeping gradio_setup
    timeline updating shelf shelf_path shelf_status librarian examples shelf_events chat_kept chat
    logs passwords settings
    problem_details limits telemetry asking api_types api api_changes chat_completions mcp_server
    access api_examples api_page login requests_seen site serving
    argument_types options bar commands server_commands arguments cli __main__
""".split()

HEAVY = (
    "torch", "transformers", "sentence_transformers", "faiss", "gradio", "xllamacpp", "tantivy",
    "sentencex", "huggingface_hub", "charset_normalizer", "matplotlib", "lxml", "trafilatura",
    "pypdf", "docx", "feedparser",
)  # fmt: skip


def modules() -> list[str]:
    return sorted(path.stem for path in PACKAGE.glob("*.py"))


def imports(module: str) -> set[str]:
    """Return the modules of the package that a module imports, in functions too."""
    found: set[str] = set()
    for node in ast.walk(ast.parse((PACKAGE / f"{module}.py").read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"rag/{module}.py: write `from rag.x import`, not `from .x`"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        for parts in (name.split(".") for name in names):
            if parts[0] == "rag":
                known = len(parts) > 1 and (PACKAGE / f"{parts[1]}.py").exists()
                found.add(parts[1] if known else "__init__")
    return found


def test_every_module_has_its_place() -> None:
    missing = set(modules()) - set(ORDER)
    assert not missing, f"add {sorted(missing)} to ORDER in {__file__}, where they run"
    assert len(set(ORDER)) == len(ORDER)


@pytest.mark.parametrize("module", modules())
def test_imports_go_one_way(module: str) -> None:
    if module not in ORDER:
        pytest.skip("has no place in ORDER yet")
    earlier = ORDER[: ORDER.index(module)]
    later = (imports(module) & set(ORDER)) - set(earlier)
    assert not later, f"rag/{module}.py imports {sorted(later)}, which run later"


def test_importing_the_package_loads_nothing_heavy() -> None:
    script = f"import rag, sys; print(*(name for name in {HEAVY} if name in sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == []
