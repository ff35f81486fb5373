"""The steps of asset-synchronization that are more than one documented action."""
