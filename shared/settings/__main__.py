"""Prints docs/settings.md."""

import sys

from shared.settings.catalogue import documentation

sys.stdout.write(documentation())
