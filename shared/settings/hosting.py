"""Where the app runs, and whether its callers are known."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Hosting:
    """`deployed`: not on a developer's machine. `authenticated`: App Service authentication stands before the app, so
    that the header with the caller's name can be believed."""

    deployed: bool
    authenticated: bool


def read_hosting(environ: Mapping[str, str]) -> Hosting:
    """From what Azure sets itself (https://learn.microsoft.com/azure/app-service/reference-app-settings). A Functions
    host of which nobody says that it is for development counts as deployed, wherever it runs."""
    in_azure = any(environ.get(name) for name in ("WEBSITE_INSTANCE_ID", "WEBSITE_SITE_NAME", "WEBSITE_POD_NAME"))
    development = environ.get("AZURE_FUNCTIONS_ENVIRONMENT", "").lower() == "development"
    hosted = bool(environ.get("FUNCTIONS_WORKER_RUNTIME")) and not development
    return Hosting(in_azure or hosted, environ.get("WEBSITE_AUTH_ENABLED", "").lower() in ("true", "1"))
