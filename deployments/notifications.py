"""One automation that tells people of failed and refused runs, by Slack, Microsoft Teams or e-mail.

``deployments.bootstrap`` sets it up where a target is given: ``CONNECTWISE_FLOWS_NOTIFY_SLACK`` and
``CONNECTWISE_FLOWS_NOTIFY_TEAMS`` are webhook addresses, ``CONNECTWISE_FLOWS_NOTIFY_EMAIL`` is a list of
recipients that ``CONNECTWISE_FLOWS_SMTP_URL`` sends to. Each target is a saved block; the automation sends to
all of them. Without a target nothing is changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any, Literal
from urllib.parse import unquote, urlsplit
from uuid import UUID

from prefect.automations import Automation
from prefect.blocks.core import Block
from prefect.blocks.notifications import (
    AbstractAppriseNotificationBlock,
    MicrosoftTeamsWebhook,
    SlackWebhook,
)
from prefect.events.actions import SendNotification
from prefect.events.schemas.automations import EventTrigger, Posture
from pydantic import ConfigDict, Field, HttpUrl, SecretStr

from connectors.logos import MAIL
from deployments.environment import NOTIFY_EMAIL, NOTIFY_SLACK, NOTIFY_TEAMS, SMTP_URL

NOTIFICATION_NAME = "Tell of failed and refused runs"
BLOCK_NAME = "failed-runs"
"""The name of each target's block; one of each type, so that another target replaces it."""
SUBJECT = "{{ flow_run.name }}: {{ flow_run.state.name }}"
BODY = """{{ (flow_run.state.message or "The run gave no reason.")|truncate(1500) }}

Flow: {{ flow.name }}
Run: {{ flow_run|ui_url }}
"""
SMTP_PORTS = {"smtp": 587, "smtps": 465}
Encryption = Literal["starttls", "ssl", "none"]


class MailNotification(AbstractAppriseNotificationBlock):
    """Mail server and recipients of notifications; Prefect's own block for e-mail needs a SendGrid account.

    Example:
        Load a saved mail server and send a message:
        ```python
        from deployments.notifications import MailNotification

        mail = MailNotification.load("BLOCK_NAME")
        mail.notify("It works.", subject="Test of connectwise-flows")
        ```
    """

    _block_type_name = "Mail Notification"
    _block_type_slug = "mail-notification"
    _description = "Sends notifications by e-mail, through a mail server of your own."
    _documentation_url = HttpUrl(
        "https://www.prefect.io/docs/latest/automate/events/automations-triggers"
        "#sending-notifications-with-automations"
    )
    _logo_url = HttpUrl(MAIL)

    # A refused value may be a password.
    model_config = ConfigDict(hide_input_in_errors=True)

    notify_type: Literal["info", "success", "warning", "failure"] = Field(
        default="failure", title="Kind", description="The type of notification being performed."
    )
    server: str = Field(
        min_length=1, title="Mail Server", description="Name of the server that takes mail by SMTP."
    )
    port: int = Field(default=587, ge=1, le=65535, title="Port", description="587, or 465 for ssl, or 25.")
    encryption: Encryption = Field(
        default="starttls",
        title="Encryption",
        description="How the connection is made safe.",
    )
    username: str = Field(default="", title="User", description="Empty where the server asks for none.")
    password: SecretStr = Field(
        default=SecretStr(""), title="Password", description="Password of that user; may be empty."
    )
    sender: str = Field(title="Sender", description="Address that the mail comes from.")
    recipients: list[str] = Field(
        min_length=1, title="Recipients", description="Addresses that the mail goes to."
    )

    def block_initialization(self) -> None:
        """Make the client; ValueError where a recipient is no address."""
        from apprise import Apprise
        from apprise.plugins.email import NotifyEmail

        mail = NotifyEmail(  # type: ignore[no-untyped-call]
            host=self.server,
            smtp_host=self.server,
            port=self.port,
            secure=self.encryption != "none",
            secure_mode="insecure" if self.encryption == "none" else self.encryption,
            user=self.username or None,
            password=self.password.get_secret_value() or None,
            from_addr=self.sender,
            targets=self.recipients,
        )
        if len(mail.targets) != len(set(self.recipients)):
            raise ValueError("One of the recipients is no address of e-mail.")
        self._apprise_client = Apprise()
        self._apprise_client.add(mail)


