"""The ConnectWise PSA side: REST over records in memory, described by tables of the vendor's spec.

The way of a request: ``app`` (address, ``access``: keys, rights, rate limit) -> ``answers`` (path to
table, what is asked, bulk) -> ``reads`` or ``writes``.

- ``schema``: every served collection as a ``Table`` of ``Field`` descriptions. Start here.
- ``store``: the records, the links of tickets and agreements to configurations, who is told of changes.
- ``reads``: lists, with ``conditions`` (the language) and ``condition_paths`` (what its names stand for);
  ``rendering``: a record as the wire shows it.
- ``body``: a body as members; ``validation``: what is refused; ``writes``: PUT, PATCH, POST, DELETE;
  ``computed``: members that follow from others; ``defaults``: what a record refers to where nobody says;
  ``links``: attaching configurations; ``merging``: tickets, companies, configurations of another company.
- ``bulk_reads``: bundles and the report; ``callbacks``: messages sent.
- ``errors``: refusals in the vendor's words.

To add an endpoint: describe its table in the module of ``schema`` that is called like the vendor's API, and
name it in ``schema/tables.py``. Routes, lists, counts, conditions, fields, POST, PUT, PATCH and DELETE come
with the table. A member that follows from others is computed in ``computed``.
"""
