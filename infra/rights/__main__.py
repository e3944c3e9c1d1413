"""Prints docs/rights.md."""

import sys

from infra.rights.document import document

sys.stdout.write(document())
