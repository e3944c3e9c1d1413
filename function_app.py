"""Registers the triggers. Everything they need is imported when it is first used, not here."""

import azure.functions as func

from functions.cluster_events import blueprint as cluster_events
from functions.health import blueprint as health
from functions.poison import blueprint as poison
from functions.reconcile import blueprint as reconcile

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)

for blueprint in (cluster_events, reconcile, poison, health):
    app.register_functions(blueprint)
