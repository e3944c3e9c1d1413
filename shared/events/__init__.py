"""What the outside tells us, as typed events. An event only says whom to look at; it is never taken as state."""
