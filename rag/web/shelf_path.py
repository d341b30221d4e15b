"""Where a person names a folder of this computer by its path, as HTML. shelf_path.js sends what is
typed, local_files.py looks there.
"""

from __future__ import annotations

from rag import texts
from rag.web.local_files import LONGEST

FORM = (
    f'<details class="from-path" id="from-path"><summary>{texts.ADD_BY_PATH}</summary>'
    f'<form data-path-form><label for="typed-path">{texts.PATH_LABEL}</label>'
    f'<input id="typed-path" name="path" type="text" dir="ltr" maxlength="{LONGEST}" '
    'autocomplete="off" autocapitalize="none" spellcheck="false" '
    f'placeholder="{texts.PATH_EXAMPLE}" aria-describedby="path-hint">'
    f'<button type="submit" class="plain">{texts.ADD_PATH}</button>'
    f'<p id="path-hint">{texts.PATH_HINT}</p></form></details>'
)
