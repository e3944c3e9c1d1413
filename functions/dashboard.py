"""HTTP: `/api/dashboard`, for people."""

import azure.functions as func

from functions.api import answer

blueprint = func.Blueprint()


@blueprint.function_name("dashboard")
@blueprint.route(route="dashboard/{*path}", methods=["GET"])
async def dashboard(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """The pages and what they are made of; `/api/dashboard` itself too, since `{*path}` may be empty."""
    return await answer(req, context)
