"""Reads Azure, one file a resource kind. Nothing here changes anything."""
