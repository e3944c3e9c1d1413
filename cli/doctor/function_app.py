"""The function app: is it there, does it run, and does it have every function?"""

from collections.abc import Iterator

from cli.doctor.check import Check, Result
from cli.doctor.deployment import Deployment
from cli.doctor.seen import Sight, Unread

GROUP = "function app"
FUNCTIONS = frozenset(
    {
        "alert_of_azure_monitor",
        "api",
        "cluster_events",
        "compliance_sweep",
        "dashboard",
        "events_poison",
        "health",
        "job_events",
        "job_watch",
        "notifications",
        "notify_poison",
        "poison",
        "queued_events",
        "reconcile",
        "requeue_overdue",
    }
)
_RUNTIME = ("python", "3.13")


def check_function_app(deployment: Deployment, sight: Sight) -> Iterator[Result]:
    exists = Check(GROUP, "exists")
    app = sight.app
    if isinstance(app, Unread):
        yield exists.unread(app)
    elif app is None:
        yield exists.wrong(f"There is no function app {deployment.app_id}.", "azd up")
    else:
        yield exists.ok()
        start = f"az functionapp start --ids {deployment.app_id}"
        yield Check(GROUP, "runs").that(app.state == "Running", f"It is {app.state or 'in no known state'}.", start)
        has = f"{app.runtime} {app.runtime_version}".strip() or "unknown"
        yield Check(GROUP, "runtime").that(
            (app.runtime.lower(), app.runtime_version) == _RUNTIME,
            f"Its runtime is {has}, and the app is written for Python 3.13.",
            "azd provision && azd deploy",
        )
        assign = f"az functionapp identity assign --ids {deployment.app_id} --identities {deployment.identity_id}"
        yield Check(GROUP, "identity").that(
            deployment.identity_id.lower() in app.identities, "It does not have the app's identity.", assign
        )
    yield from _functions(deployment, sight)


def _functions(deployment: Deployment, sight: Sight) -> Iterator[Result]:
    check, enabled = Check(GROUP, "functions"), Check(GROUP, "functions enabled")
    found = sight.functions
    if isinstance(found, Unread):
        yield check.unread(found)
        return
    names = {each.name for each in found}
    missing, foreign = sorted(FUNCTIONS - names), sorted(names - FUNCTIONS)
    if not names:
        message = "It has no function at all: the code is not deployed, or fails when it is imported."
    else:
        message = f"Missing: {', '.join(missing)}." if missing else f"Not of this version: {', '.join(foreign)}."
    yield check.that(not missing and not foreign, message, "azd deploy")
    told = sight.settings if not isinstance(sight.settings, Unread) else {}
    off = sorted(each.name for each in found if each.disabled or _is_on(told.get(_switch(each.name), "")))
    settings = " ".join(map(_switch, off))
    fix = f"az functionapp config appsettings delete --ids {deployment.app_id} --setting-names {settings}"
    yield enabled.that(not off, f"Turned off: {', '.join(off)}.", fix)


def _switch(name: str) -> str:
    """The app setting that turns a function off (Functions: how to disable functions)."""
    return f"AzureWebJobs.{name}.Disabled"


def _is_on(value: str) -> bool:
    return value.strip().lower() in ("true", "1")
