"""The automation that marks runs as crashed whose process has died: no heartbeat for a while."""

from __future__ import annotations

from datetime import timedelta

from prefect.automations import Automation
from prefect.client.schemas.objects import StateType
from prefect.events.actions import ChangeFlowRunState
from prefect.events.schemas.automations import EventTrigger, Posture

NAME = "Mark runs without heartbeat as crashed"
HEARTBEAT_SECONDS = 30
"""How often a run says that it lives; Prefect takes no less."""
SILENCE_SECONDS = 90
_HEARTBEAT = "prefect.flow-run.heartbeat"
_SIGNS_OF_LIFE = "prefect.flow-run.*"
"""Every event of a run: its end too, which bears the state's own name, such as "Finished with 2 failures"."""


async def install_crash_automation() -> str:
    """Make the automation unless one of its name is there, which may have been changed or switched off."""
    try:
        await Automation.aread(name=NAME)
    except ValueError:
        await crash_automation().acreate()
        return f"Automation made: {NAME}."
    return f"Automation is there: {NAME}."


def crash_automation() -> Automation:
    """A run that has sent a heartbeat and then neither another one nor its end within 90 seconds."""
    return Automation(
        name=NAME,
        description="A run whose process was killed would otherwise stay Running for ever.",
        trigger=EventTrigger(
            after={_HEARTBEAT},
            expect={_SIGNS_OF_LIFE},
            match={"prefect.resource.id": ["prefect.flow-run.*"]},
            for_each={"prefect.resource.id"},
            posture=Posture.Proactive,
            threshold=1,
            within=timedelta(seconds=SILENCE_SECONDS),
        ),
        actions=[
            ChangeFlowRunState(
                state=StateType.CRASHED,
                message="No sign of life from the run's process; start the flow again.",
            )
        ],
    )
