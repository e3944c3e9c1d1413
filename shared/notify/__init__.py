"""Telling people: what a message says, the form it has for each kind of channel, and its delivery."""
