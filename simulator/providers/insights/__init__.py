"""Microsoft.Insights: the diagnostic settings of Backup vaults."""
