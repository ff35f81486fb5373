"""The Field Nation side of the sandbox: REST v2, webhooks v3, and the provider's hand on work orders."""
