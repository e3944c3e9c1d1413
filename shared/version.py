"""Which version of the app this is."""

VERSION = "0.1.0"
"""As CHANGELOG.md and SemVer have it."""
