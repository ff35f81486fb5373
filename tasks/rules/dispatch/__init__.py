"""What dispatch decides, without network, clock or Prefect.

Inbound, from a record to its work order:
    triggers            whether a record is in a trigger, and when it enters
    decision            the next step for one record; which work order is its own; what differs
    sources             the document that a mapping reads
    mapping_model       a mapping as a person writes it; mapping_actions, dates, paths: what a line does
    targets             what a work order takes, and what it requires
    mapping             the work order that a record becomes; what is wrong with a mapping

Outbound, from a work order to its record:
    events              what has happened to a work order
    outbound            what that does to its record
    notes               which notes and messages are copied

    reference           references and marks by which all of it is found again
    result              how one look ended, and the report of many
    messages            what a message of a vendor is about
    registration        which callbacks and webhooks are to be there
"""
