"""The chaos campaign: drawn schedules of mishaps over both flows, and what must be true after each."""
