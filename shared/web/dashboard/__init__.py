"""The dashboard: pages for people, written on the server."""

from shared.web.dashboard.routes import router

__all__ = ["router"]
