"""What the page says, in one place, so that it can be read through, and translated.

Braces are filled in; nothing here is untrusted, and nothing is markup. Questions to begin with are
made in answering/suggestions.py, of which the patterns that they depend on are a part.
"""

from __future__ import annotations

import calendar
import datetime as dt
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from rag.command import command
from rag.text.dates import day_of
from rag.text.untrusted import as_html

NAME = "Footnote"


def _count(number: int, one: str, more: str) -> str:
    return f"{number:,} {one if number == 1 else more}"


def articles(number: int) -> str:
    """Return "1 article", "2 articles"; the others likewise."""
    return _count(number, "article", "articles")


def sentences(number: int) -> str:
    return _count(number, "sentence", "sentences")


def files(number: int) -> str:
    return _count(number, "file", "files")


def all_of(names: Sequence[str], more: int) -> str:
    """Return names in a row; ``more`` others are not named."""
    named = [*names, _count(more, "other", "others")] if more > 0 else [*names]
    return " and ".join(filter(None, (", ".join(named[:-1]), named[-1])))


# What is said in more than one place
ARTICLES = "Articles"
SECONDS = "{}\N{NO-BREAK SPACE}s"
AND_MORE = "and {:,} more"  # at the end of a list
FAULT = "Something went wrong in Footnote itself; the server's output says what."

# Days and times
SINCE, UNTIL, FROM_TO = "since {}", "until {}", "{} to {}"
A_FEW_SECONDS_LEFT = "a few seconds left"
SECONDS_LEFT, MINUTES_LEFT = "about {} s left", "about {} min left"

# The head of the page, and where a question is written
TAGLINE = "Answers with their sources, from your own articles."
NEW_CONVERSATION, NEW = "New conversation", "New"  # … on a phone
YOUR_QUESTION = "Your question"
ASK_A_QUESTION = "Ask your articles a question"
ASK, STOP, STOPPING = "Ask", "Stop", "Stopping…"
TYPE_FIRST = "Type a question first."
STILL_WRITING = "An answer is still being written. Wait for it, or stop it."
NOT_TAKEN = "{} Your question is still in the box."
DROPPED = "{} You asked: {}"
TOO_MANY = (
    "{} questions are in progress already, and more cannot be answered at once: ask again in a "
    "minute."
)
ASKING_ONLY, ASK_ALL = "Asking only {}", "Ask all articles again"

# The welcome
CANNOT_READ_ARTICLES = "The articles cannot be read"
NO_ARTICLES = "There are no articles yet"
INDEX_COMMAND = f"{command()} index FOLDER"
PUT_AND_INDEX = "Put text files into a folder and index it:"
THEN_RELOAD = "Then start this page for that folder and reload it."
ASK_YOUR_ARTICLES = "Ask your articles"
HOW_IT_WORKS = (
    "Every claim in an answer carries the sentence it rests on. "
    "Select a number to read that sentence in its article."
)

# An answer
LOOKING, READING = "Looking in your articles…", "Reading the evidence…"
WRITING = "Writing the next claim…"
ASKED_ONLY_OF = "Asked only of {}"
QUOTED, QUOTED_INSTEAD = "Quoted", "Quoted in place of the drafted words"
DO_NOT_SAY = "The articles do not say"
NOTE_BEFORE = "Note: "
STOPPED, STOPPED_WITH_CLAIMS = "Stopped.", "Stopped. What had been verified is above."
NO_ANSWER = "No answer."
SOURCE = "Source {}: {}"  # number, title
FOUND_IN, ANSWERED_IN = "found in {}", "answered in {}"  # seconds
DONE_IN, STOPPED_AFTER = "done in {}", "stopped after {}"
FOUND, MORE, NEAREST = "Found in your articles", "More", "Nearest sentences"
SOURCES, ALSO_FOUND = "Sources", "Also found"
IN_CONTEXT = "In context"
ALSO_IN, ALSO_IN_MORE = "Also in {}", "Also in {} and {} more"
PAGE, PAGE_SHORT = "page {}", "p. {}"


