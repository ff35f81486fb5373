"""The receiver of callbacks and webhooks, piece by piece; ``deployments.receiver`` starts it."""
