"""The steps of asset-synchronization: Lansweeper assets become ConnectWise configurations.

1. ``settings``: what a person sets; ``run``: the company, the custom fields and the compiled mapping.
2. ``create.recover_open_batches``: look for what a killed run created.
3. ``read``: both sides and the reference data, matched by the action Match Configurations, and the plan.
   ``decisions``: what people decided about matches; ``decide``: a run that makes such a decision.
   ``missing``: which assets a whole reading misses, and since when.
4. ``references``: ids of names that configurations refer to; missing records are created once.
5. ``forecast``: what the run takes in requests and time, shown beside its plan.
6. ``apply``: carry the plan out, by ``create``, ``modify`` with its ``canary``, and type changes.
7. ``report``: the report, and plan and report as artifacts.
8. ``undo``: write a run's reverse.

What is matched, compared and planned is decided in ``tasks.rules.asset_sync``; requests are sent by the
documented actions in ``tasks.connectwise`` and ``tasks.lansweeper``.
"""
