"""The documented Lansweeper actions, one module each, named as the connector page names them.

A module holds the action (``@action``), which a person runs from a form and which opens its own connection,
and, where a flow runs it in another form, its step in a run (``@action_step``). Both show under the
documented name. No action imports a feature, and none loads another vendor's client.

``list_assets`` reads a whole site and cuts each asset down as it comes; ``edit_asset`` sends every edit of
an asset, several as one mutation.
"""