def before_yours(answers: int) -> str:
    written = "1 answer is" if answers == 1 else f"{answers} answers are"
    return f"{written} written before yours…"


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

# A conversation as a file
BEGUN, ASKED_ON = "Begun {}, with Footnote.", "Asked on {}."  # days
STOPPED_EARLY = "Stopped before the answer was complete."
NO_ANSWER_BECAUSE = "No answer: {}"
RATED_GOOD, RATED_NOT_GOOD = "Rated good", "Rated not good"
CHARACTERS = "{}, characters {}–{}"

# The reader
OPENED, OPENED_AT = "Opened {}", "Opened {}. The cited sentence: {}"
PUBLISHED, BY, ORIGINAL = "Published {}", "By {}", "Original"
CITED_FROM_HERE, CITED_HERE = "Cited from this article", "Cited here {}"
CITED_SENTENCE = "Cited sentence {}"
NO_ARTICLE = "There is no article {} any more."
STEPS, STEP = "Steps between citations", "{} of {}"
CHANGED = "The article has changed: it no longer has this sentence at this place."
COPY, COPIED = "Copy quote", "Copied, with its reference."
NOT_COPIED = "The browser did not allow copying."
PREVIOUS, NEXT = "Previous cited sentence", "Next cited sentence"

# Confidence. Over seven sets of questions the estimate was off by .07 to .15 on average (the
# expected calibration errors with the default weights in benchmarks/results/confidence.md). "Well"
# therefore begins where, that much lower, an answer is still clearly likelier than none (.80 - .15
# = .65), and "weakly" ends where, that much higher, it is no more than that (.50 + .15 = .65).
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


# The list of articles
YOUR_ARTICLES = "Your articles"
NOTHING_INDEXED = "Nothing is indexed."
PUT, ADD_OR_PUT = "Put", "Add some above, or put"  # … "articles into a folder"
INTO_A_FOLDER = (
    "{} articles into a folder (text, web pages, PDF, Word, mail, tables, feeds or a {} of them), "
    "run {}, and reload this page."
)
INDEXED = "{} indexed"
MATCHING, NONE_MATCHES = "{:,} of {}", "No article matches."
ASK_ONLY_THESE, SHOW_ALL = "Ask only these", "Show all"
SEARCH_LIST, SEARCH_WHAT = "Search the list of articles", "Search titles, outlets, files"
OUTLET, ALL_OUTLETS = "Outlet", "All outlets"
ORDER = "Order"
NEWEST_FIRST, OLDEST_FIRST, BY_TITLE = "Newest first", "Oldest first", "By title"
SELECT, CLEAR = "Select {}", "Clear"
ADDED_HERE = "Added here"
SHOW_MORE = "Show {:,} more"
MORE_THAN_LISTED = "And {:,} more, which are searched too. Narrow the list to see them."
BY_DATE, UNDATED = "Articles by date", "{:,} without a date"
NOT_READ, NOT_ADDED = "{} could not be read", "{} could not be added"  # files

# Adding and removing articles
ADD = "Add articles"
DROP_ANYWHERE = "Drop files or a folder anywhere on this page to add them."
REMOVE, REMOVE_THIS = "Remove", "Remove {}"
REALLY_REMOVE = "Remove this file?"
WHERE_REMOVED = "It is moved out of the articles into a folder from which you can put it back."
REMOVING, REMOVED = "Removing {}…", "Removed {}. It is kept in {}."
READING_THESE = "Reading {}. You can go on asking meanwhile."
READING_ALL = "The articles are being read. You can go on asking meanwhile."
READING_ARTICLES = "Reading the articles"
FILES_READ = "{:,} of {:,} files"
ADDED, NOTHING_ADDED = "Added {}: {} can be asked about.", "Nothing was added."
DISMISS = "Dismiss"
LEFT_FROM = ", from {} on"
TOO_MANY_DROPPED = (
    "{:,} of {:,} files were added and {:,} were not{}, because {} are taken at once: add those in "
    "smaller parts, or start Footnote with their folder as its articles."
)
CANNOT_ADD = "{} is not added: nothing can be added here."
CANNOT_REMOVE = "Nothing can be removed here."
NOT_ARRIVED = "{} did not arrive: {}."

