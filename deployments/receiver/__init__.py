"""Takes ConnectWise's callbacks and Field Nation's webhooks, verifies them, keeps them in the ledger's inbox.

It does nothing else: the flow ``dispatch-inbox`` acts on the messages. A message is answered with 2xx only
once it is kept, refused for good (401, 403, 400, 413), or put off so that its sender repeats it.

- ``app``: the addresses, and the order of one message: source, head, body, signature, inbox, answer.
- ``server``: the HTTP server's bounds on connections and on its log, and the entry point.
- ``places``: how many messages are held at once, by what is known of them.
- ``inbox``: writes messages in batches, within the time that the vendor waits; ``metrics``: counts them.
- ``settings``: environment variables; secrets may lie in files.
- ``messages``: reads a body, and says what of a message is kept.
- ``signatures``: whether the raw body was signed by the vendor. Pure.
- ``verify``: the check of each vendor, with ConnectWise's signing keys: fetched, kept, and not too often.

``python -m deployments.receiver`` runs it. Read ``app`` first. How to set it up: docs/operations.md.
"""
