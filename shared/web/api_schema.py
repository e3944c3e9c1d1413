"""What `/api/v1` says of itself: OpenAPI 3.1 with the sign-in, the roles, and every error."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from shared.web.access import OPERATOR, READER
from shared.web.api_examples import example_of

_DESCRIPTION = f"""What AKS Backup Guard knows of a fleet of AKS clusters, and what it can be asked to do.

App Service authentication signs callers in with Microsoft Entra ID. Reading needs the app role `{READER}`, everything
that changes something `{OPERATOR}`, which may read too; Azure Monitor's action groups have a role of their own. On a
developer's machine nobody has to sign in.

Every failure is answered with an `ErrorResponse`. Times are ISO 8601 in UTC.
"""
_SCHEME = "entra"
_SECURITY = {
    _SCHEME: {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "A token of Microsoft Entra ID for the Guard's app registration, with one of its app roles. "
        "Browsers are signed in by App Service and send its cookie instead.",
    }
}
_VALIDATION = ("HTTPValidationError", "ValidationError")


def describe(app: FastAPI) -> None:
    """Replaces how the app describes itself."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _described(app)
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign] # as FastAPI's documentation has it ("Extending OpenAPI")


def _described(app: FastAPI) -> dict[str, Any]:
    document = get_openapi(
        title="AKS Backup Guard", version="1", description=_DESCRIPTION, routes=app.routes, openapi_version="3.1.0"
    )
    for operations in document["paths"].values():
        for method, operation in operations.items():
            operation["security"] = [{_SCHEME: []}]
            operation.setdefault("x-required-role", READER if method == "get" else OPERATOR)
            operation["responses"].pop("422", None)  # what is not valid is answered 400
            operation["operationId"] = operation["operationId"].partition("_api_v1_")[0]
    components = document["components"]
    components["securitySchemes"] = _SECURITY
    for name in _VALIDATION:
        components["schemas"].pop(name, None)
    for operations in document["paths"].values():
        for operation in operations.values():
            _give_examples(operation, components["schemas"])
    return document


def _give_examples(operation: dict[str, Any], schemas: dict[str, Any]) -> None:
    bodies = [*operation["responses"].values(), *([operation["requestBody"]] if "requestBody" in operation else [])]
    for body in bodies:
        for described in body["content"].values():
            described.setdefault("example", example_of(described["schema"], schemas))
