"""What runs cost: requests, wall and CPU seconds, memory, beside the least that is possible.

asset-synchronization (``make bench``):

- ``run``: the command; first load, no change and usual run of each size against the sandbox.
- ``bounds``: the least requests that are possible, and the promises that a measurement must keep.
- ``peers``: extract, match and diff beside ``baseline`` (an index written by hand), DiffSync and JMESPath,
  over inventories of any size.
- ``results``: ``build/bench.json``; ``table``: its figures for a console, for docs/costs.md, and as a chart.

tickets-agreements-sla-sync (``make bench-enrichment``):

- ``enrichment``: requests by the ways that a server takes; ``enrichment_model``: the texts that must result.

``measured_run`` is the process that is measured, ``runner`` starts such a process and watches it, and
saves the blocks of sandboxes in a process of its own.
"""
