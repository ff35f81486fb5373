"""Pure decisions: no Prefect, no HTTP, no clock, no environment."""
