"""HTTP: is the app able to work? For a load balancer, a person, and the deployment's smoke test."""

import json

import azure.functions as func

blueprint = func.Blueprint()


@blueprint.function_name("health")
@blueprint.route(route="health", methods=["GET"])
async def health(req: func.HttpRequest) -> func.HttpResponse:
    """200 when settings, configuration and storage are usable; 503 with every problem named when not."""
    from shared.bootstrap import check_health

    report = await check_health()
    status = 200 if report["status"] == "healthy" else 503
    return func.HttpResponse(json.dumps(report), status_code=status, mimetype="application/json")
