"""Which configuration is an asset's: by link, by keys in their order, by a person's decision.

match         each asset with its configuration, or why there is none
by_keys       the search by the keys that have no link
keys          the keys and their order, for each type of asset
decisions     what a person decided: link, unlink, never, ignore
result        what matching found
"""
