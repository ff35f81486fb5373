"""Field Nation: block, settings, tokens, client."""
