"""`aks-backup-guard`: the same core from a terminal. A development requirement: it is not deployed."""
