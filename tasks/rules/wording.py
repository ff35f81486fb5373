"""Counts in words that agree with their number: ``1 asset``, ``2,000 assets``, ``3 statuses``."""

from __future__ import annotations

_HISSING = ("s", "x", "ch", "sh")


def plural(word: str) -> str:
    """The plural of an English noun whose plural is regular; of several words the last one changes."""
    if word.endswith(_HISSING):
        return f"{word}es"
    if word.endswith("y") and word[-2:-1] not in "aeiou":
        return f"{word[:-1]}ies"
    return f"{word}s"


def noun(count: int, word: str) -> str:
    """The word as it stands after that number."""
    return word if count == 1 else plural(word)


def counted(count: int, word: str) -> str:
    """The number and the word, such as ``1,204 configurations``."""
    return f"{count:,} {noun(count, word)}"
