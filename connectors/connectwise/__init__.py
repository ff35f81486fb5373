"""ConnectWise PSA, the service desk: companies, configurations, tickets, agreements.

- ``settings``: site and keys, checked before anything is sent.
- ``api``: the login company: where its API lies, how a request is sent.
- ``collection``: what every collection answers (list, pages, count, get, create, patch, delete), with paging.
- ``client``: the collections by name with their documented paths, and the operations that are not plain.
- ``bulk_reads``: reports, bundles and the ticket search, which read much in few requests.
- ``conditions``: builds texts of the vendor's conditions language.
- ``refusals``: reads the vendor's error bodies and names the remedy.
- ``models``: wire shapes. ``block``: the Prefect block and its connection check.

Read ``client`` first, then ``collection``. Facts about the interface: docs/vendors.md, ConnectWise.
"""
