"""Microsoft.Management: the tree of management groups above the subscriptions."""
