"""Lansweeper, the inventory: sites, assets, custom fields, over GraphQL.

- ``settings``: token, site and endpoint; tells the kinds of token apart.
- ``api``: posts one document, with the cool-down that follows a 429.
- ``graphql``: the documents, field paths cut into queries, and filters. Pure.
- ``client``: sites, assets page by page, edits, custom fields.
- ``edits``: which of several edits in one mutation were written.
- ``refusals``: reads GraphQL errors and gateways' pages and names the remedy.
- ``models``: wire shapes. ``block``: the Prefect block and its connection check.

Read ``client`` first. Facts about the interface: docs/vendors.md, Lansweeper.
"""
