"""What a person approves of a plan that was shown: creations, modifications, all but some kinds of change.

Kinds of change are those of the plan that the person saw, by the numbers that its page has. What a plan that
is made later has beside them is approved by nobody, and is dropped by the rule of stored plans before.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from tasks.rules.stored_plans.entries import EntryKind, PlanEntry
from tasks.rules.stored_plans.summary import KindNumbers


class ReviewAnswer(StrEnum):
    """What a person answers to a plan."""

    ALL = "approve everything"
    CREATIONS = "approve creations only"
    MODIFICATIONS = "approve modifications only"
    CANCEL = "cancel: write nothing"


@dataclass(frozen=True, slots=True)
class Approval:
    """A person's answer. ``left_out``: numbers of the kinds of change that are not to be written."""

    answer: ReviewAnswer
    numbers: KindNumbers
    left_out: frozenset[int] = frozenset()

    @property
    def whole(self) -> bool:
        """Whether all of the plan is approved."""
        return self.answer is ReviewAnswer.ALL and not self.left_out

    def why_left(self, entry: PlanEntry) -> str:
        """Why nothing is written of an entry; empty where something of it is approved."""
        creation = entry.kind is EntryKind.CREATE
        if self.answer is ReviewAnswer.CANCEL:
            return "The review was cancelled."
        if self.answer is ReviewAnswer.CREATIONS and not creation:
            return "Not approved in the review, which approved creations only."
        if self.answer is ReviewAnswer.MODIFICATIONS and creation:
            return "Not approved in the review, which approved modifications only."
        kinds = set(self.numbers.of(entry))
        if kinds and kinds <= self.left_out:
            return "Left out in the review: " + "; ".join(self.numbers.words(each) for each in sorted(kinds))
        return ""

    def withheld(self, entry: PlanEntry) -> frozenset[str]:
        """The fields of an entry that are not to be written."""
        if entry.kind is EntryKind.CREATE:
            return frozenset()
        return frozenset(
            each.field for each in entry.changes if self.numbers.of_change(each) in self.left_out
        )

    def words(self) -> list[str]:
        """What was answered, for the notes of a run."""
        kinds = [f"Left out in the review: {self.numbers.words(each)}" for each in sorted(self.left_out)]
        return [f"Reviewed: {self.answer}.", *kinds]
