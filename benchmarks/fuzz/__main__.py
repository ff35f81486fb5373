"""``python -m benchmarks.fuzz``: the fuzz campaign of ``make fuzz``."""

from __future__ import annotations

import sys

from benchmarks.fuzz.campaign import main

if __name__ == "__main__":
    sys.exit(main())
