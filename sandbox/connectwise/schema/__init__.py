"""The collections that the sandbox's ConnectWise serves, as tables of the vendor's spec.

- ``fields``: the words of the descriptions: ``Field`` with ``text``, ``ref``, ``computed`` ...; ``Table``.
- ``company``: companies, sites, contacts; configurations with types, questions and statuses.
- ``boards``: boards with statuses, types and teams; priorities and sources.
- ``service``: tickets of both kinds with links and notes, time entries.
- ``finance``: agreements and their types, SLAs; sales opportunities.
- ``setup``: countries, severities, kinds of contacts and members.
- ``further``: what others' clients read though the spec lacks it: security roles, work types, the calendar.
- ``members``: the provider's people and integrations.
- ``system``: locations, departments, manufacturers, custom fields, callbacks.
- ``tables``: all of them by name. A new table is named there, and nowhere else.

Lengths, kinds and what is required come from the vendor's spec; tests/contract holds them to it.
"""
