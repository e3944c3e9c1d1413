"""HTTP: `/api/v1`, for programs."""

import json

import azure.functions as func

blueprint = func.Blueprint()
_built: list[func.AsgiMiddleware] = []


@blueprint.function_name("api")
@blueprint.route(route="v1/{*path}", methods=["GET", "POST"])
async def api(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """Everything below /api/v1 that is no function of its own. Who may call is the app's to say: App Service
    authentication stands before it."""
    return await answer(req, context)


async def answer(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """The ASGI app's, which is built when the first request comes, once in the life of the process."""
    if not _built:
        from shared.bootstrap import world
        from shared.web.app import create_app

        _built.append(func.AsgiMiddleware(create_app(world)))
    try:
        response: func.HttpResponse = await _built[0].handle_async(req, context)
    except ValueError:  # of the middleware, which cannot read the address: the app answers its own faults
        error = {"code": "InvalidRequest", "message": "The address is not as one must be.", "details": []}
        headers = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
        return func.HttpResponse(
            json.dumps({"error": error}), status_code=400, mimetype="application/json", headers=headers
        )
    return response
