"""Microsoft.KubernetesConfiguration: extensions of managed clusters, Azure Backup's among them."""
