"""Only what is certainly harmless to repeat is a retry of the task; never an unclear outcome of a write."""

from __future__ import annotations

import pytest

from connectors.errors import RejectedError, RetryableError, StopError, UnclearOutcomeError
from tasks.connectwise.create_manufacturer import create_manufacturer
from tasks.shared.action import RETRY_DELAYS_SECONDS, action

pytestmark = [pytest.mark.anyio, pytest.mark.prefect, pytest.mark.usefixtures("saved_blocks")]


@pytest.mark.parametrize(
    ("error", "tries"),
    [
        (RetryableError("later", retry_after=1), 1 + len(RETRY_DELAYS_SECONDS)),
        (UnclearOutcomeError("no answer"), 1),
        (RejectedError("no"), 1),
        (StopError("wrong key"), 1),
        (ValueError("a mistake"), 1),
    ],
    ids=lambda each: type(each).__name__,
)
async def test_a_task_is_tried_again_only_when_that_is_harmless(error: Exception, tries: int) -> None:
    calls = []

    @action("Try", key="tryAction")
    async def attempt(connection: str) -> None:
        calls.append(connection)
        raise error

    with pytest.raises(type(error)):
        await attempt.with_options(retry_delay_seconds=0)("default")
    assert len(calls) == tries


def test_an_action_waits_for_the_whole_of_the_vendors_window_before_it_gives_up() -> None:
    assert create_manufacturer.retries == len(RETRY_DELAYS_SECONDS)
    assert sum(RETRY_DELAYS_SECONDS) >= 300
