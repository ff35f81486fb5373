"""Asset sync."""
