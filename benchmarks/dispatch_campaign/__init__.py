"""Dispatch campaign."""
