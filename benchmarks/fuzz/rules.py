"""Settings, mappings, rules, expressions, External Data and payloads that are malformed in drawn ways.

Each is refused with an error that its callers know, in a text of bounded length, or gives a value; never
another exception, and never later than the bound of time.
"""

from __future__ import annotations

import asyncio
import json
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from pydantic import BaseModel, ValidationError

from benchmarks.fuzz.odd_values import PLAIN, changed, jmespath_text, odd_json
from benchmarks.fuzz.tally import Tally, Tried
from connectors.errors import ConnectorError
from deployments.receiver.messages import RefusedError, kept_callback, kept_webhook
from deployments.receiver.settings import receiver_settings
from tasks.asset_sync.settings import AssetSynchronizationSettings
from tasks.dispatch.settings import DispatchSettings
from tasks.enrichment.settings import EnrichmentSettings
from tasks.rules.action_io import ExternalDataError, answer_table, read_objects
from tasks.rules.dispatch.events import (
    WorkOrderState,
    default_outbound_rules,
    events_of,
    open_events,
    status_doubt,
)
from tasks.rules.dispatch.mapping import (
    DispatchMappingError,
    check_dispatch_mappings,
    outbound_values,
    work_order_of,
)
from tasks.rules.dispatch.mapping_model import DispatchMappings, default_dispatch_mappings
from tasks.rules.dispatch.messages import CONNECTWISE_SOURCE, FIELD_NATION_SOURCE, about
from tasks.rules.dispatch.notes import opportunity_note, order_message, ticket_note
from tasks.rules.dispatch.outbound import wanted_of
from tasks.rules.dispatch.reference import RecordKind
from tasks.rules.dispatch.sources import dispatch_source
from tasks.rules.dispatch.triggers import Trigger, observe
from tasks.rules.isolation import convert_all, problem_words
from tasks.rules.lansweeper_input import asset_edit, checked_props
from tasks.rules.limits import LimitError
from tasks.rules.mapping.compile import FieldMappingError, compile_mapping, expression_problems
from tasks.rules.mapping.model import FieldMapping, default_mappings, read_mappings
from tasks.rules.values import folded, plain_text, read_boolean, read_date_time, read_number

NAME = "rules"
INPUTS = 26_000
SHORT = 400
KNOWN = (
    ConnectorError,
    ValidationError,
    ExternalDataError,
    DispatchMappingError,
    FieldMappingError,
    LimitError,
    RefusedError,
)
"""The errors that callers of the rules know."""


@dataclass(frozen=True, slots=True)
class Case:
    """One input: its kind, a line that shows it, and what is done with it."""

    kind: str
    shown: str
    act: Callable[[Tried], None]


async def run(tally: Tally, *, inputs: int) -> None:
    """Tries every input by itself."""
    with warnings.catch_warnings():
        # jmespath's word on an old form of literals, which is no error of whoever wrote it.
        warnings.simplefilter("ignore", PendingDeprecationWarning)
        await _try_all(tally, inputs)


async def _try_all(tally: Tally, inputs: int) -> None:
    for number in tally.numbers(inputs):
        draw = tally.draw(number)
        case = draw.choice(CASES)(draw)
        async with tally.input(number, case.kind, case.shown) as tried:
            try:
                case.act(tried)
            except KNOWN as error:
                tried.refused(error) if not isinstance(error, ValidationError) else _invalid(tried, error)
        if number % 200 == 0:
            await asyncio.sleep(0)


def _invalid(tried: Tried, error: ValidationError) -> None:
    """What a person sees of pydantic's error is its words, not its repetition of the input."""
    tried.outcome = type(error).__name__
    tried.texts.append(problem_words(error))


def _shown(value: Any) -> str:
    try:
        return repr(value)[:800]
    except RecursionError:
        return "deep"


def _settings(draw: Random) -> Case:
    model: type[BaseModel] = draw.choice((AssetSynchronizationSettings, EnrichmentSettings, DispatchSettings))
    given = changed(draw, _GOOD[model])
    return Case(
        f"settings {model.__name__}", _shown(given), lambda _tried: _drop(model.model_validate(given))
    )


def _environment(draw: Random) -> Case:
    good = {
        "FIELD_NATION_WEBHOOK_SECRET": "secret",
        "CONNECTWISE_FLOWS_RECEIVER_PORT": "8460",
        "CONNECTWISE_FLOWS_RECEIVER_FIELD_NATION_SOURCES": "203.0.113.0/24",
        "CONNECTWISE_FLOWS_RECEIVER_BODY_LIMIT": "1000",
        "CONNECTWISE_FLOWS_RECEIVER_KEY_PATHS": "/v4_6_release/keys",
    }
    # A variable of the environment is text without NUL.
    given = {name: str(value).replace("\x00", "") for name, value in changed(draw, good).items()}

    def act(tried: Tried) -> None:
        try:
            receiver_settings(given)
        except ValueError as error:
            tried.refused(error)

    return Case("settings receiver", _shown(given), act)


