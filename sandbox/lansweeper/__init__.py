"""The Lansweeper side: one GraphQL endpoint over the assets of one site.

- ``app``: the ASGI application: token, request limits with their cool-down, execution, envelope. Start here.
- ``documents``: the served schema (``schema.graphql``) and further paths (``paths.txt``), parsing,
  validation, aliases, root fields, refusals.
- ``reads``: pages of assets by cursor, filters, the paths asked for; one asset, types, custom fields.
- ``writes``: edits of assets, custom fields, deletions; the fault that refuses some edits of a mutation.
- ``store``: assets in a fixed order, custom fields, and the members that edits lock against scans.

To add a field of `site`: the schema names it, and ``SiteReader.fields`` or ``SiteWriter.fields`` resolves it.
"""
