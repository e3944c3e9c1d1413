"""Microsoft.KeyVault, as far as ARM shows it."""
