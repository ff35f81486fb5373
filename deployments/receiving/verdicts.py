"""How a message ends when it is not kept: refused for good, or put off so that its sender repeats it."""

from __future__ import annotations


class RefusedError(Exception):
    """Not believed or not readable; sending it again would not help."""

    def __init__(self, status: int, reason: str, detail: str = "") -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason
        self.detail = detail


class PutOffError(Exception):
    """It can't be checked or kept at the moment: the sender is to send it again."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.detail = detail
