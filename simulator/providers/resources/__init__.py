"""Microsoft.Resources: subscriptions, resource groups, providers and their registration, generic lists, tags."""
