"""Chains of actions, each a Prefect flow that reads as a list of steps."""
