"""What Azure Monitor's action groups may call: the secure webhook, which signs in with Microsoft Entra ID
(https://learn.microsoft.com/azure/azure-monitor/alerts/action-groups#secure-webhook)."""

import logging

from fastapi import APIRouter, Request, Response

from shared.domain.errors import MalformedEventError
from shared.events.common_alert import parse_common_alert
from shared.job_watch import mention_job
from shared.report.json_models import Model
from shared.sweep import is_in_scope
from shared.web.access import AZURE_MONITOR, AzureMonitor
from shared.web.api_errors import ApiError, refusals
from shared.web.here import TheWorld

log = logging.getLogger(__name__)
router = APIRouter(tags=["orders"])

_BODY = {
    "required": True,
    "content": {
        "application/json": {
            "schema": {"type": "object", "description": "Azure Monitor's common alert schema."},
            "example": {"schemaId": "azureMonitorCommonAlertSchema", "data": {"essentials": {}, "alertContext": {}}},
        }
    },
}


class AlertTaken(Model):
    """Azure will be asked about `job_id`; or the alert is nothing for the Guard, and `ignored` says why."""

    job_id: str | None = None
    ignored: str | None = None


@router.post(
    "/azure-monitor-alerts",
    response_model_exclude_none=True,
    responses={202: {"model": AlertTaken, "description": "Azure will be asked about the job."}, **refusals(400, 415)},
    openapi_extra={"requestBody": _BODY, "x-required-role": AZURE_MONITOR},
)
async def azure_monitor_alert(_: AzureMonitor, world: TheWorld, request: Request, response: Response) -> AlertTaken:
    """One of Azure Backup's built-in alerts: all that it can bring about is that Azure is asked about a job."""
    try:
        alert = parse_common_alert((await request.body()).decode("utf-8", "replace"))
    except MalformedEventError as error:
        log.warning("refused a malformed alert: %s", error)
        raise ApiError(400, "MalformedAlert", str(error)) from error
    if alert is None:
        return AlertTaken(ignored="not a fired Azure Backup alert about a job of a Backup vault for AKS")
    if not await is_in_scope(alert.subscription_id, world):
        return AlertTaken(ignored="the vault's subscription is none of those in scope")
    await mention_job(alert.job_id, world)
    log.info("an alert of Azure Monitor names the job %s", alert.job_id)
    response.status_code = 202
    return AlertTaken(job_id=alert.job_id)
