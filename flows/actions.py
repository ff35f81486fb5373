"""Every documented action as a flow of its own, to be run by hand from a form in the Prefect UI.

The flows are made from the tasks: ``flows.actions.list_locations`` is the action List Locations, and so on
for every module of ``tasks/connectwise``, ``tasks/lansweeper`` and ``tasks/field_nation``. A new action
needs a task module there and a deployment in ``prefect.yaml``, nothing here.
"""

from __future__ import annotations

from typing import Any

from prefect import Flow

import tasks.connectwise
import tasks.field_nation
import tasks.lansweeper
from connectors.connectwise.block import ConnectWiseConnection
from connectors.field_nation.block import FieldNationConnection
from connectors.lansweeper.block import LansweeperConnection
from tasks.shared.action_flow import flows_of

ACTIONS: dict[str, Flow[..., Any]] = {
    **flows_of(tasks.connectwise, ConnectWiseConnection, __name__),
    **flows_of(tasks.lansweeper, LansweeperConnection, __name__),
    **flows_of(tasks.field_nation, FieldNationConnection, __name__),
}
"""The flows by the names of their tasks; an entrypoint finds each as a member of this module."""
globals().update(ACTIONS)
