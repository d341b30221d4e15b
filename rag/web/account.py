"""The control that ends a session, for a page behind a password: a plain form, as of a page without
scripts. What ends is in server/login.py; page_account.js tells the browser's other tabs.
"""

from __future__ import annotations

from rag import texts

# A door with an arrow out of it, for a phone, where the words have no room.
_SIGN = (
    '<svg viewBox="0 0 16 16" width="16" height="16" fill="none" stroke="currentColor" '
    'stroke-width="1.5" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true">'
    '<path d="M6.5 2.5h-4v11h4M6 8h8M11 5l3 3-3 3"/></svg>'
)
LOG_OUT = (
    '<form method="post" action="logout" data-log-out><button type="submit" class="plain" '
    f'aria-label="{texts.LOG_OUT}" title="{texts.LOG_OUT}">{_SIGN}'
    f"<span>{texts.LOG_OUT}</span></button></form>"
)
