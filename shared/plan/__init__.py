"""Decisions: pure functions from what is known to what shall be done. No Azure, no clock, no chance."""
