"""The ConnectWise PSA side of the sandbox."""
