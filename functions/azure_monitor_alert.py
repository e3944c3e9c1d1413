"""HTTP: an action group of Azure Monitor passes on one of Azure Backup's built-in alerts."""

import json
import logging

import azure.functions as func

blueprint = func.Blueprint()
log = logging.getLogger(__name__)


# The function `api` takes every address below /api/v1; of several that fit, the host takes the first by name.
@blueprint.function_name("alert_of_azure_monitor")
@blueprint.route(route="v1/azure-monitor-alerts", methods=["POST"], auth_level=func.AuthLevel.FUNCTION)
async def azure_monitor_alert(req: func.HttpRequest) -> func.HttpResponse:
    """202: Azure will be asked about the job, which is all that a caller can bring about. 200: nothing for the Guard.
    400: not an alert in the common schema. 503: storage is down, send it again."""
    from shared.domain.errors import MalformedEventError, TransientError
    from shared.events.common_alert import parse_common_alert

    try:
        alert = parse_common_alert(req.get_body().decode("utf-8", "replace"))
    except MalformedEventError as error:
        log.warning("refused a malformed alert: %s", error)
        return _answer(400, {"error": {"code": "MalformedAlert", "message": str(error)}})
    if alert is None:
        return _answer(200, {"ignored": "not a fired Azure Backup alert about a job of a Backup vault for AKS"})
    from shared.bootstrap import world
    from shared.job_watch import mention_job
    from shared.sweep import is_in_scope

    here = await world()
    try:
        if not await is_in_scope(alert.subscription_id, here):
            return _answer(200, {"ignored": "the vault's subscription is none of those in scope"})
        await mention_job(alert.job_id, here)
    except TransientError as error:
        log.warning("an alert could not be kept: %s", error)
        return _answer(503, {"error": {"code": error.code, "message": error.message}})
    log.info("an alert of Azure Monitor names the job %s", alert.job_id)
    return _answer(202, {"jobId": alert.job_id})


def _answer(status: int, body: dict[str, object]) -> func.HttpResponse:
    return func.HttpResponse(json.dumps(body), status_code=status, mimetype="application/json")
