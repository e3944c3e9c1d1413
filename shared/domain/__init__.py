"""The words of the project: frozen dataclasses without effects."""
