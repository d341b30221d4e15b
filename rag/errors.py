"""Every error that Footnote raises on purpose.

    RagError
    ├── ArticleError      the folder of articles, or one file in it, cannot be used
    ├── IndexMissing      there is no index where one was expected
    ├── IndexMismatch     the index was made with other settings, or for another folder
    ├── IndexCorrupt      a file of the index, or a row of its store, fails its checksum
    ├── ModelError        a model is missing, damaged, or its server does not answer
    ├── InputError        a question, a batch row or a setting cannot be used
    ├── Overloaded        more questions are in progress than can be taken on at once
    └── UnknownName       a name is in none of the registries (generator, encoder, store …)

The message says what happened, to which file or setting, and what to do next; front ends print it
as one line and never show a traceback for it.
"""


class RagError(Exception):
    """Base class: ``str(error)`` is one line that a person can act on."""


class ArticleError(RagError):
    """The articles folder or one of its files cannot be used."""


class IndexMissing(RagError):
    """There is no index at the given place."""


class IndexMismatch(RagError):
    """The index was made with other settings or belongs to another folder; names the field."""


class IndexCorrupt(RagError):
    """A file or a row of the index fails its size or checksum; names it."""


class ModelError(RagError):
    """A model is missing, damaged or does not answer; names the model and the next step."""


class InputError(RagError):
    """A question, batch row or setting cannot be used; names it."""


class Overloaded(RagError):
    """So many questions are in progress that another one is not taken on; later it will be."""


class UnknownName(RagError):
    """A name that no registry knows; lists the known ones."""

    def __init__(self, kind: str, name: str, known: list[str]) -> None:
        super().__init__(f"Unknown {kind} {name!r}. Known: {', '.join(known)}.")
