"""The web chat: ``python app.py`` is ``python -m rag serve``."""

import sys

from rag.cli.main import main

if __name__ == "__main__":
    raise SystemExit(main(["serve", *sys.argv[1:]]))
