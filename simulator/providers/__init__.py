"""One folder a resource provider: models (the state), behaviour (what Azure does), responses (what is said)."""
