"""The documented ConnectWise actions, one module each."""
