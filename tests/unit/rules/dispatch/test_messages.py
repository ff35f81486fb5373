"""What messages are about: the vendors' own shapes, and nothing for anything else."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.rules.dispatch.messages import About, about

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=2),
)
NAMES = st.sampled_from(["Type", "ID", "Entity", "workorder", "event", "id", "payload", "body"])


def callback(kind: str = "ticket", entity: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    return {"Type": kind, "ID": 5, "Entity": json.dumps(entity) if entity else None, **more}


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (callback(entity={"id": 5, "recordType": "ServiceTicket"}), About("service", 5)),
        (callback(entity={"id": 5, "recordType": "ProjectTicket"}), About("project", 5)),
        (callback(entity={"id": 5, "phase": {"id": 1}}), About("project", 5)),
        (callback(), About("ticket", 5)),
        (callback("Ticket", ID="5"), About("ticket", 5)),
        (callback("opportunity"), About("opportunity", 5)),
        (callback("company"), None),
        (callback(ID=None, entity={"id": 6}), About("ticket", 6)),
        (callback(ID=True), None),
        (callback(Entity="{broken"), About("ticket", 5)),
        ({"payload": callback()}, About("ticket", 5)),
        ({}, None),
    ],
)
def test_of_connectwise(body: dict[str, Any], expected: About | None) -> None:
    assert about("connectwise", body) == expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"workorder": {"id": 7}}, About("work order", 7)),
        ({"event": {"params": {"work_order_id": "7"}}}, About("work order", 7)),
        ({"body": {"workorder": {"work_order_id": 7}}}, About("work order", 7)),
        ({"event": {"name": "workorder.created"}}, None),
        ({"workorder": {"id": -7}}, None),
    ],
)
def test_of_field_nation(body: dict[str, Any], expected: About | None) -> None:
    assert about("field_nation", body) == expected


@given(st.sampled_from(["connectwise", "field_nation"]), st.dictionaries(NAMES, JSON))
def test_no_message_breaks_it(source: str, body: dict[str, Any]) -> None:
    found = about(source, body)
    assert found is None or found.number > 0
