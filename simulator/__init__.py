"""Azure in a box: an honest simulation of the Azure this project depends on. It knows nothing of `shared`."""
