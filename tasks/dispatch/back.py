"""What became of one work order that was brought back."""

from __future__ import annotations

from dataclasses import dataclass, replace

from tasks.dispatch.run import AGAIN, Result
from tasks.rules.dispatch_reference import RecordKind


@dataclass(frozen=True, slots=True)
class Back:
    """What became of one work order; ``did`` and ``warnings`` are words a person reads.

    ``retry_after``: seconds, for results of ``AGAIN`` where it is known.
    """

    work_order_id: int
    result: Result
    kind: RecordKind | None = None
    record_id: int | None = None
    status: str = ""
    did: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    message: str = ""
    retry_after: float | None = None
    messages: int | None = None
    """How many messages the work order has, answers not counted; None: not read."""

    @property
    def again(self) -> bool:
        """Whether it must be tried again soon."""
        return self.result in AGAIN

    def including(self, did: tuple[str, ...]) -> Back:
        """The same with what earlier tries did; then it counts as updated, not as unchanged."""
        result = Result.UPDATED if did and self.result is Result.UNCHANGED else self.result
        return replace(self, did=did, result=result)

    def __str__(self) -> str:
        words = (str(self.result), *self.did, self.message, *self.warnings)
        return f"Work order {self.work_order_id}: {'; '.join(each for each in words if each)}"


def memory_name(work_order_id: int) -> str:
    """The watermark under which the ledger remembers what was seen of a work order."""
    return f"work order {work_order_id}"


def talk_name(work_order_id: int) -> str:
    """The watermark under which the ledger remembers how many messages were there when notes were copied."""
    return f"messages of work order {work_order_id}"