def notification_blocks(environment: Mapping[str, str]) -> list[Block]:
    """The blocks of the targets that the variables name; none is saved yet.

    Raises:
        ValueError: a variable is missing or mangled; the text names it and holds none of its value.
    """
    given = {name: environment.get(name, "").strip() for name in (NOTIFY_SLACK, NOTIFY_TEAMS, NOTIFY_EMAIL)}
    made: list[Block] = []
    if address := given[NOTIFY_SLACK]:
        made.append(_webhook(SlackWebhook, NOTIFY_SLACK, address))
    if address := given[NOTIFY_TEAMS]:
        made.append(_webhook(MicrosoftTeamsWebhook, NOTIFY_TEAMS, address))
    if recipients := given[NOTIFY_EMAIL]:
        made.append(_mail(recipients, environment.get(SMTP_URL, "").strip()))
    return made


def _webhook(kind: type[SlackWebhook] | type[MicrosoftTeamsWebhook], variable: str, address: str) -> Block:
    made = None
    with suppress(Exception):
        made = kind(url=SecretStr(address), notify_type="failure")
    # What Prefect's block can't use it leaves out without a word. Whoever has the address may post to it, so
    # no part of it is told.
    if made is None or not len(made._apprise_client):
        raise ValueError(f"{variable} is not the address of a webhook of this kind.")
    return made


def _mail(recipients: str, server: str) -> Block:
    if not server:
        raise ValueError(f"Set {SMTP_URL} too: {NOTIFY_EMAIL} needs a mail server.")
    try:
        parts = urlsplit(server)
        scheme, user = parts.scheme.lower(), unquote(parts.username or "")
        addresses = [each.strip() for each in recipients.split(",") if each.strip()]
        encryption: Encryption = "ssl" if scheme == "smtps" else "starttls"
        if parts.query == "encryption=none":
            encryption = "none"
        return MailNotification(
            server=parts.hostname or "",
            port=parts.port or SMTP_PORTS[scheme],
            encryption=encryption,
            username=user,
            password=SecretStr(unquote(parts.password or "")),
            sender=user if "@" in user else addresses[0],
            recipients=addresses,
        )
    except Exception:
        raise ValueError(
            f"{SMTP_URL} must be smtp://user:password@host:587 or smtps://user:password@host:465, and "
            f"{NOTIFY_EMAIL} a list of addresses with commas between them."
        ) from None


async def install_notifications(blocks: Sequence[Block], deployments: Iterable[str]) -> str:
    """Save the targets' blocks and make or change the automation; repeatable.

    Trigger and targets are set anew each time. Whether it is switched on, its description and actions that a
    person added stay. Without a target nothing is touched.

    Args:
        blocks: the targets, as ``notification_blocks`` makes them.
        deployments: names of this project's deployments; runs of others are not told of.
    """
    if not blocks:
        return f"Notifications: no target is given ({NOTIFY_SLACK}, {NOTIFY_TEAMS} or {NOTIFY_EMAIL})."
    ours = [await block.save(BLOCK_NAME, overwrite=True) for block in blocks]
    wanted = notification_automation(ours, sorted(deployments))
    targets = ", ".join(str(block._block_type_name) for block in blocks)
    try:
        there = await Automation.aread(name=NOTIFICATION_NAME)
    except ValueError:
        await wanted.acreate()
        return f"Automation made: {NOTIFICATION_NAME}, by {targets}."
    kept = [each for each in there.actions if not _is_ours(each)]
    actions = [*wanted.actions, *kept]
    if (there.trigger, there.actions) != (wanted.trigger, actions):
        there.trigger, there.actions = wanted.trigger, actions
        await there.aupdate()
        return f"Automation changed: {NOTIFICATION_NAME}, by {targets}."
    return f"Automation is there: {NOTIFICATION_NAME}, by {targets}."


def _is_ours(action: Any) -> bool:
    """Actions are known by their text: a target that was replaced had another block."""
    return isinstance(action, SendNotification) and (action.subject, action.body) == (SUBJECT, BODY)


def notification_automation(blocks: Sequence[UUID], deployments: Sequence[str]) -> Automation:
    """One message to each block for each run of these deployments that ends Failed or Crashed.

    A refused run ends Failed, with the reasons in its state's message. The type of the state is looked at,
    since its name may be another, such as "Finished with 2 failures".
    """
    return Automation(
        name=NOTIFICATION_NAME,
        description="Runs of connectwise-flows that failed, crashed or were refused. Set by bootstrap.",
        trigger=EventTrigger(
            expect={"prefect.flow-run.*"},
            match={"prefect.resource.id": "prefect.flow-run.*", "prefect.state-type": ["FAILED", "CRASHED"]},
            match_related={"prefect.resource.role": "deployment", "prefect.resource.name": list(deployments)},
            for_each={"prefect.resource.id"},
            posture=Posture.Reactive,
            threshold=1,
        ),
        actions=[SendNotification(block_document_id=each, subject=SUBJECT, body=BODY) for each in blocks],
    )
