"""What the page says about kept conversations, ratings, the reader and confidence: in one place,
so that it can be read through, and translated. Braces are filled in; nothing here is untrusted.
"""

from __future__ import annotations

# Conversations
HISTORY = "History"  # the button that opens them: short enough for a phone
YOUR_CONVERSATIONS = "Your conversations"
OPENED_CONVERSATIONS = "Opened your conversations"
WHERE_KEPT = (
    "Kept on the computer that runs Footnote, for this browser only: the {} that were used last."
)
NONE_KEPT = "None yet. Ask a question, and the conversation is kept here."
ON_THE_PAGE = "on the page now"
UNTITLED = "Untitled"
EXPORT = "Export as {name}: {title}"
RENAME, RENAME_THIS, NEW_TITLE = "Rename", "Rename: {}", "New title"
DELETE, DELETE_THIS = "Delete", "Delete: {}"
REALLY_DELETE = "Delete this conversation? It cannot be brought back. Your ratings of it stay."
SAVE, CANCEL, KEEP, CLOSE = "Save", "Cancel", "Keep it", "Close"
ALL_ARTICLES = "All articles"
GONE = "This conversation is no longer there."
DELETED = "The conversation is deleted."
RENAMED = "Renamed."


def questions(count: int) -> str:
    return "1 question" if count == 1 else f"{count} questions"


# Ratings
RATE = "Rate this answer"
GOOD, NOT_GOOD = "Good answer", "Not good"
RATED_UP = "Thank you. Kept on this computer as an evaluation question."
RATED_DOWN = "Thank you. Kept on this computer; a note helps: what is wrong?"
NOTE = "Add a note"
SAVE_NOTE = "Save note"


# The reader
OPENED, OPENED_AT = "Opened {}", "Opened {}. The cited sentence: {}"
STEPS, STEP = "Steps between citations", "{} of {}"
CHANGED = "The article has changed: it no longer has this sentence at this place."
COPY, COPIED = "Copy quote", "Copied, with its reference."
NOT_COPIED = "The browser did not allow copying."
PREVIOUS, NEXT = "Previous cited sentence", "Next cited sentence"

# Confidence. Over seven sets of questions the estimate was off by .06 to .15 on average (the
# expected calibration errors with the default weights in results/confidence.md). "Well" therefore
# begins where, that much lower, an answer is still clearly likelier than none (.80 - .15 = .65),
# and "weakly" ends where, that much higher, it is no more than that (.50 + .15 = .65).
WELL, WEAKLY = 0.80, 0.50


def confidence(value: float) -> tuple[str, str]:
    """Return the words for a confidence, and what they mean."""
    words = (
        "Well supported" if value >= WELL
        else "Weakly supported" if value < WEAKLY
        else "Fairly supported"
    )  # fmt: skip
    return words, (
        f"{value:.2f}: the estimated chance that your articles answer this question. On test "
        "questions the estimate was off by 0.06 to 0.15. Each claim was checked against the "
        "sentence that it cites, whatever this number says."
    )
