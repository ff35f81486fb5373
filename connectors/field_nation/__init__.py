"""Field Nation, the marketplace for field work: work orders, messages, webhooks.

- ``settings``: environment and credentials.
- ``api``: access tokens, and one request of REST v2 or of the webhooks API v3.
- ``client``: work orders, the steps of their life, messages, custom fields, webhooks.
- ``refusals``: reads five shapes of error bodies.
- ``models``: wire shapes, statuses, and which sent members the vendor dropped.
- ``block``: the Prefect block and its connection check.

Read ``client`` first. Facts about the interface: docs/vendors.md, Field Nation.
"""
