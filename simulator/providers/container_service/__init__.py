"""Microsoft.ContainerService: managed clusters, their power, their trusted access."""
