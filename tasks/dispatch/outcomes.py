"""Makes the outcome of one record, so that each step says only what is its own."""

from __future__ import annotations

from dataclasses import dataclass

from connectors.ledger.dispatch_models import Intent
from tasks.dispatch.run import DispatchRun, Outcome, Result
from tasks.rules.dispatch_reference import RecordKind


@dataclass(frozen=True, slots=True)
class Told:
    """Whom an outcome is about."""

    run: DispatchRun
    kind: RecordKind
    record_id: int

    @classmethod
    def of(cls, run: DispatchRun, intent: Intent) -> Told:
        """The record of an intent."""
        return cls(run, RecordKind(intent.record_kind), intent.record_id)

    @property
    def reference(self) -> str:
        """The record's reference."""
        return self.run.reference(self.kind, self.record_id)

    def outcome(
        self,
        result: Result,
        work_order_id: int | None = None,
        *,
        message: str = "",
        warnings: tuple[str, ...] = (),
        retry_after: float | None = None,
    ) -> Outcome:
        """That record's outcome."""
        about = (self.kind, self.record_id, self.reference)
        return Outcome(*about, result, work_order_id, message, warnings, retry_after)

    def busy(self) -> Outcome:
        """Another process has the record; it is tried again soon."""
        wait = self.run.settings.waiting.busy_seconds
        return self.outcome(Result.BUSY, message="another process works on it", retry_after=wait)
