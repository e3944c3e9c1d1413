"""Microsoft.Authorization: role definitions, role assignments and how long they take to act, locks."""
