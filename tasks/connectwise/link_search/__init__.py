"""Which agreements and tickets name which configurations, found in as few requests as a server allows.

The core of the actions List Agreements for Configurations and List Tickets for Configurations. ConnectWise
answers "which configurations does this agreement or ticket hold?" one record at a time; cheaper query
strategies exist, but a server may refuse them or answer wrongly, so each is tried out, compared with a sample
read one by one, and remembered for later runs.

1. ``search``: one search in one company: the client, the strategies that are known to work, the sample, and
   bundles (many child collections in one request).
2. ``agreements``: the agreements, by report, bundles, or one by one.
3. ``tickets``: the tickets, those remembered from an earlier run left out; ``ticket_groups`` asks about
   groups of configurations at once (group testing).
4. ``ticket_cache``: what each ticket held when it was last asked about, kept in the ledger.

Which strategy is cheapest is decided in ``tasks.rules.enrichment``.
"""
