"""Pure decisions: no Prefect, no HTTP, no clock, no environment.

What is decided stands here, what is done in the folder of the same name under ``tasks``.

1. ``mapping``: which value lands in which ConnectWise field.
2. ``asset_sync``: match, compare, decide and plan; ``enrichment``: texts of assets, the search for tickets.
3. ``dispatch``: tickets as work orders, and back.

Shared by all of them:

- ``values``: dates, numbers, booleans, and the small records of a run; ``limits``: documented limits.
- ``report``: counts that add up; ``undo``: the reverse of a run; ``text``: Markdown that no value can break.
- ``stored_plans``: plans as they are kept, shown whole, and applied by their id.
- ``guards``: what was read held against what is known from before.
- ``bulk``: batches and bulk answers; ``expressions``: JMESPath over many records.
- ``action_io``, ``choices``, ``connection_findings``, ``lansweeper_input``: what a person types and sees.
"""
