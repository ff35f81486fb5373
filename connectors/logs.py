"""Log lines as JSON objects, for whoever collects logs: one line a record, bounded, without secrets.

``CONNECTWISE_FLOWS_LOG_FORMAT=json`` switches the receiver and the local stack to it. Prefect's own processes
are told by ``PREFECT_SETTINGS``, as environment variables.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import orjson

from connectors.redaction import Redactor

LOG_FORMAT = "CONNECTWISE_FLOWS_LOG_FORMAT"
PREFECT_SETTINGS = {
    "PREFECT_LOGGING_FORMATTERS_JSON_CLASS": "connectors.logs.JsonFormatter",
    "PREFECT_LOGGING_HANDLERS_CONSOLE_FORMATTER": "json",
}
"""Let Prefect's servers, workers and runs write their console's lines through ``JsonFormatter``."""
LONGEST_LOG_MESSAGE = 8_000
LONGEST_TRACEBACK = 8_000
"""Characters. The end of a traceback is kept, which says most."""
_LONGEST_VALUE = 200
_CONTEXT = (
    "flow_run_id",
    "flow_run_name",
    "flow_name",
    "task_run_id",
    "task_run_name",
    "task_name",
    "worker_name",
    "work_pool_name",
)
"""What Prefect adds to the records of runs and workers."""


class JsonFormatter(logging.Formatter):
    """A record as a JSON object: time (UTC), level, logger, message, Prefect's context, error and traceback.

    ``redact`` takes secrets out of every text; the usual one knows them by name and shape only.
    """

    def __init__(self, *_: Any, redact: Callable[[str], str] | None = None, **__: Any) -> None:
        # logging.config and Prefect hand on a format, which there is no use for.
        super().__init__()
        self._redact = redact or Redactor()

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, str] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name[:_LONGEST_VALUE],
            "message": self._redact(_message_of(record)[:LONGEST_LOG_MESSAGE]),
        }
        line |= {
            name: self._redact(str(record.__dict__[name])[:_LONGEST_VALUE])
            for name in _CONTEXT
            if record.__dict__.get(name) is not None
        }
        if record.exc_info and record.exc_info[0] is not None:
            line["error"] = record.exc_info[0].__name__
            line["traceback"] = self._redact(_end_of(self.formatException(record.exc_info)))
        # A lone surrogate is no text that JSON can hold.
        return orjson.dumps(
            {name: str(text).encode("utf-8", "replace").decode() for name, text in line.items()}
        ).decode()


def log_formatter(
    environment: Mapping[str, str], text_format: str, redact: Callable[[str], str]
) -> logging.Formatter:
    """The formatter that the variable names; ``text_format`` is that of plain lines, which is the default.

    Raises:
        ValueError: neither text nor json.
    """
    return JsonFormatter(redact=redact) if wants_json(environment) else logging.Formatter(text_format)


def wants_json(environment: Mapping[str, str]) -> bool:
    """Whether the variable names JSON; ValueError if it names neither that nor text."""
    named = environment.get(LOG_FORMAT, "").strip().lower() or "text"
    if named not in ("text", "json"):
        raise ValueError(f"{LOG_FORMAT} must be text or json.")
    return named == "json"


def _message_of(record: logging.LogRecord) -> str:
    """The message, or the words without their values where these do not fit."""
    try:
        return record.getMessage()
    except Exception:
        return str(record.msg)


def _end_of(traceback: str) -> str:
    """Its last lines, whole ones: the rest of a secret that is cut in two would not be known as one."""
    if len(traceback) <= LONGEST_TRACEBACK:
        return traceback
    return traceback[-LONGEST_TRACEBACK:].partition("\n")[2]
