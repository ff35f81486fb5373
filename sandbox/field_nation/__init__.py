"""The Field Nation side: REST v2 over work orders, webhooks v3, and the provider's steps.

- ``app``: the ASGI application: tokens, the REST addresses, the control addresses under
  ``/_sandbox/field-nation``. Start here. ``access``: OAuth tokens and the rate limit.
- ``work_orders``: creating and changing them, which members are kept, and the buyer's steps of their life.
- ``provider``: the provider's steps: accept, check in, check out, work done, messages.
- ``store``: work orders in memory, the buyer's company and its custom fields, the catalogue of events,
  messages, moments in UTC and local time.
- ``views``: a work order as the API shows it; ``listing``: filters and pages.
- ``webhooks``: subscriptions, signed deliveries with retries, and the delivery log.
- ``errors``: refusals in both shapes that the vendor documents.

Each step returns the events that it fires; ``app`` hands them to ``webhooks``. To add an address: one row in
``app._CALLS`` with the function behind it.
"""
