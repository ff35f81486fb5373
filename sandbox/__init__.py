"""A local ConnectWise PSA, Lansweeper and Field Nation to try and test everything against.

``python -m sandbox`` serves all three on one loopback port, with data of an invented managed service
provider and the vendors' refusals, limits and oddities. Nothing here imports the product. In reading order:

- ``__main__``: the command line, the port, and the first line with addresses and keys.
- ``app``: ``SandboxApp``, which hands each request to its vendor, counts it, delays and disturbs it.
- ``connectwise``, ``lansweeper``, ``field_nation``: a package a vendor, each with an ``app`` and a ``store``.
- ``world``: all that one sandbox holds; ``data``: what it is filled with, drawn from a seed.
- ``control``: the addresses under ``/_sandbox`` by which tests look in, change and disturb it.
- ``faults``: rules that drop, delay, refuse or double requests; ``editing``: a person's edits meanwhile;
  ``wrong_reads``: answers that are wrong and look right.
- ``requests``: what a request is to counting and faults; ``history``: who read and wrote which record.
- ``switches``: every point where the vendors' real servers differ or are not known.
- ``credentials``: keys, tokens and signing keys.
"""
