"""The client of Field Nation: work orders, the steps of their life, messages, custom fields, webhooks."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from typing import Any

from connectors.errors import RejectedError, StopError
from connectors.field_nation.api import FieldNationApi, Params, as_results
from connectors.field_nation.models import (
    INTERNAL,
    BaseList,
    MessageType,
    Record,
    Status,
    WorkOrderPage,
    status_of,
)
from connectors.field_nation.settings import SYSTEM
from connectors.paging import PageProgress
from connectors.retry import RequestKind
from connectors.shapes import ShapeError, as_ids, as_number, as_object, is_digits

WORK_ORDERS = "/workorders"
LARGEST_PAGE = 100
WEBHOOKS = "/webhooks"
PER_PAGE = 100
OLDER_NAMES = {
    "f_template": "f_templates",
    "f_service_schedule": "f_schedule",
    "f_created_date": "f_created",
    "f_work_done_done": "f_completed",
    "f_assigned_provider": "f_assignment",
    "f_zip": "f_postal_code",
    "f_location_ids": "f_saved_location",
    "f_fund": "f_financing",
    "f_has_counter_offer": "f_counter_offers",
}
"""Filters whose name differs between the 2026 page and the REST file. Both are sent; one must be echoed."""
_PAGED_SET_UP = frozenset({"/projects", "/clients"})
_AFTER_WORK = {Status.WORK_DONE, Status.APPROVED, Status.PAID}
_REFUSED_STEP = (400, 404, 409, 422)


class FieldNationClient(FieldNationApi):
    """Every operation that this project uses; answers are plain dictionaries with the vendor's names.

    A create and a message are never repeated by themselves. Each step of a work order's life (publish,
    approve, cancel) can be sent again: one that is refused since it was taken before counts as taken, which
    matters after a dropped answer and costs one more read then.

    Example:
        ```python
        async with FieldNationClient(settings, read_only=True) as client:
            async for page in client.work_orders_pages("workorders_assigned", columns="status"):
                print(len(page))
        ```
    """

    async def create_work_order(self, record: Mapping[str, Any]) -> Record:
        """Create a draft; returns the whole work order: ``POST /workorders``. Never repeated blindly.

        Unknown or misplaced members are dropped silently by the vendor: see ``models.dropped_fields``. After
        an UnclearOutcomeError search before creating it again.
        """
        return await self.send(
            RequestKind.CREATE, "POST", WORK_ORDERS, self._as_work_order(None), json=dict(record)
        )

    async def get_work_order(self, work_order_id: int, *, columns: str = "") -> Record:
        """One work order; ``columns`` names the sections wanted: ``GET /workorders/{id}``."""
        path = work_order_path(work_order_id)
        params = {"columns": columns} if columns else None
        return await self.send(
            RequestKind.READ, "GET", path, self._as_work_order(work_order_id), params=params
        )

    async def update_work_order(self, work_order_id: int, changes: Mapping[str, Any]) -> Record:
        """Change the members sent, never the status; returns the whole: ``PUT /workorders/{id}``."""
        path = work_order_path(work_order_id)
        parse = self._as_work_order(work_order_id)
        return await self.send(RequestKind.MODIFY, "PUT", path, parse, json=dict(changes))

    async def list_work_orders(
        self,
        base_list: BaseList = "workorders_all",
        filters: Mapping[str, str] | None = None,
        *,
        columns: str = "",
        page: int = 1,
        page_size: int = LARGEST_PAGE,
    ) -> WorkOrderPage:
        """One page in the order of ids: ``GET /workorders``. Filters combine with AND.

        Args:
            filters: by the names of the 2026 page, such as ``{"f_search": "x", "f_created_date":
                "2026-11-01,2026-11-02"}`` (dates inclusive, UTC). A work order just made may be missing.

        Raises:
            RejectedError: a filter is not echoed, so the vendor did not understand it: the page would hold
                work orders that were not asked for.
        """
        wanted = dict(filters or {})
        params: dict[str, str | int] = {
            # Without these two the vendor uses, and stores, what its user chose last.
            "list": base_list,
            "sticky": "false",
            "page": page,
            "per_page": page_size,
            "sort": "id",
            "order": "asc",
            **({"columns": columns} if columns else {}),
            **wanted,
            **{OLDER_NAMES[name]: value for name, value in wanted.items() if name in OLDER_NAMES},
        }

        def parse(body: Any) -> WorkOrderPage:
            _check_echo(as_object(body), wanted)
            found = _page(body, page)
            for item in found.items[:1]:
                self._note_company(item)
            return found

        return await self.send(RequestKind.READ, "GET", WORK_ORDERS, parse, params=params)

    async def work_orders_pages(
        self,
        base_list: BaseList = "workorders_all",
        filters: Mapping[str, str] | None = None,
        *,
        columns: str = "",
        page_size: int = LARGEST_PAGE,
    ) -> AsyncIterator[list[Record]]:
        """Every page of a list, in the order of ids; see ``list_work_orders``.

        Raises:
            RetryableError: fewer came than Field Nation counts. Who looks for a work order that may exist
                must not take a part of the list for all of it.
        """
        number, pages = 1, 1
        progress = PageProgress("work orders", system=SYSTEM, path=WORK_ORDERS)
        while number <= pages:
            found = await self.list_work_orders(
                base_list, filters, columns=columns, page=number, page_size=page_size
            )
            pages = found.pages if found.items else 0
            progress.page(as_ids(found.items), more=number < pages, total=found.total)
            if number >= pages:
                progress.finish()
            yield found.items
            number += 1

    async def search_work_orders(self, text: str, *, columns: str = "") -> list[Record]:
        """All work orders, of any list, whose title, description or place holds the words of ``text``.

        The Incident ID is not searched as far as is known, and what was just made may be missing. The caller
        compares exactly: the vendor searches words.
        """
        pages = self.work_orders_pages("workorders_all", {"f_search": text}, columns=columns)
        return [record async for page in pages for record in page]

    async def work_orders_created(self, first: str, last: str, *, columns: str = "") -> list[Record]:
        """All work orders created from ``first`` to ``last`` (YYYY-MM-DD, inclusive, UTC)."""
        filters = {"f_created_date": f"{first},{last}"}
        pages = self.work_orders_pages("workorders_all", filters, columns=columns)
        return [record async for page in pages for record in page]

    async def publish_work_order(self, work_order_id: int) -> Record:
        """Draft to Published; visible to providers then: ``POST /workorders/{id}/publish``."""
        seen = {Status.PUBLISHED, Status.ROUTED, Status.ASSIGNED} | _AFTER_WORK
        return await self._step("POST", work_order_id, "/publish", seen)

    async def approve_work_order(self, work_order_id: int) -> Record:
        """Work Done to Approved, which lets it be paid: ``POST /workorders/{id}/approve``."""
        return await self._step("POST", work_order_id, "/approve", {Status.APPROVED, Status.PAID})

    async def cancel_work_order(self, work_order_id: int, reason: str) -> Record:
        """Cancel it; after assignment that can cost a fee: ``DELETE /workorders/{id}``."""
        over = {Status.CANCELLED, Status.DELETED}
        return await self._step("DELETE", work_order_id, "", over, {"cancel_reason": reason})

    async def list_messages(self, work_order_id: int) -> list[Record]:
        """Every message with its ``replies``: ``GET /workorders/{id}/messages``."""
        return await self._section(work_order_id, "/messages")

    async def post_message(
        self, work_order_id: int, message: str, *, type: MessageType = INTERNAL
    ) -> list[Record]:
        """Post a message; returns the whole list: ``POST /workorders/{id}/messages``. Never repeated blindly.

        Which one is new: see ``posted_message``. After an UnclearOutcomeError read the messages first.
        """
        path = work_order_path(work_order_id, "/messages")
        body = {"message": message, "type": type}
        return await self.send(RequestKind.CREATE, "POST", path, as_results, json=body)

    async def list_set_up(self, path: str) -> list[Record]:
        """The company's own set-up: ``GET /types-of-work``, ``/templates``, ``/custom-fields`` and so on.

        Raises:
            RejectedError: Field Nation counts more than it gave, so what is not among them may exist.
        """
        params: Params | None = {"per_page": LARGEST_PAGE} if path in _PAGED_SET_UP else None

        def parse(body: Any) -> list[Record]:
            return _whole_list(body, path)

        return await self.send(RequestKind.READ, "GET", path, parse, params=params)

    async def list_custom_fields(self, work_order_id: int) -> list[Record]:
        """Every custom field with its value, of all groups: ``GET /workorders/{id}/custom_fields``."""
        groups = await self._section(work_order_id, "/custom_fields")
        return [field for group in groups for field in _inner(group)]

    @property
    def tenant_key(self) -> str | None:
        """The key of the company whose work orders were read; None: not known yet."""
        return None if self._company_id is None else self.settings.tenant_key(self._company_id)

    def _note_company(self, work_order: Record) -> None:
        company = work_order.get("company")
        number = company.get("id") if isinstance(company, dict) else None
        if isinstance(number, int):
            self._company_id = number

    def _as_work_order(self, wanted: int | None) -> Callable[[Any], Record]:
        """Reads a work order, which must be the one that was asked for."""

        def parse(body: Any) -> Record:
            record = as_object(body, "the work order")
            (number,) = as_ids([record], "the work order's answer")
            if wanted not in (None, number):
                raise ShapeError(f"the work order should be {wanted} but is {number}")
            self._note_company(record)
            return record

        return parse

    async def _step(
        self, method: str, work_order_id: int, below: str, reached: set[Status], params: Params | None = None
    ) -> Record:
        path = work_order_path(work_order_id, below)
        try:
            return await self.send(
                RequestKind.MODIFY, method, path, self._as_work_order(work_order_id), params=params
            )
        except RejectedError as error:
            taken = await self._taken_before(error, work_order_id, reached)
            if taken is None:
                raise
            return taken

    async def _taken_before(
        self, error: RejectedError, work_order_id: int, reached: set[Status]
    ) -> Record | None:
        if error.status not in _REFUSED_STEP:
            return None
        try:
            record = await self.get_work_order(work_order_id)
        except RejectedError:
            return None
        return record if status_of(record) in reached else None

    async def _section(self, work_order_id: int, below: str) -> list[Record]:
        path = work_order_path(work_order_id, below)
        return await self.send(RequestKind.READ, "GET", path, as_results)

    async def list_webhook_events(self) -> list[Record]:
        """``{name, label, description, model}`` of every event: ``GET /webhooks/events``."""
        path = f"{WEBHOOKS}/events"
        params = {"model": "WorkOrder"}
        return await self.send_webhooks(RequestKind.READ, "GET", path, as_results, params=params)

    async def list_webhooks(self) -> list[Record]:
        """Every subscription, without its secret: ``GET /webhooks``."""
        found: list[Record] = []
        page = 1
        progress = PageProgress("webhooks")

        def parse(result: Any) -> list[Record]:
            webhooks = as_results(result)
            progress.page({str(each.get("id")) for each in webhooks}, more=len(webhooks) >= PER_PAGE)
            return webhooks

        while True:
            params = {"page": page, "perPage": PER_PAGE}
            results = await self.send_webhooks(RequestKind.READ, "GET", WEBHOOKS, parse, params=params)
            found += [_without_secret(each) for each in results]
            if len(results) < PER_PAGE:
                return found
            page += 1

    async def create_webhook(self, url: str, events: Sequence[str], *, secret: str = "") -> Record:
        """Subscribe; the answer holds the secret: ``POST /webhooks``. Never repeated blindly.

        ``secret``: a UUID to sign deliveries with; empty: the block's webhook secret, else the vendor's own.
        After an UnclearOutcomeError list the webhooks before subscribing again.
        """
        chosen = secret or self.settings.webhook_secret
        body: dict[str, Any] = {"events": list(events), "url": url, "method": "post", "status": "active"}
        if chosen:
            body["secret"] = _checked_secret(chosen)
        return await self.send_webhooks(RequestKind.CREATE, "POST", WEBHOOKS, as_object, json=body)

    async def update_webhook(self, webhook_id: str, changes: Mapping[str, Any]) -> Record:
        """Change the members sent (events, url, status, ...): ``PUT /webhooks/{webhookId}``."""
        path = _webhook_path(webhook_id)
        changed = await self.send_webhooks(RequestKind.MODIFY, "PUT", path, as_object, json=dict(changes))
        return _without_secret(changed)

    async def delete_webhook(self, webhook_id: str) -> None:
        """Unsubscribe: ``DELETE /webhooks/{webhookId}``."""
        path = _webhook_path(webhook_id)
        await self.send_webhooks(RequestKind.MODIFY, "DELETE", path, lambda _: None)


def _page(body: Record, asked: int) -> WorkOrderPage:
    metadata = as_object(body.get("metadata"), "metadata")
    items = as_results(body)
    as_ids(items, "the list of work orders")
    page = as_number(metadata.get("page") or asked, "metadata.page")
    if page != asked and items:
        raise StopError(
            f"{SYSTEM} answered page {page} where page {asked} was asked for",
            remedy="Reading stopped, since going on would miss records or never end.",
        )
    pages = as_number(metadata.get("pages") or 1, "metadata.pages")
    return WorkOrderPage(items, page, pages, as_number(metadata.get("total") or 0, "metadata.total"))


def _whole_list(body: Any, path: str) -> list[Record]:
    records = as_results(body)
    counted = body.get("metadata") if isinstance(body, dict) else None
    total = as_number(counted.get("total") or 0, "metadata.total") if isinstance(counted, dict) else 0
    if total > len(records):
        raise RejectedError(
            f"{SYSTEM} gave {len(records)} of {total} records", system=SYSTEM, method="GET", path=path
        )
    return records


def work_order_path(work_order_id: int, below: str = "") -> str:
    """``/workorders/7/status``."""
    return f"{WORK_ORDERS}/{int(work_order_id)}{below}"


def _check_echo(body: Record, wanted: Mapping[str, str]) -> None:
    ignored = [name for name in wanted if name not in body and OLDER_NAMES.get(name) not in body]
    if ignored:
        raise RejectedError(
            f"{SYSTEM} did not understand the filter {', '.join(ignored)}, so other records came too",
            system=SYSTEM,
            method="GET",
            path=WORK_ORDERS,
            remedy="Its name may have changed on the vendor's side.",
        )


def all_messages(messages: Sequence[Record]) -> list[Record]:
    """Messages and replies in one list, oldest id first."""
    flat = [each for message in messages for each in (message, *_inner(message, "replies"))]
    return sorted(flat, key=lambda each: _number(each.get("msg_id")))


def posted_message(messages: Sequence[Record], message: str, known: Collection[str] = ()) -> Record | None:
    """The newest message of that very text whose id is not ``known``; None if there is none."""
    found = [
        each
        for each in all_messages(messages)
        if each.get("message") == message and str(each.get("msg_id")) not in known
    ]
    return found[-1] if found else None


def _inner(group: Record, name: str = "results") -> list[Record]:
    found = group.get(name)
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def _number(text: Any) -> tuple[int, str]:
    """Ids are numbers as text; any other kind of id comes first."""
    words = str(text) if isinstance(text, str | int) else ""
    return (int(words), "") if is_digits(words) else (-1, words)


def _webhook_path(webhook_id: str) -> str:
    return f"{WEBHOOKS}/{_checked_webhook_id(webhook_id)}"


def _checked_webhook_id(given: str) -> str:
    """A UUID; nothing else ever gets into a path."""
    try:
        return str(uuid.UUID(given))
    except ValueError:
        raise RejectedError(f"{given[:60]!r} is no id of a {SYSTEM} webhook") from None


def _checked_secret(secret: str) -> str:
    try:
        return str(uuid.UUID(secret))
    except ValueError:
        raise RejectedError(
            f"The webhook secret of {SYSTEM} must be a UUID",
            remedy="Make one with python -c 'import uuid; print(uuid.uuid4())' and save it in the block.",
        ) from None


def _without_secret(webhook: Record) -> Record:
    return {name: value for name, value in webhook.items() if name != "secret"}
