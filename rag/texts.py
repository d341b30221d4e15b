"""What the page says in more than one place, or from a program. All else of it stands in the
templates (web/templates, server/templates), where it is read.

Braces are filled in; nothing here is untrusted, and nothing is markup. Questions to begin with are
made in answering/suggestions.py, of which the patterns that they depend on are a part.
"""

from __future__ import annotations

import calendar
import datetime as dt
from functools import lru_cache
from typing import Final

from rag.command import command
from rag.text.dates import day_of
from rag.text.untrusted import shown

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


# What is said in more than one place
ARTICLES, ALL_ARTICLES = "Articles", "All articles"
ASK_ONLY_THESE = "Ask only these"
CLOSE, KEEP, REMOVE = "Close", "Keep it", "Remove"
SECONDS = "{}\N{NO-BREAK SPACE}s"
AND_MORE = "and {:,} more"  # at the end of a list
NOT_READ = "{} could not be read"  # files
DO_NOT_SAY = "The articles do not say"
NEAREST, SOURCES = "Nearest sentences", "Sources"
PAGE = "page {}"
CHANGED = "The article has changed: it no longer has this sentence at this place."
INDEX_COMMAND = f"{command()} index FOLDER"
FAULT = "Something went wrong in Footnote itself; the server's output says what."

# Where a question is written
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

# Conversations
GONE = "This conversation is no longer there."
NOT_YOURS = (
    "Somebody else has logged in meanwhile in this browser. What is on this page is not kept any "
    "more: reload the page."
)
DELETED = "The conversation is deleted."
RENAMED = "Renamed."

# A folder added by its path
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


def other_formats(count: int, suffixes: str) -> str:
    said = "1 file of another format is" if count == 1 else f"{count:,} files of other formats are"
    return f"{said} left out{f' ({suffixes})' if suffixes else ''}."


# A conversation as a file
BEGUN, ASKED_ON = "Begun {}, with Footnote.", "Asked on {}."  # days
STOPPED_EARLY = "Stopped before the answer was complete."
NO_ANSWER_BECAUSE = "No answer: {}"
RATED_GOOD, RATED_NOT_GOOD = "Rated good", "Rated not good"
CHARACTERS = "{}, characters {}–{}"

# The reader
PAGE_SHORT = "p. {}"
NO_ARTICLE = "There is no article {} any more."

# Adding and removing articles
LEFT_FROM = ", from {} on"
TOO_MANY_DROPPED = (
    "{:,} of {:,} files were added and {:,} were not{}, because {} are taken at once: add those in "
    "smaller parts, or start Footnote with their folder as its articles."
)
CANNOT_ADD = "{} is not added: nothing can be added here."
CANNOT_REMOVE = "Nothing can be removed here."
NOT_ARRIVED = "{} did not arrive: {}."

# The page that asks for a password
NOT_RIGHT = "The name or the password is not right."
TOO_MANY_TRIES = "Too many attempts. Try again in a minute."

# The page for those who write programs

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
IN_STYLES: Final = {"new": NEW, "note": "Note: ", "drop": "Drop to add to your articles"}


# Days, periods and times in words, for the page.


def is_day(text: str) -> bool:
    """Return whether a text is a whole ISO date."""
    return len(text) == len("2024-05-03") and day_of(text) is not None


@lru_cache(maxsize=4_096)
def day(published: str) -> str:
    """Return an ISO date as "3 May 2024", anything else as it is, for reading."""
    try:
        date = dt.date.fromisoformat(published)
    except ValueError:
        return shown(published)
    return f"{date.day} {date:%B} {date.year}"


def period_in_words(first: str, last: str) -> str:
    """Return a period of whole days, as ISO dates or "", as briefly as it can be said."""
    begin, end = day_of(first), day_of(last)
    if begin is None or end is None:
        return f"since {day(first)}" if begin else f"until {day(last)}" if end else ""
    if begin == end:
        return day(first)
    ends = end.day == calendar.monthrange(end.year, end.month)[1]
    if begin.day == 1 and ends:
        if begin.year == end.year and (begin.month, end.month) == (1, 12):
            return str(begin.year)
        if (begin.year, begin.month) == (end.year, end.month):
            return f"{begin:%B} {begin.year}"
        if (begin.month, end.month) == (1, 12):
            return f"{begin.year} to {end.year}"
        return f"{begin:%B} {begin.year} to {end:%B} {end.year}"
    return f"{day(first)} to {day(last)}"


def time_left(seconds: float) -> str:
    """Return how long something will still take, roughly."""
    if seconds < 5:
        return "a few seconds left"
    if seconds < 90:
        return f"about {round(seconds / 5) * 5} s left"
    return f"about {round(seconds / 60)} min left"
