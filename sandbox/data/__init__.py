"""Generated data of a managed service provider: all systems, consistent with each other, by a seed.

- ``generate``: ``build_world`` with the scenarios ``provider``, ``fresh``, ``enrichment``, ``dispatch``.
- ``provider``: the provider's ConnectWise setup: companies, people, types, statuses, custom fields.
- ``assets``: Lansweeper assets with a scanner's oddities: makes, models, systems, programs.
- ``configurations``: what people typed by hand, or what an asset sync has left (``enrichment``).
- ``tickets``: the service desk, agreements and tickets with their configurations.
- ``churn``: what happens to assets and tickets between two runs.

The same seed, sizes and calls give the same data on every machine.
"""
