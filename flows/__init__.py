"""Chains of actions, each a Prefect flow that reads as a list of steps; a file is a deployment's entrypoint.

1. ``check_connections``, ``refresh_choices``: after set-up, and by schedule.
2. ``asset_synchronization``: Lansweeper assets become ConnectWise configurations. Read it first.
   ``reference_data`` takes its steps for locations, manufacturers, statuses and types by hand.
3. ``tickets_agreements_sla_sync``: tickets, agreements and SLA become custom fields of assets;
   ``lansweeper_custom_fields`` makes the fields.
4. ``undo_run``: the reverse of a run of either.
5. ``dispatch_work_order``, ``dispatch_sweep``, ``preview_work_order``: ConnectWise tickets become Field
   Nation work orders; ``sync_work_order``, ``work_order_sweep``, ``sync_notes``: and come back.
6. ``dispatch_inbox``, ``register_callbacks``: both directions by the vendors' own messages.
7. ``actions``: every documented action as a flow of its own.
"""

from connectors.installation import check_packages

check_packages()
