"""Dispatch against the sandbox, without Prefect."""
