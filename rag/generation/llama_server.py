"""The child that runs llama.cpp: ``python -m rag.generation.llama_server``, started by
``llama_process.py``.

Settings come as one line of JSON on standard input, the address goes back as one line on standard
output, errors go to standard error. It ends when standard input does, so also when the parent is
killed (while it loads a model it ends when that is done). It imports nothing of rag.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path


def main() -> None:
    settings = json.loads(sys.stdin.readline())
    answer = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # whatever a library prints goes to the log

    try:
        import xllamacpp
    except ImportError as error:
        missing = "; install libgomp1 (Debian, Ubuntu) or libgomp (Fedora)."
        sys.exit(f"{error}{missing if 'libgomp' in str(error) else ''}")

    params = xllamacpp.CommonParams()
    params.model.path = settings["model"]
    params.n_ctx = settings["context_tokens"]
    params.n_parallel = 1
    # A draft can be cancelled between two batches; on a CPU, 32 tokens go as fast as 512.
    params.n_batch = params.n_ubatch = 32
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = settings["threads"]
    params.warmup = False  # the generator's own warm-up reads a real prompt
    params.fit_params = False  # would try loads with other settings first
    params.cache_ram_mib = 0  # of old prompts; the slot keeps the last one, which is what we need
    params.cache_idle_slots = False
    params.ui = params.endpoint_slots = False
    params.slot_save_path = os.path.join(settings["prompts"], "")  # noqa: PTH118 - ends with "/"
    params.verbosity = 1  # errors
    params.api_keys = [settings["api_key"]]
    if settings["socket"]:
        params.hostnames = [settings["socket"]]  # else a free port of 127.0.0.1
    try:
        server = xllamacpp.Server(params)
    except RuntimeError as error:  # llama.cpp has logged the cause
        sys.exit(str(error))
    print(server.listening_address, file=answer, flush=True)
    sys.stdin.read()  # until the parent closes it or is gone
    if settings["socket"]:  # a parent that was killed could not remove its folder
        shutil.rmtree(Path(settings["socket"]).parent, ignore_errors=True)
    os._exit(0)  # a draft in progress is for nobody


if __name__ == "__main__":
    main()
