"""Answers that are wrong and look right: status 200, and records, pages or values are missing.

A fault ``{"kind": "wrong_read", "how": ...}`` lets the vendor answer and then changes the answer:

- ``empty``: no record but the first ``keep``, and nothing follows; counts and totals fit, but with ``total``
  false Lansweeper's stays.
- ``half``: every second record of the page is missing; pages and totals stay. A count is halved.
- ``cut``: the page is the last one, whatever follows.
- ``repeat``: the records of the first page that the rule met, again; pages go on.
- ``no_values``: custom fields without their values, all or those of ``captions``.
- ``no_custom_fields``: records without the member ``customFields``, or ``assetCustom.fields``.

Lists of ConnectWise, single records of it, pages of Lansweeper assets, and lists of Field Nation; another
answer stays as it is.
"""

from __future__ import annotations

from typing import Any

from starlette.types import Message, Send

from sandbox.requests import decode, encode

HOW = frozenset({"empty", "half", "cut", "repeat", "no_values", "no_custom_fields"})

Fault = dict[str, Any]
Headers = list[tuple[bytes, bytes]]
_FIRST = "first page"


class WrongAnswer:
    """Takes an application's answer and hands it on changed."""

    def __init__(self, fault: Fault, send: Send) -> None:
        self._fault = fault
        self._send = send
        self._start: Message = {}
        self._body: list[bytes] = []

    async def send(self, message: Message) -> None:
        """What the application is given as its ``send``."""
        if message["type"] == "http.response.start":
            self._start = message
            return
        self._body.append(message.get("body", b""))
        if message.get("more_body", False):
            return
        body, headers = changed_answer(self._fault, b"".join(self._body), list(self._start["headers"]))
        await self._send({**self._start, "headers": headers})
        await self._send({"type": "http.response.body", "body": body})


def changed_answer(fault: Fault, body: bytes, headers: Headers) -> tuple[bytes, Headers]:
    """The answer as the fault makes it; ``fault`` remembers the first page for ``repeat``."""
    try:
        answer = decode(body)
    except ValueError:
        return body, headers
    how = fault["how"]
    if isinstance(answer, list):
        answer, ends = _changed_records(fault, answer), how in ("empty", "cut")
        headers = [(name, b"" if ends and name.lower() == b"link" else value) for name, value in headers]
    elif isinstance(answer, dict) and set(answer) == {"count"}:
        answer["count"] = {"empty": fault.get("keep", 0), "half": answer["count"] // 2}.get(
            how, answer["count"]
        )
    elif isinstance(answer, dict) and (page := _asset_page(answer)) is not None:
        _change_page(fault, page)
    elif isinstance(answer, dict) and isinstance(answer.get("results"), list):
        _change_list(fault, answer)
    elif isinstance(answer, dict) and "id" in answer:
        (answer,) = _without_values(fault, [answer])
    text = encode(answer)
    kept = [(name, value) for name, value in headers if name.lower() != b"content-length"]
    return text, [*kept, (b"content-length", str(len(text)).encode())]


def _asset_page(answer: dict[str, Any]) -> dict[str, Any] | None:
    site = (answer.get("data") or {}).get("site") or {}
    page = site.get("assetResources")
    return page if isinstance(page, dict) else None


def _change_page(fault: Fault, page: dict[str, Any]) -> None:
    page["items"] = _changed_records(fault, page.get("items") or [])
    if fault["how"] in ("empty", "cut"):
        page["pagination"] = {**(page.get("pagination") or {}), "next": None}
    if fault["how"] == "empty" and fault.get("total", True) and page.get("total") is not None:
        page["total"] = len(page["items"])


def _change_list(fault: Fault, answer: dict[str, Any]) -> None:
    """A list of Field Nation, whose ``metadata`` counts pages and records."""
    answer["results"] = _changed_records(fault, answer["results"])
    metadata = answer.get("metadata")
    if not isinstance(metadata, dict) or fault["how"] not in ("empty", "cut"):
        return
    counts = {"pages": 1, "total": len(answer["results"])} if fault.get("total", True) else {}
    answer["metadata"] = {**metadata, **counts}


def _changed_records(fault: Fault, records: list[Any]) -> list[Any]:
    match fault["how"]:
        case "empty":
            return records[: fault.get("keep", 0)]
        case "half":
            return records[::2]
        case "repeat":
            found: list[Any] = fault.setdefault(_FIRST, records)
            return found
        case "cut":
            return records
        case _:
            return _without_values(fault, records)


def _without_values(fault: Fault, records: list[Any]) -> list[Any]:
    if fault["how"] == "no_custom_fields":
        return [_without_fields(one) if isinstance(one, dict) else one for one in records]
    if fault["how"] == "no_values":
        captions = set(fault.get("captions") or ())
        return [_emptied(one, captions) if isinstance(one, dict) else one for one in records]
    return records


def _without_fields(record: dict[str, Any]) -> dict[str, Any]:
    kept = {name: value for name, value in record.items() if name != "customFields"}
    if isinstance(custom := kept.get("assetCustom"), dict):
        kept["assetCustom"] = {name: value for name, value in custom.items() if name != "fields"}
    return kept


def _emptied(record: dict[str, Any], captions: set[str]) -> dict[str, Any]:
    fields = record.get("customFields")
    if not isinstance(fields, list):
        return record
    return {**record, "customFields": [_without_value(one, captions) for one in fields]}


def _without_value(field: dict[str, Any], captions: set[str]) -> dict[str, Any]:
    if captions and field.get("caption") not in captions:
        return field
    return {name: value for name, value in field.items() if name != "value"}
