"""How the flows run: bootstrap, demo, local stack."""
