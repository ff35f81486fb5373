"""The field mapping: from a Lansweeper value to a ConnectWise field.

1. ``model``: what a person writes: sources, targets, authority, value tables.
2. ``targets``: the ConnectWise paths that may be written, and values as ConnectWise takes them.
3. ``identifiers``: serial numbers, MAC addresses and names made comparable; fillers count as absent.
4. ``converters``: one function a field, from Lansweeper's value to ConnectWise's.
5. ``compile``: checks a mapping and makes it ready: read once, applied to every record.
6. ``comparison``: whether two values of a field say the same.
"""
