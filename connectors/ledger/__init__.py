"""The integration's own database: request budget, journal of writes, batches in flight."""
