"""What only the simulator has: making clusters appear, faults happen and jobs end, and reading what was asked."""
