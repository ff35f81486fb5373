"""Dispatch: ConnectWise tickets and opportunities become Field Nation work orders, and come back."""
