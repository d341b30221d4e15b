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
WHERE_KEPT_FOR_USER = (
    "Kept on the computer that runs Footnote, for {user} only, in every browser: the {} that were "
    "used last."
)
STAYS_WITH_BROWSER = "What was kept before there were passwords stays with its browser."
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
NOT_YOURS = (
    "Somebody else has logged in meanwhile in this browser. What is on this page is not kept any "
    "more: reload the page."
)
DELETED = "The conversation is deleted."
RENAMED = "Renamed."


def questions(count: int) -> str:
    return "1 question" if count == 1 else f"{count} questions"


# Logging out
LOG_OUT = "Log out"

# A folder added by its path
ADD_BY_PATH = "Add a folder of this computer by its path"
PATH_LABEL, PATH_EXAMPLE, ADD_PATH = "Path of a folder or a file", "~/Documents/news", "Add"
PATH_HINT = "Its files are copied. The folder itself stays as it is."
NOT_BY_PATH = "Files are added by their path only where Footnote runs for this computer alone."
PATH_EMPTY = "Type the path of a folder or a file."
PATH_NONE = "This is not a path."
PATH_NETWORK = "A folder on another computer is not read. Copy it to this one first."
PATH_NOT_WHOLE = "{} is only a part of a path. Type the whole path, or one that begins with ~."
PATH_MISSING = "There is no folder or file {} on the computer that runs Footnote."
PATH_THERE_ALREADY = "{} lies in the folder of articles: it is read already."
PATH_NO_FOLDER = "{} is neither a folder nor a file with text."
FOLDER_HAS_NONE = "There is no file in {} of a format that is read: {}."
FOLDER_TOO_MANY = (
    "Nothing was added: {} has more than {} files that can be read. Add its folders one by one, or "
    "start Footnote with this folder as its articles."
)
FOLDER_TOO_MANY_ENTRIES = (
    "Nothing was added: {} has more than {:,} files and folders to look through. Add its folders "
    "one by one, or start Footnote with this folder as its articles."
)
FOLDER_TOO_LARGE = (
    "Nothing was added: the files in {} have {} MB, and all files that are added may have {} MB "
    "together. Add its folders one by one."
)
IS_LINK = "{} is a link, which is not followed."
IS_NO_FILE = "{} is not a regular file."
IS_TOO_LARGE = "{} is too large ({} MB; the limit is {} MB)."
CANNOT_READ, CANNOT_LIST = "{} cannot be read: {}.", "The folder {} cannot be listed: {}."
COPYING = "Copying the files of {}. You can go on asking meanwhile."


def other_formats(count: int, suffixes: str) -> str:
    said = "1 file of another format is" if count == 1 else f"{count:,} files of other formats are"
    return f"{said} left out{f' ({suffixes})' if suffixes else ''}."


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
