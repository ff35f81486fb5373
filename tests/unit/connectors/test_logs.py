"""A log line as JSON: one line a record, bounded, without secrets; also as Prefect's processes write it."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from typing import Any

import pytest

from connectors.logs import (
    LOG_FORMAT,
    LONGEST_LOG_MESSAGE,
    LONGEST_TRACEBACK,
    PREFECT_SETTINGS,
    JsonFormatter,
    log_formatter,
)
from connectors.redaction import Redactor

SECRET = "5f4dcc3b5aa74000"


def line(message: str, *arguments: Any, error: BaseException | None = None, **extra: Any) -> dict[str, str]:
    record = logging.LogRecord(
        "some.logger",
        logging.WARNING,
        "x.py",
        1,
        message,
        arguments,
        (type(error), error, None) if error else None,
    )
    record.__dict__.update(extra)
    text = JsonFormatter(redact=Redactor([SECRET])).format(record)
    assert "\n" not in text
    read: dict[str, str] = json.loads(text)
    return read


def test_a_record_is_one_object_with_its_context() -> None:
    read = line("%s of\n%d", "one", 2, flow_run_id="1", flow_name="undo-run", not_known="x")
    assert read.pop("time").endswith("+00:00")
    assert read == {
        "level": "WARNING",
        "logger": "some.logger",
        "message": "one of\n2",
        "flow_run_id": "1",
        "flow_name": "undo-run",
    }


def test_no_secret_is_in_any_part_of_it() -> None:
    error = ValueError(f"{SECRET} and https://vendor.test/a?access_token=abc")
    read = line(f"key {SECRET}, Authorization: Basic abc123def456", error=error, flow_run_name=SECRET)
    assert read["error"] == "ValueError"
    assert "ValueError" in read["traceback"]
    assert [each for each in (SECRET, "abc123def456", "access_token=abc") if each in json.dumps(read)] == []


def test_it_is_bounded_and_keeps_the_end_of_a_traceback() -> None:
    read = line("x" * 100_000, error=ValueError("first\n" * 10_000 + "the last line"), flow_name="y" * 1_000)
    assert len(read["message"]) == LONGEST_LOG_MESSAGE
    assert len(read["traceback"]) <= LONGEST_TRACEBACK
    assert read["traceback"].endswith("the last line")
    assert len(read["flow_name"]) == 200


@pytest.mark.parametrize("message", ["half an emoji \ud83d", "100 %", "%d of it"])
def test_what_can_not_be_written_as_it_is_is_written_all_the_same(message: str) -> None:
    assert line(message, *(["no number"] if "%d" in message else []))["message"]


def test_the_variable_names_the_form() -> None:
    assert not isinstance(log_formatter({}, "%(message)s", str), JsonFormatter)
    assert not isinstance(log_formatter({LOG_FORMAT: "text"}, "%(message)s", str), JsonFormatter)
    assert isinstance(log_formatter({LOG_FORMAT: " JSON"}, "%(message)s", str), JsonFormatter)
    with pytest.raises(ValueError, match="must be text or json"):
        log_formatter({LOG_FORMAT: "xml"}, "%(message)s", str)


def test_prefects_processes_write_such_lines_with_two_settings() -> None:
    """Long ones, which its console would otherwise break, and with what looks like its markup."""
    program = (
        "from prefect.logging import get_logger\n"
        "from prefect.logging.configuration import setup_logging\n"
        "setup_logging()\n"
        "log = get_logger('flow_runs').getChild('x')\n"
        "log.warning('[red]%s Bearer abc123def456[/red]', 'word ' * 500, extra={'flow_run_id': '7'})\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=os.environ | PREFECT_SETTINGS | {"PREFECT_LOGGING_TO_API_ENABLED": "false"},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    [read] = [json.loads(each) for each in done.stderr.splitlines()]
    assert read["message"].startswith("[red]word word")
    assert read["message"].endswith("Bearer ***[/red]")
    assert (read["logger"], read["flow_run_id"]) == ("prefect.flow_runs.x", "7")
