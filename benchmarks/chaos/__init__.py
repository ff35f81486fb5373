"""The chaos campaign: drawn schedules of injected over both flows, and what must be true after each."""
