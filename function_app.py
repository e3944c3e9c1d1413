"""Registers the triggers. Everything they need is imported when it is first used, not here."""

import azure.functions as func

from functions.api import blueprint as api
from functions.azure_monitor_alert import blueprint as azure_monitor_alert
from functions.cluster_events import blueprint as cluster_events
from functions.compliance_sweep import blueprint as compliance_sweep
from functions.dashboard import blueprint as dashboard
from functions.health import blueprint as health
from functions.job_events import blueprint as job_events
from functions.job_watch import blueprint as job_watch
from functions.notifications import blueprint as notifications
from functions.poison import blueprint as poison
from functions.queued_events import blueprint as queued_events
from functions.reconcile import blueprint as reconcile

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)

for blueprint in (
    cluster_events,
    reconcile,
    job_watch,
    job_events,
    queued_events,
    compliance_sweep,
    azure_monitor_alert,
    notifications,
    poison,
    health,
    api,
    dashboard,
):
    app.register_functions(blueprint)