def _mappings(draw: Random) -> Case:
    good = [each.model_dump(mode="json") for each in default_mappings()]
    given = draw.choice(
        (changed(draw, good), changed(draw, {each["source"]: each["target"] for each in good}))
    )
    asset = odd_json(draw)

    def act(tried: Tried) -> None:
        try:
            read = read_mappings(given)
        except ValueError as error:
            tried.refused(error) if not isinstance(error, ValidationError) else _invalid(tried, error)
            return
        _read_asset(tried, read, asset)

    return Case("mapping", _shown(given), act)


def _read_asset(tried: Tried, lines: Sequence[FieldMapping], asset: Any) -> None:
    """As a run reads assets: what one of them does to its expressions is that asset's problem in words."""

    def failed(_asset: Any, error: Exception) -> None:
        tried.outcome = "the asset's problem"
        tried.texts.append(problem_words(error))

    convert_all([asset if isinstance(asset, dict) else {}], compile_mapping(lines).read_asset, failed)


def _expression(draw: Random) -> Case:
    text = jmespath_text(draw)
    asset = changed(draw, {"key": "k", "assetBasicInfo": {"name": "n"}, "softwares": [{"name": "s"}]})

    def act(tried: Tried) -> None:
        problems = list(expression_problems(text))
        if problems:
            tried.outcome = "refused when saved"
            tried.texts += problems
            return
        _read_asset(tried, [FieldMapping(source=text, target="name")], asset)

    return Case("expression", text[:800], act)


def _dispatch_mapping(draw: Random) -> Case:
    kind = draw.choice(list(RecordKind))
    given = changed(draw, _GOOD_MAPPINGS[kind], times=3)
    script = jmespath_text(draw)
    if isinstance(given, dict) and draw.random() < 0.5:
        line = {"target": "title", "action": "Custom", "script": script}
        given["inbound"] = (
            [*(given.get("inbound") or []), line] if isinstance(given.get("inbound"), list) else [line]
        )
    record, order = changed(draw, _TICKET, times=4), changed(draw, _ORDER, times=4)

    def act(tried: Tried) -> None:
        mappings = DispatchMappings.model_validate(given)
        check_dispatch_mappings(mappings)
        if isinstance(record, dict):
            mapped = work_order_of(mappings.inbound, record)
            tried.texts += mapped.problems
        if isinstance(order, dict):
            tried.texts += outbound_values(mappings.outbound, order)[1]

    return Case("dispatch mapping", f"{_shown(given)} {_shown(record)} {_shown(order)}", act)


def _trigger(draw: Random) -> Case:
    good = {"kind": "service", "conditions": [{"field": "status", "operator": "is", "values": ["Dispatch"]}]}
    given, record = changed(draw, good), changed(draw, _TICKET, times=4)

    def act(_tried: Tried) -> None:
        trigger = Trigger.model_validate(given)
        if isinstance(record, dict):
            observe([trigger], RecordKind.SERVICE_TICKET, record, None)

    return Case("trigger", f"{_shown(given)} {_shown(record)}", act)


def _source(draw: Random) -> Case:
    record = changed(draw, _TICKET, times=3)

    def act(_tried: Tried) -> None:
        # A record without a number is none: the clients refuse it.
        if isinstance(record, dict) and type(record.get("id")) is int:
            dispatch_source(RecordKind.SERVICE_TICKET, record)

    return Case("ticket", _shown(record), act)


def _order_events(draw: Random) -> Case:
    order = changed(draw, _ORDER, times=4)

    def act(tried: Tried) -> None:
        if not isinstance(order, dict):
            return
        happened = events_of(order, WorkOrderState())
        status_doubt(order)
        wanted = wanted_of(order, open_events(order, WorkOrderState()), default_outbound_rules())
        tried.outcome = f"{min(len(happened), 3)} events or more"
        tried.texts += wanted.problems

    return Case("work order", _shown(order), act)


def _note(draw: Random) -> Case:
    reader = draw.choice((ticket_note, opportunity_note, order_message))
    good = {
        "id": 9,
        "msg_id": 9,
        "text": "serial <SN12345> fitted",
        "message": {"html": "<p>one</p><p>two</p>"},
        "created": {"utc": "2026-11-29 10:00:00"},
        "from": {"id": 1, "name": "J. Doe"},
        "member": {"id": 2, "name": "J. Doe"},
        "_info": {"lastUpdated": "2026-11-29T00:00:00Z"},
    }
    record = changed(draw, good, times=4)

    def act(_tried: Tried) -> None:
        # A note without a number is none.
        if isinstance(record, dict) and {"id", "msg_id"} <= record.keys():
            reader(record)

    return Case(f"note {reader.__name__}", _shown(record), act)


