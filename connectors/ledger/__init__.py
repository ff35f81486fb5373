"""The integration's own database: request budget, journal of writes, what runs remember, dispatch."""
