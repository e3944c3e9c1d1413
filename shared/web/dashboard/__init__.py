"""The dashboard: pages for people, written on the server."""

from shared.web.dashboard.routes import public, router

__all__ = ["public", "router"]
