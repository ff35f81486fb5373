"""The documented actions of Field Nation, one module each: a run of dispatch for one record or work order.

    work_order_creation       ``reconcile`` for one record, in a trigger or not
    work_order_update         ``reconcile`` for one record that has a work order; it never cancels
    status_synchronization    ``work_order_events`` of one work order
    notes_sync                ``notes`` of one work order

They stand above dispatch's modules, as its flows do: nothing here is imported by them.
"""
