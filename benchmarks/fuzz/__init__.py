"""The fuzz campaign: seeded inputs that no vendor and no person should send, and what became of each.

``make fuzz`` runs every target, each in a process of its own; docs/costs.md says what is drawn.

- ``campaign``: the command, the list of targets, their processes, and ``build/fuzz.json``.
- ``tally``: counts inputs and outcomes of one target, and holds each input to its bounds of time, memory,
  text and secrets.
- ``receiver``: requests (``receiver_requests``) against the receiver, as ASGI and as bytes on a socket.
- ``answers``: damaged answers through every operation of the clients; ``vendors`` has the right answers,
  ``damages`` and ``body_damages`` what can be wrong with them.
- ``wire``: the same as bytes on a socket; ``wire_damages`` has heads, lengths, chunks, ends and speeds.
- ``ledger``: state machines of claims, outbox, inbox and budget (``ledger_outbox``, ``ledger_inbox``,
  ``ledger_budget``) in a ``ledger_world`` of two processes.
- ``rules``: settings, mappings, expressions, External Data and payloads.
- ``odd_values``: what ``rules`` and ``receiver`` draw from.
- ``sandbox_requests``: requests from the vendors' own descriptions against the sandbox, by schemathesis.

A target is a module with ``NAME``, ``INPUTS`` (of the long form), ``SHORT`` (of the test in ``make test``)
and ``async def run(tally, *, inputs)``. It takes its numbers from ``tally.numbers(inputs)`` and draws
each input from ``tally.draw(number)`` alone, so that ``--only NAME --seed S --input K`` replays one.
"""
