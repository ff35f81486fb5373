"""Events of runs that automations of Prefect can act on: a plan published, a run refused, records held.

Prefect adds the flow run, its deployment, flow, work pool and tags as related resources. An event goes into a
queue and is sent beside the run: it never delays the run, and a server that can't be reached costs the event
alone. A run emits a handful, however many records it has: lists in a payload are cut off and their number is
told. Outside of runs, as in tests of the tasks, nothing is emitted.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from prefect.events import emit_event
from prefect.runtime import flow_run

from connectors.ledger.models import HeldRecord
from connectors.redaction import Redactor
from tasks.rules.isolation import bounded
from tasks.rules.text import plain_line
from tasks.shared.progress import run_logger

PLAN_PUBLISHED = "connectwise-flows.plan.published"
RUN_REFUSED = "connectwise-flows.run.refused"
RECORDS_HELD = "connectwise-flows.records.held"
MOST_LISTED = 20
"""Records or reasons that one event lists; the report has them all."""
_LONGEST_TEXT = 300
_redacted = Redactor()


@dataclass(frozen=True, slots=True)
class EventSubject:
    """What an event is about: a feature, and the company that it worked for, if any."""

    feature: str
    company_id: int = 0
    company: str = ""

    def resource(self) -> dict[str, str]:
        """The event's primary resource; the id stays the same from run to run."""
        of = f".company.{self.company_id}" if self.company_id else ""
        name = f"{self.feature} of {_text(self.company)}" if self.company else self.feature
        return {
            "prefect.resource.id": f"connectwise-flows.{self.feature}{of}",
            "prefect.resource.name": name,
            "connectwise-flows.feature": self.feature,
            "connectwise-flows.company": _text(self.company),
        }


def announce_plan(
    subject: EventSubject, *, dry_run: bool, counts: Mapping[str, int], refused: Sequence[str]
) -> None:
    """The plan is published; ``refused``: why a real run would not write, or does not."""
    _emit(
        PLAN_PUBLISHED,
        subject,
        {"dry_run": dry_run, "counts": dict(counts), "refused": len(refused), "reasons": _texts(refused)},
    )


def announce_refusal(subject: EventSubject, reasons: Sequence[str]) -> None:
    """A real run was refused and wrote nothing."""
    _emit(RUN_REFUSED, subject, {"reasons": _texts(reasons)})


def announce_held(subject: EventSubject, held: Sequence[HeldRecord]) -> None:
    """Records were refused in this run, and are held from now on; one event for all of them."""
    if not held:
        return
    records = [
        {
            "key": _text(each.key),
            "name": _text(each.name),
            "step": _text(each.step),
            "reason": _text(each.reason),
        }
        for each in held[:MOST_LISTED]
    ]
    _emit(RECORDS_HELD, subject, {"held": len(held), "records": records})


def _emit(event: str, subject: EventSubject, payload: dict[str, Any]) -> None:
    if not flow_run.id:
        return
    try:
        emit_event(event, subject.resource(), payload=payload)
    except Exception as error:
        run_logger().debug("The event %s is lost: %s", event, error)


def _texts(texts: Iterable[str]) -> list[str]:
    return [_text(each) for each in list(texts)[:MOST_LISTED]]


def _text(value: Any) -> str:
    return bounded(plain_line(_redacted(str(value or ""))), _LONGEST_TEXT)
