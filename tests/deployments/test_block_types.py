"""Every block keeps Prefect's own standards and a few of ours, and a server finds it by itself."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import io
import re
import urllib.request
import urllib.response
from collections.abc import Iterator
from pathlib import Path
from typing import get_args
from urllib.error import URLError

import pytest
from PIL import Image
from prefect.blocks.core import Block
from prefect.blocks.notifications import SendgridEmail
from prefect.blocks.webhook import Webhook
from prefect.filesystems import LocalFileSystem
from prefect.testing.standard_test_suites import BlockStandardTestSuite
from prefect.workers.process import ProcessWorker
from pydantic import SecretStr

from deployments.block_types import BLOCK_TYPES
from deployments.blocks import save_trial_blocks
from deployments.local.prefect import LocalPrefect
from deployments.local.sandbox import Sandbox
from deployments.notifications import MailNotification
from tests.support.layout import PRODUCT
from tests.support.mail_server import mail_server

SECRET_NAMES = re.compile(r"key|token|password|secret|client_id|^url$")
PREFECTS_OWN = {str(each._logo_url) for each in (LocalFileSystem, ProcessWorker, SendgridEmail, Webhook)}
"""Addresses that Prefect's own blocks have in the installed version, which are tested with the same suite."""


class PrefectsLogos(urllib.request.BaseHandler):
    """Stands before the network, which no test may need: a square image at Prefect's addresses, else none."""

    handler_order = 100
    """Before the handler that would ask the network."""

    def https_open(self, request: urllib.request.Request) -> urllib.response.addinfourl:
        if request.full_url not in PREFECTS_OWN:
            raise URLError(f"Prefect has no logo at {request.full_url}")
        picture = io.BytesIO()
        Image.new("RGB", (250, 250)).save(picture, "png")
        picture.seek(0)
        answer = urllib.response.addinfourl(picture, http.client.HTTPMessage(), request.full_url, 200)
        answer.msg = "OK"
        return answer


class TestPrefectsStandards(BlockStandardTestSuite):
    @pytest.fixture(params=BLOCK_TYPES, ids=lambda block: block.__name__)
    def block(self, request: pytest.FixtureRequest) -> type[Block]:
        kind: type[Block] = request.param
        return kind

    @pytest.fixture(autouse=True)
    def without_network(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(urllib.request, "_opener", urllib.request.build_opener(PrefectsLogos))


def test_a_logo_that_prefect_does_not_have_is_refused() -> None:
    opener = urllib.request.build_opener(PrefectsLogos)
    with pytest.raises(URLError, match="Prefect has no logo"):
        opener.open("https://example.com/logo.png")


@pytest.mark.parametrize("block", BLOCK_TYPES)
def test_every_field_has_a_title(block: type[Block]) -> None:
    assert [name for name, field in block.model_fields.items() if not field.title] == []


@pytest.mark.parametrize("block", BLOCK_TYPES)
def test_secrets_are_held_as_secrets(block: type[Block]) -> None:
    for name, field in block.model_fields.items():
        if SECRET_NAMES.search(name):
            assert SecretStr in (field.annotation, *get_args(field.annotation)), name


@pytest.mark.parametrize("block", BLOCK_TYPES)
def test_every_block_has_a_slug_and_a_sentence(block: type[Block]) -> None:
    assert re.fullmatch(r"[a-z][a-z-]+", block.get_block_type_slug())
    assert (block.get_description() or "").endswith(".")


def test_names_and_slugs_are_unique() -> None:
    assert len({block.get_block_type_slug() for block in BLOCK_TYPES}) == len(BLOCK_TYPES)
    assert len({block.get_block_type_name() for block in BLOCK_TYPES}) == len(BLOCK_TYPES)


def all_below(kind: type[Block]) -> Iterator[type[Block]]:
    for each in kind.__subclasses__():
        yield each
        yield from all_below(each)


def test_every_block_class_of_the_project_is_named() -> None:
    ours = {each for each in all_below(Block) if each.__module__.split(".")[0] in PRODUCT}
    assert ours == set(BLOCK_TYPES)


def code_of(block: type[Block]) -> str:
    return (block.get_code_example() or "").split("```python")[1].split("```")[0]


@pytest.mark.prefect
def test_every_example_runs(prefect_server: LocalPrefect, sandbox: Sandbox, ledger_file: Path) -> None:
    said = {}
    with mail_server() as (port, messages):
        mail = MailNotification(
            server="127.0.0.1",
            port=port,
            encryption="none",
            sender="a@example.com",
            recipients=["b@example.com"],
        )
        asyncio.run(save_trial_blocks(sandbox.info, ledger_file))
        mail.save("default", overwrite=True)
        for block in BLOCK_TYPES:
            with contextlib.redirect_stdout(io.StringIO()) as output:
                exec(code_of(block).replace("BLOCK_NAME", "default"), {"__name__": "example"})  # noqa: S102
            said[block.__name__] = output.getvalue().strip()
    assert len(messages) == 1
    assert said["ConnectWiseConnection"].isdigit()
    assert said["FieldNationConnection"].isdigit()
    assert said["LansweeperConnection"]
    assert said["LedgerDatabase"].endswith(" 0")
    assert said["DispatchRules"] == "draft"
