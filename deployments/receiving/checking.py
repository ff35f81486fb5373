"""Tells genuine messages of the two vendors from everything else that reaches the receiver."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from deployments.receiving.bodies import json_object
from deployments.receiving.messages import callback_name, kept_callback, kept_webhook
from deployments.receiving.signing_keys import SigningKeys
from deployments.receiving.verdicts import RefusedError
from tasks.rules.dispatch_messages import CONNECTWISE, FIELD_NATION
from tasks.rules.signatures import (
    CONNECTWISE_HEADER,
    Verdict,
    check_connectwise,
    check_field_nation,
    delivery_of,
    is_stale,
)

Headers = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Genuine:
    """A message that may be kept; ``name`` is the same for each delivery of it.

    ``digest``: by what it counts once too, where its name is not signed.
    """

    source: str
    name: str
    body: dict[str, Any]
    digest: str = ""


class ConnectWiseCheck:
    """Checks callbacks of one login company."""

    def __init__(self, keys: SigningKeys, company_id: str) -> None:
        self._keys = keys
        self._company = company_id.lower()

    async def __call__(self, raw: bytes, headers: Headers, seconds: float) -> Genuine:
        """The message; ``seconds`` is how long a signing key may be waited for.

        Raises:
            RefusedError: it is not ConnectWise's, or not for this company.
            PutOffError: the key can't be had at the moment.
        """
        signature = headers.get(CONNECTWISE_HEADER)
        if not signature or not signature.strip():
            raise RefusedError(401, str(Verdict.UNSIGNED))
        message = json_object(raw)
        verdict = await self._verdict(raw, signature, message, seconds)
        if verdict is not Verdict.GENUINE:
            raise RefusedError(401, str(verdict))
        if str(message.get("CompanyId") or "").strip().lower() != self._company:
            raise RefusedError(403, "other company")
        return Genuine(CONNECTWISE, callback_name(message, raw), kept_callback(message))

    async def _verdict(
        self, raw: bytes, signature: str, message: Mapping[str, Any], seconds: float
    ) -> Verdict:
        metadata = message.get("Metadata")
        url = metadata.get("key_url") if isinstance(metadata, dict) else None
        key = await self._keys.key(url, seconds=seconds)
        verdict = check_connectwise(raw, signature, key)
        if verdict is not Verdict.GENUINE:
            newer = await self._keys.key(url, seconds=seconds, newer=True)
            verdict = verdict if newer == key else check_connectwise(raw, signature, newer)
        if verdict is Verdict.GENUINE:
            self._keys.fitted(str(url))
        return verdict


class FieldNationCheck:
    """Checks webhooks that are signed with one secret."""

    def __init__(self, secret: str, now: Callable[[], float] = time.time) -> None:
        self._secret = secret
        self._now = now

    async def __call__(self, raw: bytes, headers: Headers, seconds: float) -> Genuine:
        """The message; RefusedError for one that is forged, old, or without a delivery id."""
        verdict = check_field_nation(raw, headers, self._secret, self._now())
        if verdict is not Verdict.GENUINE:
            raise RefusedError(401, str(verdict))
        delivery = delivery_of(headers)
        if delivery is None:
            raise RefusedError(400, "no delivery id")
        message = json_object(raw)
        if is_stale(message.get("timestamp"), self._now()):
            raise RefusedError(401, str(Verdict.OLD))
        return Genuine(FIELD_NATION, delivery, kept_webhook(message), hashlib.sha256(raw).hexdigest())
