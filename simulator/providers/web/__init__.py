"""Microsoft.Web: what can be read of a function app."""
