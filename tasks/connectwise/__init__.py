"""The documented ConnectWise actions, one module each, named as the connector page names them.

A module holds the action (``@action``), which a person runs from a form and which opens its own connection,
and, where a flow runs it too, its step in a run (``@action_step``), which takes what the run has open and
read already. Both show under the documented name. No action imports a feature.

Every change of a configuration is sent from here: creations and deletions by
``bulk_create_configurations``, all others by ``bulk_modify_configurations``. ``list_configurations``,
``match_configurations`` and ``list_companies`` hold what flows read and match with. ``link_search`` is the
core of the two actions that list agreements and tickets.
"""
