"""The environment variables that name the vendors' accounts and the ledger, and the block's field of each.

``deployments.blocks`` makes blocks of them, ``deployments.receiver`` reads them itself. Nothing of Prefect is
imported here, so that whoever needs the names alone starts without it.
"""

from __future__ import annotations

from connectors.ledger.database import URL_VARIABLE

CONNECTWISE = {
    "CONNECTWISE_SITE": "site",
    "CONNECTWISE_COMPANY_ID": "company_id",
    "CONNECTWISE_PUBLIC_KEY": "public_key",
    "CONNECTWISE_PRIVATE_KEY": "private_key",
    "CONNECTWISE_CLIENT_ID": "client_id",
}
LANSWEEPER = {"LANSWEEPER_ACCESS_TOKEN": "access_token"}
LANSWEEPER_OPTIONAL = {"LANSWEEPER_SITE_ID": "site_id", "LANSWEEPER_ENDPOINT": "endpoint"}
FIELD_NATION = {
    "FIELD_NATION_CLIENT_ID": "client_id",
    "FIELD_NATION_CLIENT_SECRET": "client_secret",
    "FIELD_NATION_USERNAME": "username",
    "FIELD_NATION_PASSWORD": "password",
}
WEBHOOK_SECRET = "FIELD_NATION_WEBHOOK_SECRET"  # noqa: S105
FIELD_NATION_OPTIONAL = {"FIELD_NATION_ENVIRONMENT": "environment", WEBHOOK_SECRET: "webhook_secret"}
LEDGER_URL = URL_VARIABLE
NOTIFY_SLACK = "CONNECTWISE_FLOWS_NOTIFY_SLACK"
NOTIFY_TEAMS = "CONNECTWISE_FLOWS_NOTIFY_TEAMS"
NOTIFY_EMAIL = "CONNECTWISE_FLOWS_NOTIFY_EMAIL"
SMTP_URL = "CONNECTWISE_FLOWS_SMTP_URL"
