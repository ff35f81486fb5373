"""What hangs on a work order: messages, custom fields, time logs, attachments."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from connectors.field_nation.models import INTERNAL, MessageType, Record
from connectors.field_nation.work_orders import WorkOrderOperations, work_order_path
from connectors.http import Kind


class ConversationOperations(WorkOrderOperations):
    """The sections of one work order."""

    async def list_messages(self, work_order_id: int) -> list[Record]:
        """Every message with its ``replies``: ``GET /workorders/{id}/messages``."""
        return await self._section(work_order_id, "/messages")

    async def post_message(
        self, work_order_id: int, message: str, *, type: MessageType = INTERNAL
    ) -> list[Record]:
        """Post a message; returns the whole list: ``POST /workorders/{id}/messages``.

        The vendor does not say which one is new: see ``posted_message``. Never repeated blindly.

        Raises:
            UnclearOutcomeError: no answer came: read the messages before posting it again.
        """
        path = work_order_path(work_order_id, "/messages")
        body = await self._rest(Kind.CREATE, "POST", path, json={"message": message, "type": type})
        return self._results(body, "POST", path)

    async def reply_message(self, work_order_id: int, message_id: str, message: str) -> list[Record]:
        """Answer a message; returns the whole list: ``POST /workorders/{id}/messages/{message_id}``."""
        path = work_order_path(work_order_id, f"/messages/{int(message_id)}")
        body = await self._rest(Kind.CREATE, "POST", path, json={"message": message})
        return self._results(body, "POST", path)

    async def list_custom_fields(self, work_order_id: int) -> list[Record]:
        """Every custom field with its value, of all groups: ``GET /workorders/{id}/custom_fields``."""
        groups = await self._section(work_order_id, "/custom_fields")
        return [field for group in groups for field in _inner(group)]

    async def set_custom_field(self, work_order_id: int, custom_field_id: int, value: str) -> Record:
        """Set one value; returns the work order: ``PUT /workorders/{id}/custom_fields/{custom_field_id}``."""
        path = work_order_path(work_order_id, f"/custom_fields/{int(custom_field_id)}")
        body = await self._rest(Kind.MODIFY, "PUT", path, json={"value": value})
        return self._work_order(body, "PUT", path)

    async def list_time_logs(self, work_order_id: int) -> list[Record]:
        """Every stay on site; an open one has no ``out``: ``GET /workorders/{id}/time_logs``."""
        return await self._section(work_order_id, "/time_logs")

    async def list_attachments(self, work_order_id: int) -> list[Record]:
        """Every file, of all folders, with ``folder_id``: ``GET /workorders/{id}/attachments``."""
        folders = await self._section(work_order_id, "/attachments")
        return [{"folder_id": folder.get("id"), **file} for folder in folders for file in _inner(folder)]

    async def _section(self, work_order_id: int, below: str) -> list[Record]:
        path = work_order_path(work_order_id, below)
        return self._results(await self._rest(Kind.READ, "GET", path), "GET", path)


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
    words = str(text)
    return (int(words), "") if words.isdecimal() else (-1, words)
