"""Names the run that writes, so that the journal of writes can be read by run."""

from __future__ import annotations

import uuid

from prefect.runtime import flow_run

_OUTSIDE = f"outside-{uuid.uuid4()}"


def current_run_id() -> str:
    """The id of the outermost flow run; outside of flows one id for the life of the process."""
    return str(flow_run.root_flow_run_id or flow_run.id or _OUTSIDE)
