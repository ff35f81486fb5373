"""What a block's connection check answers to the person who filled in the block."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ConnectionCheck:
    """Whether a block works, in words for the person who filled it in; never a secret.

    Attributes:
        message: one sentence that names what is wrong and the remedy, or what was reached.
        details: further findings, one sentence each, such as a missing right.
    """

    ok: bool
    message: str
    details: tuple[str, ...] = ()

    def __str__(self) -> str:
        return "\n".join([self.message, *self.details])
