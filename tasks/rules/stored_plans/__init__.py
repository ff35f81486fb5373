"""Plans as they are stored, shown whole, and applied by their id: what all features have in common.

A feature turns its plan into entries, one a record, and says of a stored entry whether it is still the
decision. Everything else is here: ``entries`` (the form of an entry), ``summary`` (kinds of change),
``export`` (table, CSV, JSON, HTML) and ``drift`` (what was decided otherwise since).
"""
