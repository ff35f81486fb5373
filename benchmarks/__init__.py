"""Benchmarks and campaigns against the sandbox: what runs cost, and what the project withstands.

- ``performance``: wall, CPU, memory and requests of both flows beside the least that is possible
  (``make bench``, ``make bench-enrichment``).
- ``chaos``: drawn schedules of faults over both flows, and an oracle that judges each (``make chaos``).
- ``fuzz``: seeded malformed inputs, and what became of each (``make fuzz``).
- ``dispatch_campaign``: hundreds of tickets and work orders at once (``make campaign-dispatch``).

Everything is drawn from a seed that is printed first. Results are written below ``build/``. docs/costs.md
holds the measured figures. An oracle reads the sandbox alone, never the ledger, and is written apart from the
rules that it judges.
"""
