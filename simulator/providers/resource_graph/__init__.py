"""Microsoft.ResourceGraph: one query over all that ARM holds, a little late."""
