"""The integration's own database (SQLite or PostgreSQL): what outlives a run and is shared by processes.

- ``store``: ``Ledger``, opened once a process; each attribute is one concern with a module of its own.
- ``journal``: writes before and after they are sent; bulk creations in flight.
- ``state``: state entries by name, and the links of tickets.
- ``inventory``: how many records each company had, and which configuration is whose.
- ``outbox``: what may happen only once at a vendor: creation intents, side effects, copied notes. Its state
  machine and the claims are in ``claims``.
- ``links``: which record belongs to which work order. ``inbox``: messages from vendors.
- ``rate_limit``: the sliding-window rate limiter that all processes share.
- ``schema``: the tables. ``models``: what goes in and comes out. ``database``: engine, transactions, clock.
- ``migrate`` and ``migrations``: the tables' history. ``block``: the Prefect block that names the place.

Read ``store``, ``models``, then ``claims``. Why it is not in Prefect: docs/adr/0001-ledger-beside-prefect.md.
"""
