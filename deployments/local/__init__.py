"""Everything on one machine: what the demos, the local stack, the tests and the benchmarks start.

Parts, each a process of its own:

- ``sandbox``: the vendors; ``prefect``: a Prefect server; ``receiver``: the receiver and the served inbox;
  ``postgres``: a PostgreSQL server.
- ``running``: the folder of the local stack, and where its server is found while it runs.

Commands made of them:

- ``up`` (``make up``): sandbox, server, worker and deployments until it is stopped.
- ``demo`` (``make demo``): three runs of asset-synchronization.
- ``demo_dispatch`` (``make demo-dispatch``): a ticket becomes a work order and comes back.
"""
