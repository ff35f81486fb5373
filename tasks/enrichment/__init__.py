"""The steps of tickets-agreements-sla-sync, the enrichment: ConnectWise's knowledge in Lansweeper.

1. ``settings``: what a person sets; ``run``: the company and the Lansweeper site.
2. ``custom_fields``: keys of the documented ``cw_`` fields; missing ones are made once.
3. ``read``: the configurations that claim an asset, the assets' texts, and claims of other companies.
4. ``plan``: agreements and tickets of the configurations by their two actions, the plan, the edits of the
   texts that differ by the action Edit Asset, and the report.
5. ``forecast``: what the run takes in requests and time, shown beside its plan.
6. ``undo``: put a run's earlier texts back.

The texts and the plan are decided in ``tasks.rules.enrichment``; how agreements and tickets are found in few
requests is ``tasks.connectwise.link_search``.
"""
