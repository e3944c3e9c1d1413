"""Changes Azure, one file a resource kind: small bodies of our own, and the actor that sends them."""
