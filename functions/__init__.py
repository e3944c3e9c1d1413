"""Triggers: parse, ask for a look or call the core, return. No logic, and nothing heavy imported before it is used."""
