"""`python -m shared.telemetry > docs/telemetry.md`."""

import sys

from shared.telemetry.described import document

sys.stdout.write(document())
