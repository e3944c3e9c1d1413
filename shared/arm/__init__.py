"""Azure Resource Manager: one client, its manners towards quotas, and what its answers mean."""
