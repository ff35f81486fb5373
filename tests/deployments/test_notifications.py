"""Failed and refused runs are told of: targets by variable, one automation changed in place, no secret."""

from __future__ import annotations

import pytest
from prefect import get_client
from prefect.automations import Automation
from prefect.blocks.notifications import SlackWebhook
from prefect.events.actions import DoNothing, SendNotification
from prefect.server.events.schemas.automations import EventTrigger

from deployments.local.prefect import LocalPrefect
from deployments.notifications import (
    BLOCK_NAME,
    NOTIFICATION_NAME,
    MailNotification,
    install_notifications,
    notification_automation,
    notification_blocks,
)
from tests.support.mail_server import mail_server, text_of

HIDDEN = "s3cr3tt0ken"
SLACK = {
    "CONNECTWISE_FLOWS_NOTIFY_SLACK": "https://hooks.slack.com/services/T1JJ3T3L2/A1BRTD4JD/"
    f"{HIDDEN}xxxxxxxxxxxxx"
}
TEAMS = {
    "CONNECTWISE_FLOWS_NOTIFY_TEAMS": "https://prod-12.westeurope.logic.azure.com:443/workflows/ab12cd34/triggers/"
    f"manual/paths/invoke?api-version=2016-06-01&sp=%2Ftriggers%2Fmanual%2Frun&sv=1.0&sig={HIDDEN}"
}
MAIL = {
    "CONNECTWISE_FLOWS_NOTIFY_EMAIL": "noc@example.com, lead@example.com",
    "CONNECTWISE_FLOWS_SMTP_URL": f"smtps://alerts%40example.com:{HIDDEN}@smtp.example.com",
}


def test_targets_come_from_variables_and_hide_what_is_secret() -> None:
    slack, teams, mail = notification_blocks(SLACK | TEAMS | MAIL)
    assert HIDDEN not in f"{slack!r} {teams!r} {mail!r}"
    assert isinstance(mail, MailNotification)
    assert (mail.server, mail.port, mail.encryption) == ("smtp.example.com", 465, "ssl")
    assert (mail.username, mail.password.get_secret_value()) == ("alerts@example.com", HIDDEN)
    assert (mail.sender, mail.recipients) == ("alerts@example.com", ["noc@example.com", "lead@example.com"])
    assert notification_blocks({"CONNECTWISE_FLOWS_NOTIFY_SLACK": " "}) == []


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({"CONNECTWISE_FLOWS_NOTIFY_SLACK": f"ftp://{HIDDEN}"}, "NOTIFY_SLACK is not the address"),
        ({"CONNECTWISE_FLOWS_NOTIFY_TEAMS": f"https://example.com/{HIDDEN}"}, "NOTIFY_TEAMS is not"),
        ({"CONNECTWISE_FLOWS_NOTIFY_EMAIL": "noc@example.com"}, "Set CONNECTWISE_FLOWS_SMTP_URL too"),
        (MAIL | {"CONNECTWISE_FLOWS_SMTP_URL": f"http://u:{HIDDEN}@host"}, "must be smtp://"),
        (MAIL | {"CONNECTWISE_FLOWS_SMTP_URL": f"smtp://u:{HIDDEN}@"}, "must be smtp://"),
        (MAIL | {"CONNECTWISE_FLOWS_SMTP_URL": f"smtp://u:{HIDDEN}@host:no"}, "must be smtp://"),
        (MAIL | {"CONNECTWISE_FLOWS_NOTIFY_EMAIL": f"{HIDDEN}, "}, "must be smtp://"),
    ],
)
def test_a_mangled_target_is_named_without_its_value(environment: dict[str, str], words: str) -> None:
    with pytest.raises(ValueError, match=words) as refused:
        notification_blocks(environment)
    assert HIDDEN not in str(refused.value)
    assert refused.value.__cause__ is None


def test_the_state_s_type_decides_and_not_its_name() -> None:
    made = notification_automation([], ["undo-run"]).trigger.model_dump(mode="json")
    trigger = EventTrigger.model_validate(made)
    assert trigger.expects("prefect.flow-run.Finished with 2 failures")
    resource = {"prefect.resource.id": "prefect.flow-run.x", "prefect.state-type": "FAILED"}
    assert trigger.match.matches(resource)
    assert not trigger.match.matches(resource | {"prefect.state-type": "COMPLETED"})
    assert not trigger.match.matches({"prefect.resource.id": "prefect.flow-run.x"})


def test_a_mail_is_sent() -> None:
    with mail_server() as (port, messages):
        mail = notification_blocks(local_mail(port))[0]
        mail.notify("It failed.", subject="A run")  # type: ignore[attr-defined]
    assert [text_of(each).split("\n")[0] for each in messages] == ["A run"]
    assert "It failed." in text_of(messages[0])
    assert messages[0]["To"] == "noc@example.com"


def local_mail(port: int) -> dict[str, str]:
    return {
        "CONNECTWISE_FLOWS_NOTIFY_EMAIL": "noc@example.com",
        "CONNECTWISE_FLOWS_SMTP_URL": f"smtp://127.0.0.1:{port}?encryption=none",
    }


async def installed() -> Automation:
    return await Automation.aread(name=NOTIFICATION_NAME)


async def targets(automation: Automation) -> list[str]:
    """The block types that the automation sends to, in order."""
    sends = [each for each in automation.actions if isinstance(each, SendNotification)]
    async with get_client() as client:
        found = [await client.read_block_document(each.block_document_id) for each in sends]
    return [each.block_type.slug for each in found if each.block_type]


@pytest.mark.anyio
@pytest.mark.prefect
async def test_the_automation_is_made_once_and_changed_in_place(prefect_server: LocalPrefect) -> None:
    assert "no target is given" in await install_notifications([], ["undo-run"])
    assert "made" in await install_notifications(notification_blocks(SLACK), ["undo-run"])
    assert "is there" in await install_notifications(notification_blocks(SLACK), ["undo-run"])
    first = await installed()
    assert await targets(first) == ["slack-webhook"]
    first.enabled, first.actions = False, [*first.actions, DoNothing()]
    await first.aupdate()
    other = SLACK["CONNECTWISE_FLOWS_NOTIFY_SLACK"].replace("A1BRTD4JD", "B2BRTD4JD")
    said = await install_notifications(
        notification_blocks(MAIL | {"CONNECTWISE_FLOWS_NOTIFY_SLACK": other}), ["undo-run", "sync-notes"]
    )
    assert "changed" in said
    assert HIDDEN not in said
    again = await installed()
    assert (again.id, again.enabled) == (first.id, False)
    assert await targets(again) == ["slack-webhook", "mail-notification"]
    assert [each for each in again.actions if isinstance(each, DoNothing)]
    saved = await SlackWebhook.aload(BLOCK_NAME)
    assert saved.url.get_secret_value() == other
    assert "no target" in await install_notifications([], ["undo-run"])
    assert (await installed()).actions == again.actions
    async with get_client() as client:
        assert len([each for each in await client.read_automations() if each.name == NOTIFICATION_NAME]) == 1
