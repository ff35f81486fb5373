"""What the enrichment decides: the flow tickets-agreements-sla-sync.

The search, whose requests ``tasks/connectwise/link_search`` sends:

1. ``query_strategies``: which queries a server takes, and which of them cost least.
2. ``group_testing``: which tickets hold which configurations, from questions about groups of them.
3. ``ticket_changes``: which tickets need no new question.
4. ``answers``: agreements and tickets in the shape of the two documented actions.

The run:

5. ``texts``: the eleven custom fields of an asset.
6. ``plan``: which assets get which texts, the counts and the report; ``render``: both as Markdown.
7. ``undo``: the earlier texts back.
"""
