"""What a command writes where, and its exit codes.

The result goes to standard output: text for people, or with ``--json`` one JSON document. All else goes to
standard error: what is waited for, logs, questions, errors.
"""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Iterator
from enum import IntEnum
from typing import Annotated, Any, TextIO

import typer


class ExitCode(IntEnum):
    """What every command ends with; scripts and service managers go by it."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    """The command line, or what it needs around it, is wrong; nothing was started."""
    FINDINGS = 3
    """Finished with findings, or refused: a person has to look."""
    RUNNING = 4
    """The wait ended before the run did."""
    INTERRUPTED = 130
    """Ctrl-C."""


EXIT_CODES = """Exit codes: 0 done; 1 failed; 2 wrong usage or set-up, nothing was started; 3 finished with
findings, or refused; 4 still running when the wait ended; 130 Ctrl-C."""

JsonOption = Annotated[
    bool, typer.Option("--json", help="One JSON document on standard output, all else on standard error.")
]
YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before it writes.")]


class CommandError(Exception):
    """What ends a command with a sentence for the person who typed it."""

    def __init__(self, message: str, code: ExitCode = ExitCode.FAILED) -> None:
        super().__init__(message)
        self.code = code


class Output:
    """The two streams of one command."""

    def __init__(self, as_json: bool, stdout: TextIO) -> None:
        self.as_json = as_json
        self.told = False
        self._stdout = stdout

    def say(self, text: str) -> None:
        """Tell a person what goes on."""
        print(text, file=sys.stderr, flush=True)

    def stream(self) -> TextIO:
        """Where a result goes that is written piece by piece."""
        self.told = True
        return self._stdout

    def result(self, document: Any, text: str) -> None:
        """The result: the document as JSON, or its text."""
        shown = json.dumps(document, indent=2, ensure_ascii=False, default=str) if self.as_json else text
        self.told = True
        print(shown, file=self._stdout, flush=True)

    def markdown(self, document: Any, text: str) -> None:
        """The result: the document as JSON, or Markdown, set for a terminal and else left as it is."""
        if self.as_json or not self._stdout.isatty():
            self.result(document, text)
            return
        from rich.console import Console
        from rich.markdown import Markdown

        Console(file=self._stdout).print(Markdown(text))

    def confirm(self, question: str, *, yes: bool) -> None:
        """Ask before something is written.

        Raises:
            CommandError: the answer is no, or nobody is there to answer.
        """
        if yes:
            return
        if not sys.stdin.isatty():
            raise CommandError(f"{question} Nobody is there to answer: add --yes.", ExitCode.USAGE)
        if not typer.confirm(question, err=True):
            raise CommandError("Nothing was written.")


@contextlib.contextmanager
def command_output(as_json: bool) -> Iterator[Output]:
    """The streams of a command; with ``--json`` whatever else prints goes to standard error.

    Where a CommandError passes before there is a result, the document is what it says.
    """
    output = Output(as_json, sys.stdout)
    try:
        with contextlib.redirect_stdout(sys.stderr) if as_json else contextlib.nullcontext():
            yield output
    except CommandError as error:
        if as_json and not output.told:
            output.result({"error": str(error), "exit_code": int(error.code)}, "")
        raise


def end(code: ExitCode) -> None:
    """End the command with a code other than 0."""
    if code is not ExitCode.DONE:
        raise typer.Exit(int(code))
