"""What can go wrong at a vendor, arranged by what the caller does next.

    ConnectorError
    ├── RetryableError          later, unchanged: nothing was done, or doing it again is harmless
    ├── RejectedError           leave this one record or request out and go on with the others
    └── StopError               nothing more will work until a person acts
        ├── UnclearOutcomeError a write may or may not have been done: read back before sending it again
        └── WriteRefusedError   a dry run tried to write

No message ever holds a key, a token, a password or a query string.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

LONGEST_ERROR_MESSAGE = 1000
"""Characters of an error's message; of the other parts a few hundred, so that no text of an error is long."""
_LONGEST_PART = 300
_MOST_DETAILS = 10


def cut_text(text: str, length: int) -> str:
    """The text, cut at ``length`` characters with three dots."""
    return text if len(text) <= length else text[: length - 3] + "..."


@dataclass(frozen=True, slots=True)
class ErrorDetail:
    """One entry of a vendor's ``errors[]``: which field was refused, and why."""

    message: str
    code: str = ""
    field: str = ""

    def cut(self) -> ErrorDetail:
        """The entry with each part cut."""
        parts = (cut_text(part, _LONGEST_PART) for part in (self.message, self.code, self.field))
        return ErrorDetail(*parts)


class ConnectorError(Exception):
    """A vendor's refusal or a failed request; the text says what, where and the remedy."""

    def __init__(
        self,
        message: str,
        *,
        system: str = "",
        method: str = "",
        path: str = "",
        status: int | None = None,
        code: str = "",
        details: tuple[ErrorDetail, ...] = (),
        remedy: str = "",
    ) -> None:
        super().__init__(cut_text(message, LONGEST_ERROR_MESSAGE))
        self.message = cut_text(message, LONGEST_ERROR_MESSAGE)
        self.system = system
        self.method = method
        self.path = cut_text(path, _LONGEST_PART)
        self.status = status
        self.code = cut_text(code, _LONGEST_PART)
        self.details = tuple(detail.cut() for detail in details[:_MOST_DETAILS])
        self.remedy = cut_text(remedy, LONGEST_ERROR_MESSAGE)

    def at(self, system: str, method: str, path: str) -> Self:
        """The error itself, with the place where it happened unless it names one already."""
        if not self.system:
            self.system, self.method, self.path = system, method, cut_text(path, _LONGEST_PART)
        return self

    def __str__(self) -> str:
        where = " ".join(part for part in (self.system, self.method, self.path) if part)
        status = f" [{self.status}{' ' + self.code if self.code else ''}]" if self.status else ""
        told = "; ".join(f"{d.field}: {d.message}" if d.field else d.message for d in self.details)
        fields = cut_text(told, LONGEST_ERROR_MESSAGE)
        parts = [self.message, f"({fields})" if fields else "", f"at {where}{status}" if where else ""]
        text = " ".join(part for part in parts if part)
        return f"{text}. {self.remedy}" if self.remedy else text


class RetryableError(ConnectorError):
    """Nothing was done, or doing it again is harmless; ``retry_after`` is in seconds if it is known."""

    def __init__(self, message: str, *, retry_after: float | None = None, **context: object) -> None:
        super().__init__(message, **context)  # type: ignore[arg-type]
        self.retry_after = retry_after


class RejectedError(ConnectorError):
    """The vendor refuses this record or request; others may well succeed."""


class StopError(ConnectorError):
    """Nothing more will work until a person acts: wrong key, missing right, wrong setting."""


class UnclearOutcomeError(StopError):
    """A write was sent and no answer came: it may have been done. Never send it again unread."""


class WriteRefusedError(StopError):
    """The client was opened for reading only, as in a dry run, and was asked to write."""


@dataclass(frozen=True, slots=True)
class ConnectionCheck:
    """Whether a block works, in words for the person who filled it in; never a secret.

    ``message`` names what is wrong and the remedy, or what was reached; ``details`` are further findings.
    """

    ok: bool
    message: str
    details: tuple[str, ...] = ()

    def __str__(self) -> str:
        return "\n".join([self.message, *self.details])
