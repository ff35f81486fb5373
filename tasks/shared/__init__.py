"""What all features share: each mechanism once.

1. ``action`` and ``action_flow``: documented actions as Prefect tasks, their steps in a run, and the flow
   with a form that a person runs each from.
2. ``connections``: clients by block name, opened once a run; ``run_forms``: inputs and choices of run
   forms; ``checks``: what a connection can do.
3. ``lease``: one writing run at a time for a company, a lease with heartbeat.
4. ``concurrency``: bounded concurrency; ``retry``: retry and polling of one step.
5. ``journalled``: writes noted before they are sent; ``create_once``: a named record, never twice.
6. ``stored_plans``: plans kept in the ledger, and applied by their id; ``undo_plans``: those of undos.
7. ``progress``: log lines of a long step; ``results``: the last state of a flow run.

Nothing here imports a feature or a documented action.
"""
