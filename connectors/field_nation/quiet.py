"""Keeps access tokens out of the HTTP library's log: REST v2 has them in the query of each address."""

from __future__ import annotations

import logging
import re
from typing import Any

from connectors.redaction import MASK

_TOKEN = re.compile(r"(access_token=)[^&\s\"'#]*", re.IGNORECASE)
_TOKEN_CALL = "/authentication/api/oauth/"  # noqa: S105 - an address
_LOGGER = "httpx"


class WithoutTokens(logging.Filter):
    """Masks ``access_token=...`` in a record's message and arguments, and drops records of token calls."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record is kept; what is kept holds no token any more."""
        record.msg = _masked(record.msg)
        if isinstance(record.args, tuple):
            record.args = tuple(_masked(each) for each in record.args)
        return _TOKEN_CALL not in record.getMessage()


_FILTER = WithoutTokens()


def keep_tokens_out_of_logs() -> None:
    """Puts the filter before the library's logger; asking again changes nothing."""
    logging.getLogger(_LOGGER).addFilter(_FILTER)


def _masked(value: Any) -> Any:
    text = value if isinstance(value, str) else None if isinstance(value, int | float) else str(value)
    if text is None or "access_token=" not in text.lower():
        return value
    return _TOKEN.sub(rf"\1{MASK}", text)
