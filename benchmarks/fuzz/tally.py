"""Counts what a target tried and what came of it, and holds every input to its bounds.

One input::

    for number in tally.numbers(inputs):
        draw = tally.draw(number)
        async with tally.input(number, "body", shown) as tried:
            try:
                ...
                tried.outcome = "kept"
            except ConnectorError as error:
                tried.refused(error)

What leaves the block as an exception is a raw error: a problem with the seed and number that replay it. So is
an input that takes too much time or memory, an error whose text is too long or holds one of ``secrets``, and
whatever the target reports through ``tally.problem``. A target that can't say where one input begins and ends
uses ``count`` and ``problem`` alone.
"""

from __future__ import annotations

import asyncio
import logging
import random
import resource
import signal
import sys
import threading
import time
import traceback
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from types import FrameType
from typing import Any

RAW, ENDLESS, SLOW, LARGE = "raw error", "endless", "over the time bound", "over the memory bound"
LONG, SECRET, SERVER_ERROR, WRONG = "text too long", "secret in a text", "server error", "wrong value"
PROBLEMS = (RAW, ENDLESS, SLOW, LARGE, LONG, SECRET, SERVER_ERROR, WRONG)
CPU_SECONDS = 2.0
"""Of one input; what takes longer is over the bound."""
STOP_CPU_SECONDS, STOP_SECONDS = 10.0, 30.0
"""CPU and wall time after which an input is stopped and counts as endless."""
INPUT_MEGABYTES, TARGET_MEGABYTES = 256, 512
"""By which the peak of the process may grow in one input, and in all of them together."""
LONGEST_TEXT = 4000
"""Characters of an error's text."""
LONGEST_TRACE = 100_000
"""Of a log line or traceback."""
LONGEST_SHOWN = 1500
KEPT_PROBLEMS = 200
"""Problems that are kept with their texts; further ones are counted alone."""


class EndlessError(BaseException):
    """Stops an input in the middle of a computation; no ``except Exception`` on its way takes it."""


@dataclass(slots=True)
class Tried:
    """One input; the target sets ``outcome``, or calls ``refused`` with the error that it expected."""

    outcome: str = "accepted"
    texts: list[str] = field(default_factory=list)
    traces: list[str] = field(default_factory=list)

    def refused(self, error: BaseException) -> None:
        """The input ended in an error that callers know; its text is held to the bounds of texts."""
        self.outcome = type(error).__name__
        self.texts.append(str(error))
        # What a log of the failure shows beside: the arguments, and every error that led to this one.
        self.traces += [repr(error), "".join(traceback.format_exception(error))]


@dataclass(frozen=True, slots=True)
class Problem:
    """What was wrong with one input, and its number under the seed, None where it has no number."""

    what: str
    kind: str
    number: int | None
    text: str


