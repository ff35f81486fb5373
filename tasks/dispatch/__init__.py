"""Dispatch: ConnectWise tickets and opportunities become Field Nation work orders, and come back.

    settings            the rules: triggers, mappings, outbound events, notes, waiting times
    run                 open clients, checked rules and the ledger
    inbox, sweep        what to look at: messages of the vendors, and polling for what they missed

Inbound, for one record:
    reconcile           fetch, decide, and do what was decided
    records             the record, what its mapping needs, and what it means for its dispatch
    create              create its work order once; find and adopt what an unanswered creation made
    update, finish      send what differs, publish, write the number back, or cancel

Outbound, for one work order:
    work_order_events   what happened to it is done to its record
    notes               notes and messages, each copied once to the other side
    ticket_writes       notes, time entries and values of the record
    outbox              each action delivered once

    state               what the ledger keeps of all that
    report              log, artifact, last state and answer of a run
    registration        callbacks and webhooks at the vendors

The documented actions of ``tasks.field_nation`` stand above these modules: each is a run for one record.
"""
