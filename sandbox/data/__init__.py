"""Deterministic data of a managed service provider: both systems, consistent with each other."""