class Tally:
    """The inputs of one target by kind and outcome, and the problems; may be used from several threads.

    Args:
        only: the number of the single input to replay; None: all.
        seconds: after which ``numbers`` gives no more.
        hear: is told the number of inputs so far, now and then.
    """

    def __init__(
        self,
        target: str,
        *,
        seed: int,
        only: int | None = None,
        seconds: float = 3600.0,
        hear: Callable[[int], None] | None = None,
    ) -> None:
        self.target = target
        self.seed = seed
        self.only = only
        self.secrets: set[str] = set()
        self.problems: list[Problem] = []
        self.counts: Counter[tuple[str, str]] = Counter()
        self.began = time.monotonic()
        self.until = self.began + seconds
        self._hear = hear
        self._lock = threading.Lock()
        self._peak_at_start = peak_megabytes()
        self._current: tuple[str, int | None] = ("", None)

    @property
    def inputs(self) -> int:
        """How many were tried, whatever came of them."""
        return sum(self.counts.values())

    @property
    def is_over(self) -> bool:
        """Whether the time of this target is used up."""
        return time.monotonic() > self.until

    def numbers(self, inputs: int) -> Iterator[int]:
        """The numbers of the inputs to try, until the time is used up; the one of a replay alone."""
        if self.only is not None:
            yield self.only
            return
        for number in range(inputs):
            if self.is_over:
                return
            yield number

    def draw(self, number: int) -> random.Random:
        """What one input is drawn from: the same for the same seed, target and number."""
        return random.Random(f"{self.seed}/{self.target}/{number}")

    def count(self, kind: str, outcome: str, number: int = 1) -> None:
        """Counts inputs of a kind by what came of them."""
        with self._lock:
            before = self.inputs
            self.counts[kind, outcome] += number
            after = before + number
        if self._hear is not None and before // 1000 != after // 1000:
            self._hear(after)

    def problem(self, what: str, kind: str, text: str, number: int | None = None) -> None:
        """Notes what is wrong, one of ``PROBLEMS``; it does not count an input."""
        if what not in PROBLEMS:
            raise ValueError(f"{what!r} is none of {PROBLEMS}")
        with self._lock:
            kept = len(self.problems) < KEPT_PROBLEMS
            self.problems.append(Problem(what, kind, number, text[:LONGEST_SHOWN] if kept else ""))

    def check_text(
        self, kind: str, text: str, number: int | None = None, longest: int = LONGEST_TEXT
    ) -> None:
        """Holds a text that a person or a log may get to its length, and against the secrets."""
        if len(text) > longest:
            self.problem(LONG, kind, f"{len(text)} characters: {text[:200]}", number)
        for secret in self.secrets:
            if secret in text:
                self.problem(SECRET, kind, text, number)

    def _holds_secret(self, text: str) -> bool:
        return any(secret in text for secret in self.secrets)

    @asynccontextmanager
    async def input(self, number: int | None, kind: str, shown: str) -> AsyncIterator[Tried]:
        """One input within its bounds; ``shown`` stands in a problem's text."""
        tried = Tried()
        self._current = (kind, number)
        peak, cpu = peak_megabytes(), time.process_time()
        wrong = ""
        try:
            with _cpu_limit():
                async with asyncio.timeout(STOP_SECONDS) as limit:
                    yield tried
        except EndlessError:
            wrong, text = ENDLESS, f"stopped after {STOP_CPU_SECONDS} s of CPU"
        except TimeoutError:
            wrong, text = (
                (ENDLESS, f"no end after {STOP_SECONDS} s") if limit.expired() else (RAW, "TimeoutError")
            )
        except (KeyboardInterrupt, SystemExit, asyncio.CancelledError, GeneratorExit):
            raise
        except MemoryError:
            wrong, text = LARGE, "MemoryError"
        except BaseException as error:
            wrong, text = RAW, in_words(error)
        used, grown = time.process_time() - cpu, peak_megabytes() - peak
        if wrong:
            self.problem(wrong, kind, f"{text}\ninput: {shown}", number)
        elif used > CPU_SECONDS:
            self.problem(SLOW, kind, f"{used:.1f} s of CPU\ninput: {shown}", number)
        if grown > INPUT_MEGABYTES:
            self.problem(LARGE, kind, f"{grown:.0f} MB more\ninput: {shown}", number)
        for each in tried.texts:
            self.check_text(kind, each, number)
        known = len(self.problems)
        for each in tried.traces:
            # One secret of one input is one problem, however often it is told.
            if len(self.problems) == known and not any(map(self._holds_secret, tried.texts)):
                self.check_text(kind, each, number, longest=LONGEST_TRACE)
        self.count(kind, wrong or tried.outcome)

    def check_memory(self) -> None:
        """At the end of a target: what all inputs together left behind."""
        grown = peak_megabytes() - self._peak_at_start
        if grown > TARGET_MEGABYTES:
            self.problem(LARGE, "all", f"the peak of the process grew by {grown:.0f} MB")

    @contextmanager
    def watched_logs(self) -> Iterator[None]:
        """Holds what is logged meanwhile against the secrets."""
        handler = _LogReader(self)
        logging.getLogger().addHandler(handler)
        try:
            yield
        finally:
            logging.getLogger().removeHandler(handler)

    def check_logged(self, text: str) -> None:
        """A log line may be long where a traceback is, but holds no secret."""
        kind, number = self._current
        self.check_text(kind or "log", text, number, longest=LONGEST_TRACE)

    def report(self) -> dict[str, Any]:
        """The counts and problems as plain data."""
        kinds: dict[str, dict[str, int]] = {}
        for (kind, outcome), number in sorted(self.counts.items()):
            kinds.setdefault(kind, {})[outcome] = number
        wrong = Counter(each.what for each in self.problems)
        return {
            "target": self.target,
            "seed": self.seed,
            "inputs": self.inputs,
            "seconds": round(time.monotonic() - self.began, 1),
            "peak megabytes": round(peak_megabytes()),
            "kinds": kinds,
            "problems": {what: wrong[what] for what in PROBLEMS},
            "first problems": [
                {"what": each.what, "kind": each.kind, "input": each.number, "text": each.text}
                for each in self.problems[:KEPT_PROBLEMS]
            ],
        }


class _LogReader(logging.Handler):
    def __init__(self, tally: Tally) -> None:
        super().__init__()
        self._tally = tally
        self.setFormatter(logging.Formatter())

    def emit(self, record: logging.LogRecord) -> None:
        self._tally.check_logged(self.format(record))


def in_words(error: BaseException) -> str:
    """The class and text of an error, and where it was raised: the last steps."""
    steps = traceback.format_tb(error.__traceback__)[-4:]
    return f"{type(error).__name__}: {str(error)[:300]}\n{''.join(steps)}"


def peak_megabytes() -> float:
    """The largest resident memory of this process so far."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1024 * 1024 if sys.platform == "darwin" else 1024)


@contextmanager
def _cpu_limit() -> Iterator[None]:
    """Raises EndlessError in this thread's computation after ``STOP_CPU_SECONDS`` of CPU time.

    Only the main thread gets signals; in another one nothing is stopped.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGPROF, _stop)
    signal.setitimer(signal.ITIMER_PROF, STOP_CPU_SECONDS, 0.5)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def _stop(_number: int, _frame: FrameType | None) -> None:
    # Between two steps of the loop an exception would end the loop itself; the next signal tries again.
    if _in_a_task():
        raise EndlessError


def _in_a_task() -> bool:
    try:
        return asyncio.current_task() is not None
    except RuntimeError:
        return True
