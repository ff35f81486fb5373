"""The dispatch campaign: records become work orders while processes are killed and messages forged.

- ``campaign``: the command, and the phases: calm, storm of faults, calm, an hour later, a quiet round.
- ``stories``: what happens to each record, drawn from the seed, and how it must end; ``people``: who do it.
- ``processes``: two dispatch processes that are killed at drawn requests; ``receiver``: a killed receiver.
- ``faults``: what vendors, networks and messengers do in the storm; ``forged``: forged and replayed messages.
- ``oracle``: what must be true at the end, read from the sandbox, and the bounds on requests.
"""
