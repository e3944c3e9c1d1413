"""Microsoft.Compute: the sizes that nodes can have."""
