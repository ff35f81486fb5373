"""What asset-synchronization decides, in the order of a run.

1. ``matching``: which configuration belongs to which asset: by the stored link, then by keys in their order,
   and before both as people decided.
2. ``compare``: which mapped fields of a pair differ; ``merge``: whose value holds where people edit too.
3. ``references``: which existing record a name means, and which are missing.
4. ``decide``: which differences may be written; asked again with the record read before the write.
5. ``plan``: all of that as a value; ``safety``: its cost, and whether it is plausible.
6. ``payloads``: records and operations that are sent.
7. ``report`` and ``render``: the counts, and plan and report as Markdown.
8. ``undo``: values before and after a write as the journal keeps them, and the reverse of a run.
"""
