"""ConnectWise PSA: block, client, conditions, wire shapes."""