def _message(draw: Random) -> Case:
    source = draw.choice((CONNECTWISE_SOURCE, FIELD_NATION_SOURCE))
    entity = json.dumps({"id": 7, "recordType": "ServiceTicket"})
    good: dict[str, Any] = {"Type": "ticket", "ID": 7, "Entity": entity, "Action": "updated"}
    if source == FIELD_NATION_SOURCE:
        good = {"event": {"name": "x", "params": {"work_order_id": 7}}, "workorder": {"id": 7}}
    body = changed(draw, good, times=3)

    def act(tried: Tried) -> None:
        if isinstance(body, dict):
            kept = kept_callback(body) if source == CONNECTWISE_SOURCE else kept_webhook(body)
            tried.outcome = "about something" if about(source, kept) else "about nothing"

    return Case(f"message {source}", _shown(body), act)


def _external_data(draw: Random) -> Case:
    value = odd_json(draw)
    text = json.dumps(value)
    given: Any = draw.choice(
        (
            value,
            text,
            text[: draw.randint(0, len(text))],
            f"[{text}]",
            "[" * 100_000,
            "\ufeff[]",
            "/nowhere",
            "\x00",
        )
    )
    if draw.random() < 0.01:
        given = [{"a": "x" * 500_000}]

    def act(tried: Tried) -> None:
        objects = read_objects("External Data", given)
        answer_table(objects)
        tried.outcome = "objects"

    return Case("External Data", _shown(given), act)


def _asset_edit(draw: Random) -> Case:
    fields = changed(draw, {"assetCustom": {"comment": "on loan", "serialNumber": "1"}})
    custom = changed(draw, {"Owner": "x", "Floor": 3})
    props = odd_json(draw) if draw.random() < 0.3 else None

    def act(_tried: Tried) -> None:
        existing: Any = [{"key": "f1", "name": "Owner"}, {"key": "f2", "name": "Floor"}]
        if isinstance(props, dict | None):
            checked_props(draw.choice(("SELECT", "NUMERIC", "CURRENCY", "INPUT")), props)
        if isinstance(fields, dict) and isinstance(custom, dict):
            asset_edit(custom, fields, existing)

    return Case("asset edit", f"{_shown(custom)} {_shown(fields)} {_shown(props)}", act)


def _value(draw: Random) -> Case:
    value = draw.choice((odd_json(draw), draw.choice(PLAIN)))

    def act(_tried: Tried) -> None:
        for read in (read_date_time, read_number, read_boolean, plain_text):
            read(value)
        if isinstance(value, str):
            folded(value)

    return Case("value", _shown(value), act)


def _drop(_value: object) -> None:
    """A value was made; what it is does not matter."""


_GOOD: Mapping[type[BaseModel], Any] = {
    model: model().model_dump(mode="json")
    for model in (AssetSynchronizationSettings, EnrichmentSettings, DispatchSettings)
}
_GOOD_MAPPINGS = {kind: default_dispatch_mappings(kind).model_dump(mode="json") for kind in RecordKind}
_TICKET: dict[str, Any] = {
    "id": 7,
    "summary": "No link",
    "recordType": "ServiceTicket",
    "status": {"id": 1, "name": "Dispatch"},
    "board": {"id": 2, "name": "Field Services"},
    "company": {"id": 19, "name": "BlueLight"},
    "contact": {"id": 3, "name": "J. Doe"},
    "site": {"id": 4, "name": "Main"},
    "priority": {"id": 5, "name": "Priority 1"},
    "requiredDate": "2026-12-02T08:00:00Z",
    "closedFlag": False,
    "addressLine1": "1 Main St",
    "city": "Austin",
    "stateIdentifier": "TX",
    "zip": "78701",
    "customFields": [{"id": 1, "caption": "FN Work Order", "type": "Text", "value": "1"}],
    "_info": {"lastUpdated": "2026-11-29T00:00:00Z"},
}
_ORDER: dict[str, Any] = {
    "id": 4711,
    "title": "[CW-S-7] No link",
    "status": {"id": 3, "name": "Assigned", "code": {"id": 3}},
    "milestones": {"created": {"utc": "2026-11-28 10:00:00"}, "assigned": {"utc": "2026-11-29 10:00:00"}},
    "time_logs": {"results": [{"id": 1, "in": {"created": {"utc": "2026-11-29 11:00:00"}},
                               "out": {"created": {"utc": "2026-11-29 12:00:00"}}, "hours": 1}]},
    "assignee": {"user": {"id": 1, "first_name": "J.", "last_name": "Doe"}},
    "custom_fields": {"results": [{"results": [{"id": 5, "name": "Ref", "value": "x"}]}]},
    "closing_notes": "done",
}  # fmt: skip
CASES: tuple[Callable[[Random], Case], ...] = (
    _settings, _environment, _mappings, _expression, _expression, _dispatch_mapping, _trigger, _source,
    _order_events, _note, _message, _external_data, _asset_edit, _value,
)  # fmt: skip
