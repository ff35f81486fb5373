"""Answers that are wrong and look right, as a fault makes them, over real sockets and in the small."""

from __future__ import annotations

import json
from typing import Any

import pytest

from deployments.local.sandbox import Sandbox
from sandbox.faults import Faults
from sandbox.wrong_reads import changed_answer
from tests.support.sandbox.calls import CONFIGURATIONS, connectwise

LINK = [(b"Link", b'<http://h/x?pageId=4>; rel="next"'), (b"content-length", b"9")]
FIELD = {"id": 1, "caption": "ls_asset_id", "value": "k"}


def changed(how: str, answer: Any, **fault: Any) -> tuple[Any, dict[bytes, bytes]]:
    body, headers = changed_answer({"how": how, **fault}, json.dumps(answer).encode(), list(LINK))
    assert dict(headers)[b"content-length"] == str(len(body)).encode()
    return json.loads(body), dict(headers)


def page(*items: dict[str, Any], following: str | None = "c", total: int = 9) -> dict[str, Any]:
    resources = {"items": list(items), "pagination": {"next": following}, "total": total}
    return {"data": {"site": {"assetResources": resources}}}


def test_a_list_of_connectwise() -> None:
    records = [{"id": n, "customFields": [FIELD]} for n in range(4)]
    assert changed("empty", records) == ([], {b"Link": b"", b"content-length": b"2"})
    assert [each["id"] for each in changed("half", records)[0]] == [0, 2]
    assert changed("cut", records)[0] == records
    assert changed("cut", records)[1][b"Link"] == b""
    assert changed("half", records)[1][b"Link"]
    bare = [{"id": n, "customFields": [{"id": 1, "caption": "ls_asset_id"}]} for n in range(4)]
    assert changed("no_values", records)[0] == bare
    assert changed("no_values", records, captions=["Rack position"])[0] == records
    assert changed("no_custom_fields", records)[0] == [{"id": n} for n in range(4)]


def test_a_count_and_one_record() -> None:
    assert changed("empty", {"count": 9})[0] == {"count": 0}
    assert changed("half", {"count": 9})[0] == {"count": 4}
    assert changed("no_values", {"count": 9})[0] == {"count": 9}
    assert changed("no_custom_fields", {"id": 1, "customFields": [FIELD]})[0] == {"id": 1}


def test_a_page_of_lansweeper() -> None:
    assert changed("empty", page({"key": "a"}))[0] == page(following=None, total=0)
    assert changed("empty", page({"key": "a"}), total=False)[0] == page(following=None)
    assert changed("cut", page({"key": "a"}))[0] == page({"key": "a"}, following=None)
    with_fields = {"key": "a", "assetCustom": {"model": "m", "fields": []}}
    assert changed("no_custom_fields", page(with_fields))[0] == page(
        {"key": "a", "assetCustom": {"model": "m"}}
    )


def test_a_list_of_field_nation() -> None:
    def listed(*ids: int, pages: int = 2, total: int = 9) -> dict[str, Any]:
        metadata = {"page": 1, "pages": pages, "total": total}
        return {"metadata": metadata, "results": [{"id": each} for each in ids]}

    assert changed("empty", listed(1, 2))[0] == listed(pages=1, total=0)
    assert changed("cut", listed(1, 2))[0] == listed(1, 2, pages=1, total=2)
    assert changed("empty", listed(1, 2), total=False)[0] == listed()
    assert changed("half", listed(1, 2, 3))[0] == listed(1, 3)


def test_pages_repeat_the_first_that_the_rule_met() -> None:
    rules = Faults()
    rules.set([{"fault": {"kind": "wrong_read", "how": "repeat"}}], seed=1)
    fault = rules._rules[0].fault
    pages = [b'[{"id": 1}]', b'[{"id": 2}]']
    assert [json.loads(changed_answer(fault, each, [])[0]) for each in pages] == [[{"id": 1}], [{"id": 1}]]


def test_what_is_no_reading_stays_as_it_is() -> None:
    assert changed_answer({"how": "empty"}, b"<html>", list(LINK)) == (b"<html>", LINK)
    assert changed("empty", {"code": "NotFound"})[0] == {"code": "NotFound"}
    with pytest.raises(ValueError, match="no such wrong read: nothing"):
        Faults().set([{"fault": {"kind": "wrong_read", "how": "nothing"}}], seed=1)


def test_served_for_as_many_requests_as_the_rule_says(sandbox: Sandbox) -> None:
    wrong = {"kind": "wrong_read", "how": "empty"}
    sandbox.faults([{"path": "/company/configurations", "limit": 1, "fault": wrong}])
    with connectwise(sandbox.info) as client:
        answers = [client.get(CONFIGURATIONS, params={"fields": "id"}) for _ in range(2)]
    assert [each.status_code for each in answers] == [200, 200]
    assert answers[0].json() == []
    assert len(answers[1].json()) == 25
