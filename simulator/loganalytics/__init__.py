"""Log Analytics: workspaces in ARM, what arrives in their tables and when, and the query API beside ARM."""
