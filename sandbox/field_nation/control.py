"""Control addresses under ``/_sandbox/field-nation``: the provider's hand, deliveries, tokens.

POST /workorders/{id}/{step}        a step of provider_steps.STEPS, its details as a JSON object
GET  /deliveries                    every delivery so far, lost ones too
POST /deliveries/{uuid}/resend      send one again, as a stranger with the old message could
POST /deliveries/{uuid}/replay      the same under a new delivery id, which is not signed
GET  /tokens                        how many tokens each grant gave
POST /tokens/revoke                 {"refresh": bool}: end all access tokens, and refresh tokens too
"""

from __future__ import annotations

import re
from typing import Any

from sandbox.field_nation.app import FieldNationApp
from sandbox.field_nation.errors import FieldNationError
from sandbox.field_nation.webhooks import WebhookError

_STEP = re.compile(r"workorders/(\d+)/([a-z-]+)")
_RESEND = re.compile(r"deliveries/([0-9a-f-]{36})/(resend|replay)")


def answer_control(app: FieldNationApp, method: str, path: str, body: Any) -> Any:
    """What a control address answers; ValueError for one that does not exist or a step that can't be done."""
    try:
        return _answer(app, method, path.strip("/"), body or {})
    except (FieldNationError, WebhookError) as error:
        raise ValueError(str(error)) from None


def _answer(app: FieldNationApp, method: str, path: str, given: dict[str, Any]) -> Any:
    step, resend = _STEP.fullmatch(path), _RESEND.fullmatch(path)
    if method == "POST" and step:
        return app.provider(int(step[1]), step[2], given)
    if method == "POST" and resend and resend[2] == "replay":
        app.deliveries.replay(app.deliveries.find(resend[1]))
        return {}
    if method == "POST" and resend:
        return {"job_id": app.deliveries.retry(app.deliveries.find(resend[1]))}
    if (method, path) == ("GET", "deliveries"):
        log = app.deliveries.log
        return [{**one.as_json(), "workOrderId": one.order_id, "lost": one.lost} for one in log]
    if (method, path) == ("GET", "tokens"):
        return app.tokens.granted
    if (method, path) == ("POST", "tokens/revoke"):
        return app.tokens.revoke(bool(given.get("refresh")))
    raise ValueError(f"no such control address: {method} field-nation/{path}")
