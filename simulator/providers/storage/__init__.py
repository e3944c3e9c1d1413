"""Microsoft.Storage: accounts and blob containers, as ARM sees them (no data plane)."""
