"""``python -m deployments.receiver``: takes callbacks and webhooks until a signal ends it."""

from __future__ import annotations

import sys

from deployments.receiver.server import main

sys.exit(main())
