"""Callbacks: members by the spec, and at which levels the changes of which types of records can be had.

The levels of configurations, agreements, companies and tickets are the vendor's (reference, section 4.4);
those of the other types follow the same idea and are assumed.
"""

from collections.abc import Mapping

from sandbox.connectwise.fields import Table, computed, flag, text, whole

CALLBACKS = Table(
    name="system/callbacks",
    route="/system/callbacks",
    type_name="CallbackEntry",
    resource="callbackEntry",
    words="CallbackEntry",
    naming=("description",),
    fields={
        "description": text(100),
        "url": text(required=True),
        "objectId": whole(required=True),
        "type": text(required=True),
        "level": text(required=True),
        "memberId": computed(whole()),
        "payloadVersion": text(),
        "inactiveFlag": flag(),
        "isSoapCallbackFlag": flag(),
        "isSelfSuppressedFlag": flag(),
        "connectWiseID": computed(text()),
    },
)
PAYLOAD_VERSION = "3.0.0"

EVERY, ITSELF, NEVER = "*", "id", ""

# Type -> level -> the reference whose id is the objectId; EVERY record, the record ITSELF, or NEVER: the
# level is there, but this server has nothing to compare it with.
LEVELS: Mapping[str, Mapping[str, str]] = {
    "activity": {"owner": EVERY, "status": "status", "type": "type", "activity": ITSELF},
    "agreement": {"owner": EVERY, "type": "type", "company": "company", "agreement": ITSELF},
    "company": {
        "owner": EVERY,
        "status": "status",
        "type": NEVER,
        "territory": "territory",
        "company": ITSELF,
        "integratortag": NEVER,
    },
    "configuration": {"owner": EVERY, "type": "type", "status": "status", "configuration": ITSELF},
    "contact": {"owner": EVERY, "company": "company", "type": NEVER, "contact": ITSELF},
    "expense": {"owner": EVERY, "expense": ITSELF},
    "invoice": {"owner": EVERY, "status": "status", "invoice": ITSELF},
    "member": {"owner": EVERY, "member": ITSELF},
    "opportunity": {
        "owner": EVERY,
        "type": "type",
        "status": "status",
        "stage": "stage",
        "opportunity": ITSELF,
    },
    "productcatalog": {"owner": EVERY, "type": "type", "productcatalog": ITSELF},
    "project": {"owner": EVERY, "status": "status", "type": "type", "project": ITSELF},
    "purchaseorder": {"owner": EVERY, "status": "status", "purchaseorder": ITSELF},
    "schedule": {"owner": EVERY, "schedule": ITSELF},
    "ticket": {
        "owner": EVERY,
        "board": "board",
        "project": "project",
        "phase": "phase",
        "status": "status",
        "ticket": ITSELF,
        "integratortag": NEVER,
    },
    "time": {"owner": EVERY, "time": ITSELF},
}

# The type whose callbacks tell of a collection's records.
TYPES: Mapping[str, str] = {
    "company/configurations": "configuration",
    "company/companies": "company",
    "company/contacts": "contact",
    "finance/agreements": "agreement",
    "project/projects": "project",
    "project/tickets": "ticket",
    "sales/opportunities": "opportunity",
    "service/tickets": "ticket",
    "system/members": "member",
    "time/entries": "time",
}
