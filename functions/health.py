"""HTTP: is the app able to work? For a load balancer, a person, and the deployment's smoke test."""

import json
import os

import azure.functions as func

blueprint = func.Blueprint()


# Nobody is signed in here, and a header that says otherwise is anybody's: who may read asks /api/v1/health.
@blueprint.function_name("health")
@blueprint.route(route="health", methods=["GET"])
async def health(req: func.HttpRequest) -> func.HttpResponse:
    """200 when settings, configuration and storage are usable, 503 when not. On a developer's machine every problem is
    named."""
    from shared.bootstrap import check_health
    from shared.settings import read_hosting

    report = await check_health()
    seen = report.for_anybody() if read_hosting(os.environ).deployed else report
    status = 200 if report.status == "healthy" else 503
    headers = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
    return func.HttpResponse(
        json.dumps(seen.as_json()), status_code=status, mimetype="application/json", headers=headers
    )
