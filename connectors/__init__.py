"""What is spoken: one package a system, with equal file names in each, and what they share.

Shared, in the order to read them:

- ``errors``: five classes by what the caller does next. Everything else raises one of these. And what a
  block's connection check answers.
- ``retry``: which request may be repeated, by its ``RequestKind``, and after how many seconds. Pure.
- ``responses``: from a failed attempt to the error, with the vendor's words.
- ``http``: the session that every client sends through: rate limit, retries, counts, read-only switch.
- ``redaction``: keeps secrets out of every text.

Systems: ``connectwise``, ``lansweeper``, ``field_nation`` (each with settings, api, client, models, refusals,
block), and ``ledger``, the integration's own database.

``blocks`` names the four Prefect blocks.
"""
