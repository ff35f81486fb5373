"""The chaos campaign: schedules of faults over both flows, drawn from seeds, and the oracles that judge them.

In reading order:

- ``campaign``: the command; ``schedule``: what a ``Schedule`` and its ``FaultPlan`` are, and their drawing.
- ``faults``: what vendors and networks do to requests, and which waiting times a campaign shortens;
  ``people``: what persons and scans do during and between runs; ``readings``: what a run reads or knows
  that is not so.
- ``lanes``: schedules side by side, each lane with a sandbox and a ledger; ``process``: one forked run under
  its fault plan, and process trees.
- ``real_stack``, ``real_runs``: the same with a real Prefect server and worker, which are killed.
- ``verdict``: run records, what is judged of every flow, and the counts in ``build/chaos.json``.
- ``asset_oracle`` judges asset-synchronization, with ``asset_model`` (the mapping, written once more by
  hand), ``asset_matching`` (likewise) and ``asset_trail`` (who wrote what to one configuration).
- ``enrichment_oracle`` judges tickets-agreements-sla-sync by ``performance.enrichment_model``.
"""
