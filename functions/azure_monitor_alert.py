"""HTTP: an action group of Azure Monitor passes on one of Azure Backup's built-in alerts."""

import azure.functions as func

from functions.api import answer

blueprint = func.Blueprint()


# The function `api` takes every address below /api/v1; of several that fit, the host takes the first by name.
@blueprint.function_name("alert_of_azure_monitor")
@blueprint.route(route="v1/azure-monitor-alerts", methods=["POST"])
async def azure_monitor_alert(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """What the ASGI app answers at this address; that the caller is Azure Monitor is seen there."""
    return await answer(req, context)
