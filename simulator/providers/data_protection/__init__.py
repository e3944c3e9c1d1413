"""Microsoft.DataProtection: Backup vaults, policies, backup instances, jobs and recovery points for AKS."""