# The page that asks for a password
LOG_IN_TITLE, LOG_IN = "Footnote: log in", "Log in"
USER, PASSWORD = "Name", "Password, or a token"
NOT_RIGHT = "The name or the password is not right."
TOO_MANY_TRIES = "Too many attempts. Try again in a minute."

# The page for those who write programs
FOR_PROGRAMS, API_TITLE = "For programs", "Footnote: for programs"
API_PLACEHOLDER = "Put your token in place of {}; where none is asked for, leave that line out."
API_FOR_MACHINES = "The same for machines: {}."
API_ROUTES, API_SHAPES = "Requests", "Shapes"
API_PARAMETERS, API_BODY, API_ANSWERS, API_ERRORS = "Parameters", "Body", "Answers", "Errors"
API_EXAMPLE, API_OPTIONAL, API_ANYTHING = "Example", "optional", "anything"
API_LIST_OF, API_OBJECT_OF, API_OR = "list of {}", "object of {}", " or "

# For the scripts, which know them as footnoteTexts, and the style sheets: --text-new, and so on.
IN_SCRIPTS: Final = {
    "seconds": SECONDS,
    "oneSelected": "1 article selected",
    "selected": "{} articles selected",
    "alongWith": "“{}” is one of several articles in it; all of them go with it.",
    "sending": "Sending {} of {}…",
    "tooLarge": "{} is too large (the limit is {} MB).",
    "notSent": "{} could not be sent.",
    "notListed": "The folder {} could not be read.",
    "more": "And {} more.",
    "tooManyEntries": FOLDER_TOO_MANY_ENTRIES.replace("{:,}", "{}"),
}
IN_STYLES: Final = {"new": NEW, "note": NOTE_BEFORE, "drop": "Drop to add to your articles"}


# Days, periods and times in words, for the page.


def is_day(text: str) -> bool:
    """Return whether a text is a whole ISO date."""
    return len(text) == len("2024-05-03") and day_of(text) is not None


@lru_cache(maxsize=4_096)
def day(published: str) -> str:
    """Return an ISO date as "3 May 2024", anything else as it is; escaped."""
    try:
        date = dt.date.fromisoformat(published)
    except ValueError:
        return as_html(published)
    return f"{date.day} {date:%B} {date.year}"


def period_in_words(first: str, last: str) -> str:
    """Return a period of whole days, as ISO dates or "", as briefly as it can be said."""
    begin, end = day_of(first), day_of(last)
    if begin is None or end is None:
        since = SINCE.format(day(first)) if begin else ""
        return since or (UNTIL.format(day(last)) if end else "")
    if begin == end:
        return day(first)
    ends = end.day == calendar.monthrange(end.year, end.month)[1]
    if begin.day == 1 and ends:
        if begin.year == end.year and (begin.month, end.month) == (1, 12):
            return str(begin.year)
        if (begin.year, begin.month) == (end.year, end.month):
            return f"{begin:%B} {begin.year}"
        if (begin.month, end.month) == (1, 12):
            return FROM_TO.format(begin.year, end.year)
        return FROM_TO.format(f"{begin:%B} {begin.year}", f"{end:%B} {end.year}")
    return FROM_TO.format(day(first), day(last))


def time_left(seconds: float) -> str:
    """Return how long something will still take, roughly."""
    if seconds < 5:
        return A_FEW_SECONDS_LEFT
    if seconds < 90:
        return SECONDS_LEFT.format(round(seconds / 5) * 5)
    return MINUTES_LEFT.format(round(seconds / 60))
